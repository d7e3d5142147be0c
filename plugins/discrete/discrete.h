// Geodesics from values of the generator alone: discrete geodesic calculus.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT DiscreteOptions {
  // Chords of the coarsest path.
  int nodes = 32;
  // Refinement doubles the chords until the curve is exact to `tolerance`, or to this many.
  int max_nodes = 512;
  // Stop refining when the extrapolated curve's excess ½ gᵀH⁻¹g / (2E) is at most `tolerance`.
  // 0: 1e-8 for an accuracy of 1e-6, in proportion to it (tolerance_for).
  double tolerance = 0;
  // Iterations at each number of chords.
  int max_iterations = 100;

  template <class V>
  void visit(V&& visit) {
    visit("nodes", nodes, "chords of the coarsest path", 8, 65536);
    visit("max_nodes", max_nodes, "chords up to which the path is refined", 8, 65536);
    visit("tolerance", tolerance,
          "refined until the curve is too long by at most about this fraction; 0: from the accuracy, 1e-8 at 1e-6", 0,
          1);
    visit("max_iterations", max_iterations, "iterations at each number of chords", 1, 1e6);
  }
};

// Minimises the path energy ½ K Σ W(z_i, z_{i+1}), W(a,b) = ‖f(b) − f(a)‖², of Rumpf and Wirth, with derivatives by
// differences of f (CallbackGenerator) in the chart whitened by the metric in the middle of the initial curve. The
// minimisers of K/2 and K chords are extrapolated, z = z_K + (z_K − z_{K/2})/3, as their error is one of K⁻².
//
// What it is for: generators whose Jacobian is missing or not to be trusted. Their Jacobian is used for the scale of
// the whitened chart alone. Where f is not smooth, nothing is extrapolated. Cost: K+1 Jacobians by differences (4n
// values each) and K−1 weighted Hessians by differences an iteration. Weaknesses: dearer than `newton` and `energy` by
// the differences; one chart for the whole curve, so that a metric whose axes turn along it, as well as being
// ill-conditioned, costs accuracy; finds the geodesic near its start. Reference: Rumpf, Wirth (2015),
// doi:10.1093/imanum/dru027. Their convergence of first order for the discrete exponential and logarithm is in the
// tests of manifold/numerics/discrete_calculus.h, which has the calculus itself.
class PULLBACK_EXPORT DiscreteSolver : public GeodesicSolver {
 public:
  explicit DiscreteSolver(DiscreteOptions options) : GeodesicSolver("discrete"), options_(options) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  DiscreteOptions options_;
};

}  // namespace pullback
