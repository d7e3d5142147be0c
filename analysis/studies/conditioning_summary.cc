#include "pullback/analysis/studies/conditioning_summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/analysis/comparison_summary.h"

namespace pullback {

void for_each_run(const ConditioningStudy& study, std::size_t panel,
                  const std::function<void(const ConditioningJob&, const ConditioningRun&)>& visit) {
  for (std::size_t kappa = 0; kappa < study.settings.kappas.size(); ++kappa) {
    for (std::size_t pair = 0; pair < study.panels[panel].spaces[0].pairs.size(); ++pair) {
      for (std::size_t solver = 0; solver < study.settings.solvers.size(); ++solver) {
        const ConditioningJob job{panel, kappa, pair, solver};
        if (const auto& run = study.runs[run_index(study, job)]) visit(job, *run);
      }
    }
  }
}

const char* to_string(ClaimOutcome outcome) {
  switch (outcome) {
    case ClaimOutcome::kSolved:
      return "solved";
    case ClaimOutcome::kLonger:
      return "longer";
    case ClaimOutcome::kFalse:
      return "false";
    case ClaimOutcome::kUnclaimed:
      return "unclaimed";
  }
  return "unknown";
}

std::vector<double> best_lengths(const ConditioningStudy& study, std::size_t panel) {
  std::vector<double> best(study.panels[panel].spaces[0].pairs.size(), std::numeric_limits<double>::infinity());
  for_each_run(study, panel, [&](const ConditioningJob& job, const ConditioningRun& run) {
    best[job.pair] = std::min(best[job.pair], run.best_known);
  });
  for (double& length : best) {
    if (std::isinf(length)) length = std::numeric_limits<double>::quiet_NaN();
  }
  return best;
}

ClaimOutcome outcome_of(const ConditioningRun& run, double best) {
  if (run.termination != Termination::kConverged) return ClaimOutcome::kUnclaimed;
  const bool same_length = std::abs(run.length / run.base_length - 1) <= kSolvedTolerance;
  if (!run.base_converged || !same_length) return ClaimOutcome::kFalse;
  return run.length <= best * (1 + kSolvedTolerance) ? ClaimOutcome::kSolved : ClaimOutcome::kLonger;
}

void ConditioningCell::add(const ConditioningRun& run, double best) {
  ++runs;
  ++outcomes[outcome_of(run, best)];
  ++terminations[to_string(run.termination)];
  seconds.push_back(run.seconds);
  evaluations.push_back(run.evaluations);
}

std::vector<ConditioningCell> panel_cells(const ConditioningStudy& study, std::size_t panel) {
  const std::vector<double> best = best_lengths(study, panel);
  std::vector<ConditioningCell> cells(study.settings.kappas.size() * study.settings.solvers.size());
  for_each_run(study, panel, [&](const ConditioningJob& job, const ConditioningRun& run) {
    cells[job.kappa * study.settings.solvers.size() + job.solver].add(run, best[job.pair]);
  });
  return cells;
}

std::vector<ConditioningCell> all_cells(const ConditioningStudy& study) {
  std::vector<ConditioningCell> cells(study.settings.kappas.size() * study.settings.solvers.size());
  for (std::size_t panel = 0; panel < study.panels.size(); ++panel) {
    const std::vector<double> best = best_lengths(study, panel);
    for_each_run(study, panel, [&](const ConditioningJob& job, const ConditioningRun& run) {
      cells[job.kappa * study.settings.solvers.size() + job.solver].add(run, best[job.pair]);
    });
  }
  return cells;
}

}  // namespace pullback
