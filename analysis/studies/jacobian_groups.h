// What the study of Jacobians reports of its models, and the table over them.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "pullback/analysis/studies/jacobian.h"
#include "pullback/base/export.h"

namespace pullback {

// One model. Numbers of its figures and geodesics have four significant digits, so that groups of models are the same
// whether they are made at once or from what was written of the models.
struct PULLBACK_EXPORT JacobianModel {
  std::string label;
  std::string specification;
  std::string kind;  // of its metadata
  int latent_dimension = 0;
  std::optional<int> ambient_dimension;  // nothing without a generator
  double quality = std::numeric_limits<double>::quiet_NaN();
  std::string quality_measure;
  Characterisation figures;
  std::vector<SolverSummary> solvers;
  std::optional<CurvesInRegion> geodesics;
};
PULLBACK_EXPORT JacobianModel report_of(const LabelledSpace& model, const JacobianFigures& figures);

// The columns of the table: some of every study, and two for each solver.
struct PULLBACK_EXPORT JacobianColumn {
  std::string key;
  std::string title;
};
PULLBACK_EXPORT std::vector<JacobianColumn> jacobian_columns(const std::vector<std::string>& solvers);

// Over the models of a label that have the number; NaN where none has it.
struct PULLBACK_EXPORT GroupCell {
  double median = 0;
  double low = 0;  // the least
  double high = 0;
};

// The models of one label.
struct PULLBACK_EXPORT JacobianGroup {
  std::string label;
  int models = 0;
  std::vector<GroupCell> cells;  // by column
};

// In the order of the labels' first models.
PULLBACK_EXPORT std::vector<JacobianGroup> group_models(const std::vector<JacobianModel>& models,
                                                        const std::vector<std::string>& solvers);

}  // namespace pullback
