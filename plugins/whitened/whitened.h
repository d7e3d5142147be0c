// Any solver, in a chart in which ill-conditioned latent axes do it no harm.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT WhitenedOptions {
  // Descent steps on the starting curve, so that the chart suits where the geodesic will be.
  int relaxation = 0;

  template <class V>
  void visit(V&& visit) {
    visit("relaxation", relaxation, "descent steps on the starting curve before the chart is made", 0, 1e6);
  }
};

// Runs the inner solver in the chart y = W(z − from), where WᵀW is the mean metric along the starting curve.
//
// There J has singular values near 1 and latent distances are ambient ones, so that whatever the inner solver does with
// coordinates (tolerances, difference steps, neighbours, the inverse of M, a first guess) no longer depends on κ of the
// latent axes. What it cannot mend is conditioning that changes along the way: a chart has one A.
//
// The curve is brought back to z and joined to the ends exactly; curves met come with it.
// Cost: 33 factors. Weaknesses: W is only as good as the starting curve; curves that are straight in z stay so.
// Thread safety: as the inner solver. Reference: the affine invariance of Newton's method, Deuflhard (2011),
// doi:10.1007/978-3-642-23899-4, asked of every method.
class PULLBACK_EXPORT WhitenedSolver final : public GeodesicSolver {
 public:
  WhitenedSolver(WhitenedOptions options, std::unique_ptr<const GeodesicSolver> inner);

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  WhitenedOptions options_;
  std::unique_ptr<const GeodesicSolver> inner_;
};

}  // namespace pullback
