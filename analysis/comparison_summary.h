// What a comparison says: who solved what, how well and how fast.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pullback/analysis/comparison.h"
#include "pullback/base/export.h"

namespace pullback {

// A pair is solved when the result converged and is longer than the best length known by at most this fraction.
inline constexpr double kSolvedTolerance = 1e-3;

// The length of the shortest curve that any chain found or met for each pair, whatever it ended as: a curve with the
// right ends is an upper bound of the distance. NaN where none has one.
PULLBACK_EXPORT std::vector<double> best_lengths(const Study& study, const StudyPart& part);

PULLBACK_EXPORT bool is_solved(const GeodesicResult& result, double best);

// Length over the best; infinite without a curve.
PULLBACK_EXPORT double length_ratio(const GeodesicResult& result, double best);

// Values, Jacobians, second derivatives, products and metrics by the solver.
PULLBACK_EXPORT std::int64_t evaluation_count(const Effort& effort);

struct PULLBACK_EXPORT SolverSummary {
  std::string solver;
  int runs = 0;
  int solved = 0;
  double median_ratio = 0;
  double worst_ratio = 0;
  double median_seconds = 0;  // solver and certificate
  double median_evaluations = 0;
  std::map<std::string, int> terminations;

  double solved_share() const { return runs == 0 ? 0 : static_cast<double>(solved) / runs; }
};

// One entry for each solver, over the runs that are finished.
PULLBACK_EXPORT std::vector<SolverSummary> summarise(const Study& study, const StudyPart& part);

// For people: a table for every part, a row for each solver, and what the columns mean, as `pullback compare` writes
// it.
PULLBACK_EXPORT std::string comparison_table(const Study& study);

// The performance profile: for each solver the ratios of its seconds to those of the fastest solver that solved the
// pair, sorted, for the pairs that it solved; `pairs` counts all, also those that none solved. Reference: Dolan, Moré
// (2002), doi:10.1007/s101070100263.
struct PULLBACK_EXPORT PerformanceProfile {
  std::vector<std::vector<double>> ratios;  // by solver
  int pairs = 0;
};
PULLBACK_EXPORT PerformanceProfile performance_profile(const Study& study, const StudyPart& part);

}  // namespace pullback
