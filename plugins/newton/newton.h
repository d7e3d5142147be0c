// Geodesics by Newton's method on the discrete energy, with its exact Hessian.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT NewtonOptions {
  // Chords of the coarsest curve; more where the initial curve needs them.
  int nodes = 16;
  // Refinement doubles the chords until the curve is exact to `tolerance`, or to this many.
  int max_nodes = 1024;
  // Stop refining at 2K chords when the curve of K chords has an excess ½ gᵀH⁻¹g / (2E) of at most 64 tolerance there:
  // a doubling divides the excess by 2⁸ in the limit, and by 2⁶ before it. 0: 2e-9 for an accuracy of 1e-6, in
  // proportion to it (tolerance_for).
  double tolerance = 0;
  // Iterations at each number of chords.
  int max_iterations = 200;

  template <class V>
  void visit(V&& visit) {
    visit("nodes", nodes, "chords of the coarsest curve; more where the initial curve needs them", 8, 65536);
    visit("max_nodes", max_nodes, "chords up to which the curve is refined", 8, 65536);
    visit("tolerance", tolerance,
          "refined until the curve is too long by at most about this fraction; 0: from the accuracy, 2e-9 at 1e-6", 0,
          1);
    visit("max_iterations", max_iterations, "iterations at each number of chords", 1, 1e6);
  }
};

// Newton–Levenberg–Marquardt on E_K = ½ K Σ ‖f(z_{i+1}) − f(z_i)‖², with the exact block-tridiagonal Hessian.
//
//   (H + μG) δ = −g,   z_i ← z_i + R_i⁻¹ δ_i,   H_ii = 2K I + R_i⁻ᵀ (Σ w ∂²f) R_i⁻¹,   H_{i,i+1} = −K Q_iᵀQ_{i+1},
//
// J = QR at every node, w = −K δ²f, G the part of H without second derivatives. All of it is in orthonormal frames of
// the tangent spaces, so that κ(J) plays no role, and nothing is formed that would square it. Where H is not positive
// definite, each chord's Hessian loses its negative part (projected Newton). From a saddle the curve moves off along
// the most negative direction of H.
//
// Coarse to fine: descent happens on few chords; from then on the steps solve for the gradient of the smooth energy, by
// seven-point differences, with that gradient's own derivative: the Hessian of E_K is its preconditioner, and the
// products Q_iᵀQ_j of near nodes are all that it takes besides. The nodes then lie on the continuous geodesic to
// O(K⁻⁶), the length is exact to O(K⁻¹²), and a doubling of the chords costs one iteration. Of a metric given directly,
// and by products, differences have five points and the Hessian of E_K stands in for the derivative (deferred
// correction): O(K⁻⁴) and O(K⁻⁸). The curve returned is quintic with geodesic accelerations. It is certified, and
// refined once more where the certificate finds it too long. Where f is not smooth, E_K itself is minimised on more and
// more chords.
//
// Where the manifold prefers products (many latent dimensions) no block is formed: steps are found by conjugate
// gradients on products with the Hessian, the flat Laplacian in a mean of the metric as preconditioner, and the lowest
// mode by Lanczos. Where negative curvature is met the Gauss–Newton part takes the place of H.
//
// Cost: K+1 Jacobians and K−1 weighted Hessians an iteration, or about ten Hessian products at every node and memory
// linear in nodes times dimensions; typically 5 to 15 iterations on 16 chords and one on each of 32, 64 and 128.
// Weaknesses: finds a geodesic near its start, not the shortest; coarse curves may cut through what they do not see,
// for which a finer start (nodes=64) helps; needs second derivatives (the network engine and surfaces have them, others
// difference them).
// Reference: the second variation as the Hessian of the discrete energy: Rumpf, Wirth (2015),
// doi:10.1093/imanum/dru027; deferred correction: Stetter (1978), doi:10.1007/BF01432879; truncated conjugate
// gradients: Steihaug (1983), doi:10.1137/0720042. No paper has a
// figure of this combination that could be reproduced; a test checks that the number of iterations does not depend on
// κ(J).
class PULLBACK_EXPORT NewtonSolver : public GeodesicSolver {
 public:
  explicit NewtonSolver(NewtonOptions options) : GeodesicSolver("newton"), options_(options) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  NewtonOptions options_;
};

}  // namespace pullback
