// Three solvers compared on two models: the table that `pullback compare` writes, from the library.
//
//   comparison [PAIRS]
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "pullback/analysis/comparison.h"
#include "pullback/analysis/comparison_summary.h"
#include "pullback/spaces/opener.h"

int main(int argc, char** argv) {
  pullback::Opener opener({});
  pullback::Study study;
  study.solvers = {"energy", "newton", "graph+energy"};
  study.pairs = argc > 1 ? std::atoi(argv[1]) : 4;
  std::vector<std::unique_ptr<pullback::GeodesicSolver>> solvers;
  for (const std::string& chain : study.solvers) solvers.push_back(opener.solvers().make(chain));
  for (const char* model : {"mnist-vae", "mnist-dae"}) pullback::add_part(study, opener.open(model));

  pullback::run_comparison(study, solvers, {.threads = 2});
  std::fputs(pullback::comparison_table(study).c_str(), stdout);

  bool all = true;
  for (const pullback::StudyPart& part : study.parts) {
    for (const pullback::SolverSummary& row : pullback::summarise(study, part)) all = all && row.solved == row.runs;
  }
  return all ? 0 : 1;
}
