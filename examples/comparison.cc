// Two solver chains compared on the same pairs of points.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "pullback/analysis/comparison.h"
#include "pullback/analysis/comparison_summary.h"
#include "pullback/spaces/opener.h"

int main() {
  pullback::Opener opener({});
  pullback::Study study;
  study.solvers = {"energy", "graph+energy"};
  study.pairs = 4;
  study.box = {0.2, 1.8};  // where ends are drawn on a surface without codes
  pullback::add_part(study, opener.open("torus:R=3,r=1"));
  std::vector<std::unique_ptr<pullback::GeodesicSolver>> solvers;
  for (const std::string& chain : study.solvers) solvers.push_back(opener.solvers().make(chain));
  pullback::run_comparison(study, solvers, {.threads = 2});
  const auto summary = pullback::summarise(study, study.parts[0]);

  bool all = true;
  for (const pullback::SolverSummary& row : summary) {
    std::printf("%-12s solved %d of %d, median %.0f evaluations\n", row.solver.c_str(), row.solved, row.runs,
                row.median_evaluations);
    all = all && row.solved == row.runs;
  }
  return all ? 0 : 1;
}
