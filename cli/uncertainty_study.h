// A study of whether geodesics keep to the data, with and without uncertainty.
//
// For each model the same pairs of codes, half of them on the rim of the data, are joined under the plain pullback
// metric and under each that knows its uncertainty; what is reported is the share of each curve's latent arc inside the
// data's region (manifold/data_region.h), which no metric is in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pullback/cli/result_json.h"
#include "pullback/cli/session.h"
#include "pullback/cli/study.h"
#include "pullback/cli/uncertainty.h"
#include "pullback/manifold/data_region.h"

namespace pullback::cli {

// A curve and where it runs.
struct LocatedResult {
  GeodesicResult result;
  CurveInRegion where;  // only where the result has a curve
};

// One metric of a model.
struct UncertainMetric {
  std::string name;  // "plain", "rbf", "ensemble", "gp"
  std::string file;  // as OpenedSpace::name
  OpenedSpace space;
  std::vector<std::string> notes;                     // what was fitted
  std::vector<std::optional<LocatedResult>> results;  // by pair; nothing where it was not finished
};

struct UncertaintyPanel {
  std::string name;
  DataRegion region;
  std::vector<StudyPair> pairs;
  std::vector<double> straight;          // by pair: the share of the straight line inside
  std::vector<UncertainMetric> metrics;  // the plain one first
};

struct UncertaintyStudy {
  std::vector<UncertaintyPanel> panels;
  std::string solver;
  std::string data;
  int pairs = 0;
  std::uint64_t seed = 0;
  int threads = 1;
  double time_limit = 0;
  std::string command;
  std::string started;  // ISO 8601, UTC
  bool complete = false;
};

// What one metric's curves do, over the pairs that have one.
struct UncertaintySummary {
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

UncertaintySummary summarise(const UncertaintyPanel& panel, const UncertainMetric& metric);

// {"schema": "pullback-uncertainty-study-1", "created", "command", "complete", "environment", "settings", "models":
// [{"name", "region_radius", "pairs": [{"name", "from", "to", "straight_share"}], "metrics": [{"name", "file",
// "fitted", "summary", "curves": [{"pair", "termination", "length", "share_inside", "farthest", "arc",
// "seconds"}]}]}]}.
Json uncertainty_results(const UncertaintyStudy& study, const Json& environment);

// What `geodesic --json` would write for the metric, for `verify`.
Json geodesic_document(const UncertaintyStudy& study, const UncertaintyPanel& panel, const UncertainMetric& metric);

// For cli/report/uncertainty.js.
Json uncertainty_report(const UncertaintyStudy& study, const Json& environment);

std::string uncertainty_table(const UncertaintyStudy& study);

}  // namespace pullback::cli
