// Geodesics as minimisers of the discrete energy, by Ceres.
#pragma once

#include <string>

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT EnergyOptions {
  // Chords of the discrete curve to begin with.
  int nodes = 64;
  // Refinement doubles the chords until that would shorten the curve by less than `tolerance`, or to this many.
  int max_nodes = 1024;
  // Stop refining at 2K chords when (E_2K(c_K) − E_2K(c_2K)) / (2E), by which the curve of K chords was too long, is at
  // most 8 tolerance: the excess falls by 16 with a doubling.
  // 0: 2e-8 for an accuracy of 1e-6, in proportion to it (tolerance_for).
  double tolerance = 0;
  // Stop iterating when |ΔE| ≤ energy_tolerance · E.
  // 0: 1e-11 for an accuracy of 1e-6, in proportion to it.
  double energy_tolerance = 0;
  // Iterations at each number of chords.
  int max_iterations = 300;
  // Model of the energy's Hessian, see HessianModel. Where f is not smooth it is always gauss-newton.
  std::string hessian = "projected-newton";

  template <class V>
  void visit(V&& visit) {
    visit("nodes", nodes, "chords of the discrete curve to begin with", 8, 65536);
    visit("max_nodes", max_nodes, "chords up to which the curve is refined; nodes: no refinement", 8, 65536);
    visit("tolerance", tolerance,
          "refined until the curve is too long by at most about this fraction; 0: from the accuracy, 2e-8 at 1e-6", 0,
          1);
    visit("energy_tolerance", energy_tolerance,
          "stops when an iteration lowers the energy by at most this fraction; 0: from the accuracy, 1e-11 at 1e-6", 0,
          1);
    visit("max_iterations", max_iterations, "iterations at each number of chords", 1, 1e6);
    visit("hessian", hessian,
          "model of the energy's Hessian; gauss-newton needs no second derivatives and more iterations",
          {"projected-newton", "gauss-newton"});
  }
};

// Minimises E_K = ½ Σ ‖r_i‖², r_i = √K (f(z_{i+1}) − f(z_i)), over the interior nodes, by Ceres' Levenberg–Marquardt.
//
// One batched evaluation per point in an EvaluationCallback. Each block is compressed to 2n+1 rows
// (Manifold::segments) that model its Hessian, by default with the exact second derivatives of f less their negative
// part: Gauss–Newton overestimates the Hessian by |II(ċ,·)|², the bending of the surface in its ambient space, which on
// trained decoders costs it hundreds of iterations (projected Newton: Teran et al. 2005, doi:10.1145/1073368.1073394).
// Each node's step is whitened by its metric through a ceres::Manifold, z ← z + R⁻¹δ, so that the normal equations look
// like a discrete Laplacian whatever κ(J) is. After convergence the nodes are doubled, as long as that shortens the
// curve, and the curve returned is quintic with geodesic accelerations at its nodes. From 16 dimensions on the same
// steps are computed by block elimination, which can be stopped within a step, unlike Ceres' sparse factorisation.
//
// Cost: K+1 Jacobians and K−1 weighted Hessians an iteration, K+1 values a rejected step; typically 5 to 30 iterations.
// Weaknesses: linear convergence where the sectional curvature along the curve is positive, the slower the closer a
// conjugate point is; a symmetric start stays on a saddle (which the
// certificate says); where f has kinks the interpolant is only first-order accurate.
// Reference: Shao, Kumar, Fletcher (2018), doi:10.1109/CVPRW.2018.00071 (the energy); Agarwal, Mierle et al., Ceres
// Solver.
class PULLBACK_EXPORT EnergySolver : public GeodesicSolver {
 public:
  explicit EnergySolver(EnergyOptions options) : GeodesicSolver("energy"), options_(options) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  EnergyOptions options_;
};

}  // namespace pullback
