// What the study `conditioning` says.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pullback/analysis/studies/conditioning.h"
#include "pullback/base/export.h"

namespace pullback {

// Calls visit(job, run) for the finished runs of a panel, by κ, then pair, then solver.
PULLBACK_EXPORT void for_each_run(const ConditioningStudy& study, std::size_t panel,
                                  const std::function<void(const ConditioningJob&, const ConditioningRun&)>& visit);

// The shortest length that any solver knows for each pair of the panel at any κ; NaN where none has one.
PULLBACK_EXPORT std::vector<double> best_lengths(const ConditioningStudy& study, std::size_t panel);

PULLBACK_EXPORT ClaimOutcome outcome_of(const ConditioningRun& run, double best);

// The runs of one solver at one κ, of one panel or of all.
struct PULLBACK_EXPORT ConditioningCell {
  int runs = 0;
  std::map<ClaimOutcome, int> outcomes;
  std::map<std::string, int> terminations;
  std::vector<double> seconds;
  std::vector<double> evaluations;

  void add(const ConditioningRun& run, double best);
  int count(ClaimOutcome outcome) const { return outcomes.contains(outcome) ? outcomes.at(outcome) : 0; }
};

// By κ, then solver: cells[kappa * solvers + solver].
PULLBACK_EXPORT std::vector<ConditioningCell> panel_cells(const ConditioningStudy& study, std::size_t panel);
PULLBACK_EXPORT std::vector<ConditioningCell> all_cells(const ConditioningStudy& study);

}  // namespace pullback
