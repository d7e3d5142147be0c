// What the study `conditioning` says.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pullback/cli/conditioning.h"

namespace pullback::cli {

// The shortest length that any solver knows for each pair of the panel at any κ; NaN where none has one.
std::vector<double> best_lengths(const ConditioningStudy& study, std::size_t panel);

ClaimOutcome outcome_of(const ConditioningRun& run, double best);

// The runs of one solver at one κ, of one panel or of all.
struct ConditioningCell {
  int runs = 0;
  std::map<ClaimOutcome, int> outcomes;
  std::map<std::string, int> terminations;
  std::vector<double> seconds;
  std::vector<double> evaluations;

  void add(const ConditioningRun& run, double best);
  int count(ClaimOutcome outcome) const { return outcomes.contains(outcome) ? outcomes.at(outcome) : 0; }
};

// By κ, then solver: cells[kappa * solvers + solver].
std::vector<ConditioningCell> panel_cells(const ConditioningStudy& study, std::size_t panel);
std::vector<ConditioningCell> all_cells(const ConditioningStudy& study);

// {"schema": "pullback-conditioning-1", "created", "command", "complete", "environment", "settings", "overview":
// [cell…], "generators": [{"name", "family", "dimension", "kappa", "pairs": [{"from", "to", "best_length"}], "summary":
// [cell…], "results": [{"pair", "solver", "outcome", "length_ratio", "base", …as in `geodesic`…}]}]}, where a cell is
// {"solver", "kappa", "runs", "solved", "longer", "false", "unclaimed", "terminations", "solved_interval",
// "false_interval", "seconds": [lower quartile, median, upper quartile], "evaluations": […]}.
std::string conditioning_results(const ConditioningStudy& study, const Json& environment);

// What the page shows, for cli/report/conditioning.js.
Json conditioning_report(const ConditioningStudy& study, const Json& environment);

// The table for people.
std::string conditioning_table(const ConditioningStudy& study);

}  // namespace pullback::cli
