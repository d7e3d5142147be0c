// Any solver, led to a metric that may be singular by a sequence of metrics that are not.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT ContinuationOptions {
  // The first λ, in units of the mean metric along the starting curve.
  double first = 1;
  // Every λ is this fraction of the one before.
  double factor = 0.1;
  // The last λ before 0: λ goes down while λ ≥ last.
  double last = 1e-4;

  template <class V>
  void visit(V&& visit) {
    visit("first", first, "first λ, in units of the mean metric along the start", 1e-12, 1e6);
    visit("factor", factor, "every λ is this fraction of the one before", 1e-6, 0.9);
    visit("last", last, "λ goes down to this, and then to 0", 1e-14, 1e6);
  }
};

// Solves with M + λB for falling λ and at last with M, each from the curve before; B = WᵀW is the mean metric along the
// starting curve, so that λ is relative and the same in every chart, with a floor for directions in which that
// vanishes.
//
// Damping hides folds and collapsed regions from the first solves, which then cannot be lost in them. The certificate's
// `regularisation` says by how much the last λ changed the length: (L(curve at λ) − L(curve at 0))/L(curve at 0), both
// by the metric M. A stage that fails at λ > 0 is passed over. If the solve with M itself does not converge, its result
// is returned and says so; the last damped curve is reported as met.
//
// Cost: one solve for every λ, most of them from near by. Weaknesses: for large λ the geodesic of M + λB is nearly the
// straight line, so that the way round that a good start had found is lost: choose `first` small behind a graph.
// Thread safety: as the inner solver. Reference: numerical continuation, Allgower, Georg (1990),
// doi:10.1007/978-3-642-61257-2; damping of the metric, Levenberg (1944), doi:10.1090/qam/10666.
class PULLBACK_EXPORT ContinuationSolver final : public GeodesicSolver {
 public:
  // Errors: std::invalid_argument when first < last.
  ContinuationSolver(ContinuationOptions options, std::unique_ptr<const GeodesicSolver> inner);

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  ContinuationOptions options_;
  std::unique_ptr<const GeodesicSolver> inner_;
};

}  // namespace pullback
