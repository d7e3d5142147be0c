// A study of whether geodesics keep to the data, with and without uncertainty.
//
// For each model the same pairs of codes, half of them on the rim of the data, are joined under the plain pullback
// metric and under each that knows its uncertainty; what is reported is the share of each curve's latent arc inside the
// data's region (manifold/data/data_region.h), which depends on no metric.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pullback/analysis/study_pairs.h"
#include "pullback/analysis/uncertainty.h"
#include "pullback/analysis/work_control.h"
#include "pullback/base/export.h"
#include "pullback/manifold/data/data_region.h"
#include "pullback/solvers/solver.h"
#include "pullback/spaces/opener.h"

namespace pullback {

// A curve and where it runs.
struct PULLBACK_EXPORT LocatedResult {
  GeodesicResult result;
  CurveInRegion where;  // only where the result has a curve
};

// One metric of a model.
struct PULLBACK_EXPORT UncertainMetric {
  std::string name;  // "plain", "rbf", "ensemble", "gp"
  std::string file;  // as OpenedSpace::name
  OpenedSpace space;
  std::vector<std::string> notes;                     // what was fitted
  std::vector<std::optional<LocatedResult>> results;  // by pair; nothing where it was not finished
};

struct PULLBACK_EXPORT UncertaintyPanel {
  std::string name;
  DataRegion region;
  std::vector<StudyPair> pairs;
  std::vector<double> straight;          // by pair: the share of the straight line inside
  std::vector<UncertainMetric> metrics;  // the plain one first
};

struct PULLBACK_EXPORT UncertaintyStudy {
  std::vector<UncertaintyPanel> panels;
  std::string solver;  // the chain
  std::string data;    // folder of what the models observed; empty: nothing
  int pairs = 0;       // of codes, and as many on the rim
  std::uint64_t seed = 0;
  double time_limit = 0;  // seconds for each solve; 0: none
  bool complete = false;  // not stopped before its end
};

// What one metric's curves do, over the pairs that have one.
struct PULLBACK_EXPORT UncertaintySummary {
  int curves = 0;
  int converged = 0;
  double mean_share = 0;  // of the arc inside
  double lowest_share = 0;
  int leaving = 0;      // curves with less than kKeeping of their arc inside
  double farthest = 0;  // median of the largest distance from the data, in deviations over the region's radius
  double arc = 0;       // median latent arc over that of the straight line
  double seconds = 0;   // median
};
inline constexpr double kKeeping = 0.95;  // the region's own share of the codes

PULLBACK_EXPORT UncertaintySummary summarise(const UncertaintyPanel& panel, const UncertainMetric& metric);

// A model, where its file lies, and what was observed of it.
struct PULLBACK_EXPORT UncertainModel {
  std::string name;
  std::filesystem::path path;
  ModelFile model;
  std::optional<Observations> observed;
};

// The names of the study's methods: those of parse_uncertainty_method(), and "gp-short", a Gaussian process that trusts
// the data no farther than a fifth of a deviation of the codes.
PULLBACK_EXPORT std::vector<std::string> uncertainty_methods();

// How a method of that name is fitted. Errors: as parse_uncertainty_method().
PULLBACK_EXPORT UncertaintySettings method_settings(const std::string& method, std::uint64_t seed);

// Draws the pairs by the study's numbers, fits the model by each method, writes it as NAME-METHOD.safetensors into
// `folder`, and adds the panel with room for the results. Once stopped, the methods that are left are left out.
// Errors: as fit_uncertainty() and Opener::open; pullback::Error for files that cannot be written; StopRequested
// (base/stop.h), and then no panel is added.
PULLBACK_EXPORT void add_panel(UncertaintyStudy& study, Opener& opener, const UncertainModel& model,
                               const std::vector<std::string>& methods, const std::filesystem::path& folder,
                               const std::function<bool()>& should_stop = {});

// How many solves it is.
PULLBACK_EXPORT std::size_t solve_count(const UncertaintyStudy& study);

// Solves every pair in every metric, and sets `complete`. Results that were stopped are left out. Calls
// control.advanced for each result. Cost: solve_count() solves.
PULLBACK_EXPORT void run_uncertainty_study(UncertaintyStudy& study, const GeodesicSolver& solver,
                                           const WorkControl& control = {});

}  // namespace pullback
