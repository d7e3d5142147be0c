// GEORCE: geodesics as a control problem.
#pragma once

#include <string>

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT GeorceOptions {
  // The energy that is minimised: that of chords, refined; or the published one of left end points.
  std::string scheme = "symmetric";
  // Chords of the discrete curve to begin with (T of the paper, there 100).
  int nodes = 64;
  // Symmetric: refinement doubles the chords until that would shorten the curve by less than `tolerance`, or to this
  // many.
  int max_nodes = 1024;
  // Symmetric: stop refining at 2K chords when (E_2K(c_K) − E_2K(c_2K)) / (2E) ≤ 8 tolerance: the excess falls by 16
  // with a doubling.
  // 0: 2e-8 for an accuracy of 1e-6, in proportion to it (tolerance_for).
  double tolerance = 0;
  // Symmetric: stop iterating when the step promises to lower the energy by at most energy_tolerance · E.
  // 0: 1e-11 for an accuracy of 1e-6, in proportion to it.
  double energy_tolerance = 0;
  // Published: stop when ‖∇E‖₂ ≤ gradient_tolerance, in the chart, E = Σ u_tᵀ G(x_t) u_t.
  double gradient_tolerance = 1e-4;
  // Iterations at each number of chords.
  int max_iterations = 1000;
  // Symmetric: steps whose change of gradient is remembered.
  int memory = 12;

  template <class V>
  void visit(V&& visit) {
    visit("scheme", scheme, "symmetric: energy of chords, refined; published: left end points, as in the paper",
          {"symmetric", "published"});
    visit("nodes", nodes, "chords of the discrete curve to begin with", 8, 65536);
    visit("max_nodes", max_nodes, "symmetric: chords up to which the curve is refined; nodes: no refinement", 8, 65536);
    visit("tolerance", tolerance,
          "symmetric: refined until the curve is too long by at most about this fraction; 0: from the accuracy, 2e-8 "
          "at 1e-6",
          0, 1);
    visit("energy_tolerance", energy_tolerance,
          "symmetric: stops when a step promises to lower the energy by at most this; 0: from the accuracy, 1e-11 at "
          "1e-6",
          0, 1);
    visit("gradient_tolerance", gradient_tolerance, "published: stops at this Euclidean norm of the gradient", 0, 1e6);
    visit("max_iterations", max_iterations, "iterations at each number of chords", 1, 1e6);
    visit("memory", memory, "symmetric: steps remembered to correct the next (limited-memory BFGS); 0: none", 0, 1000);
  }
};

// Minimises the energy of a discrete curve with steps that solve a control problem with frozen metric.
//
//   E = Σ_t u_tᵀ G(x_t) u_t,  u_t = x_{t+1} − x_t,  g_t = ∂_x [u_tᵀ G(x) u_t];
//   û minimises Σ_t (û_tᵀ G_t û_t + g_tᵀ x̂_t) subject to Σ û_t = x_T − x_0:
//   û_t = −½ G_t⁻¹ (μ + S_t),  S_t = Σ_{j>t} g_j,  μ = −(Σ G_t⁻¹)⁻¹ (2 (x_T − x_0) + Σ G_t⁻¹ S_t);
//   u ← α û + (1−α) u, α halved until E falls.
// Which is a gradient step preconditioned by 2 DᵀGD, D the differences along the curve, solved without a system that
// couples the nodes.
//
// scheme=published is that. scheme=symmetric, the default, is the same step for the energy of chords (see Manifold),
// G_t the mean of both ends, with three additions: the control problem is solved in the chart whitened by the mean
// metric and with roots of G, so that κ(J) is not squared; the second derivatives that the step leaves out are learnt
// by limited-memory BFGS around it; the chords are doubled until that no longer shortens the curve, which is then
// quintic with geodesic accelerations at its nodes.
//
// Cost: K+1 Jacobians and about K+1 values an iteration; second derivatives only for the accelerations of each level's
// curve. Published: two Jacobians and a weighted Hessian a node.
// Weaknesses: the convergence is linear (the paper says quadratic; the gradient falls by a constant factor, 0.65 to
// 0.94 on the sphere, as G is frozen), slow where the metric changes much along the curve; a symmetric start stays on a
// saddle. Published: the energy of left end points is of first order and can be cheated by a long last step on a
// coarse grid; its stopping rule has a scale; G must be far from singular: its curves seldom pass the certificate.
// Reproduces the iterations of the paper's table for the spheres S^2 … S^100: 9, 45, 26, 17, 17, 13, 7
// (tests/plugins/georce_test.cc, which for its time leaves out the last).
// Reference: Rygaard, Hauberg (2025), arXiv:2505.05961.
class PULLBACK_EXPORT GeorceSolver : public GeodesicSolver {
 public:
  explicit GeorceSolver(GeorceOptions options) : GeodesicSolver("georce"), options_(std::move(options)) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;
  RawSolution run_symmetric(const GeodesicProblem& problem, SolveContext& context) const;
  RawSolution run_published(const GeodesicProblem& problem, SolveContext& context) const;

  GeorceOptions options_;
};

}  // namespace pullback
