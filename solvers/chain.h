// Solvers one after the other.
#pragma once

#include <memory>
#include <vector>

#include "pullback/solvers/solver.h"

namespace pullback {

// A solver that runs its stages in turn, each from the curve of the one before.
//
// It returns the solution of the last stage, with the iterations of all. Curves of earlier stages are reported as met
// (SolveContext::met_curve). A stage that returns no curve, or one that is not finite, ends the chain: its solution is
// returned, with the stage's name before the message. A curve that misses the ends is bent to them by c(t) + (1−t) δ_0
// + t δ_1 before the next stage starts from it. The chain stops between stages when it is asked to, with the curve that
// there is.
//
// Errors: std::invalid_argument for no stage or a null one. Thread safety: immutable, as its stages.
class ChainSolver final : public GeodesicSolver {
 public:
  explicit ChainSolver(std::vector<std::unique_ptr<const GeodesicSolver>> stages);

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  std::vector<std::unique_ptr<const GeodesicSolver>> stages_;
};

}  // namespace pullback
