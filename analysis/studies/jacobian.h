// How the Jacobians of many models behave, and what that does to geodesics.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pullback/analysis/characterisation.h"
#include "pullback/analysis/comparison_summary.h"
#include "pullback/analysis/maps.h"
#include "pullback/analysis/work_control.h"
#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT JacobianSettings {
  CharacterisationOptions figures;
  int grid = 0;                      // of the maps
  int pairs = 0;                     // of codes, solved on each model; 0: none
  std::vector<std::string> solvers;  // chains
  double time_limit = 0;             // seconds for each solve; 0: none
  double accuracy = 1e-6;            // relative, of the lengths; see SolveControl
};

struct PULLBACK_EXPORT LabelledSpace {
  std::string label;
  OpenedSpace space;
  bool pictured = false;  // with a map
};

// Where the shortest converged curve of each pair runs; NaN without any.
struct PULLBACK_EXPORT CurvesInRegion {
  int curves = 0;
  double share_inside = 0;     // median share of the latent arc inside the data's region
  double farthest = 0;         // median of the largest distance from the data, in deviations
  double farthest_of_all = 0;  // the largest of them
};

// What the study says of one model.
struct PULLBACK_EXPORT JacobianFigures {
  Characterisation characterisation;
  std::vector<SolverSummary> solvers;       // empty: no pairs
  std::optional<CurvesInRegion> geodesics;  // nothing: no pairs
  std::optional<Maps> map;                  // of models that are pictured and have at least two dimensions
  Matrix shown_codes;                       // some of the codes, 2×K in the plane of the map
};

// Nothing when stopped. The same pairs are solved on every model of a latent dimension and codes. `solvers` are those
// of the settings, in this order. Errors: std::invalid_argument for a model without two codes; StopRequested
// (base/stop.h). Thread safety: all arguments may be shared.
PULLBACK_EXPORT std::optional<JacobianFigures> study_model(const LabelledSpace& model, const JacobianSettings& settings,
                                                           const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
                                                           const std::function<bool()>& should_stop = {});

// The same for all models, in their order; nothing for those that were not finished when it was stopped. Calls
// control.advanced for each model, with its label.
PULLBACK_EXPORT std::vector<std::optional<JacobianFigures>> study_models(
    const std::vector<LabelledSpace>& models, const JacobianSettings& settings,
    const std::vector<std::unique_ptr<GeodesicSolver>>& solvers, const WorkControl& control = {});

}  // namespace pullback
