// A discrete curve on its way to a geodesic.
#pragma once

#include <memory>

#include "pullback/manifold/manifold.h"
#include "pullback/plugins/newton/curve_model.h"
#include "pullback/solvers/iteration_status.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// The nodes of a discrete curve with fixed ends, and Newton's method on them.
//
// The excess of a curve is the decrement relative to its
// energy, ½ gᵀH⁻¹g / (2E): the fraction by which it is longer than the geodesic nearby.
// Cost: K+1 Jacobians and K−1 weighted Hessians an iteration, or about ten Hessian products of every node where the
// manifold prefers these; K+1 values a trial after one that failed.
// Thread safety: none.
class MovingCurve {
 public:
  // nodes: n×(K+1), K ≥ 6.
  MovingCurve(const Manifold& manifold, Matrix nodes, SolveContext& context);

  const Matrix& nodes() const { return nodes_; }
  int chords() const { return static_cast<int>(nodes_.cols()) - 1; }
  int iterations() const { return iterations_; }

  // Replaces all nodes; their number may change.
  void replace(Matrix nodes);

  // Newton–Levenberg–Marquardt on E_K until the excess is at most `tolerance`: the exact Hessian where it is positive
  // definite, otherwise that of each chord without its negative part, damped by the Gauss–Newton part. kSaddle: at a
  // stationary point that is not a minimum.
  IterationStatus descend(double tolerance, int max_iterations);

  // Newton's method for the gradient of the smooth energy, with that gradient's own derivative where it is known, else
  // with the Hessian of E_K (deferred correction): that gradient is exact to O(K⁻⁶), or O(K⁻⁴), the gradient of E_K
  // only to O(K⁻²). Calls descend() first if the curve is too far off. Stops after the step that starts from an excess
  // of at most `tolerance`; the excess that remains is not measured. *excess: that of the curve before the first step.
  // kUnresolved: the energy of chords and that of curves disagree.
  IterationStatus correct(double tolerance, int max_iterations, double* excess);

  // Whether the last step of correct() was one with that gradient's own derivative: the next leaves the square of its
  // error.
  bool exact_corrections() const { return exact_corrections_; }

  // Moves along the most negative direction of the second variation, to the lowest of a few energies on both sides.
  // False: none is lower, or no direction is negative.
  bool leave_saddle();

  // Doubles the number of chords. The new nodes lie on a smooth curve through the old ones; if that raises the energy
  // too far, on a less smooth one, or in the middles of the chords. False: the old chords jumped over a feature of the
  // map.
  bool refine();

  // Evaluates what a step needs, unless that is done for these nodes. False: something is not finite.
  bool linearise();

  // E_K of the nodes where last linearised.
  double energy() const { return energy_; }

 private:
  Matrix moved(const Matrix& moves) const;
  bool definite();
  bool try_step(const CurveModel::Step& step, double& damping);

  const Manifold& manifold_;
  Matrix nodes_;
  SolveContext& context_;
  std::unique_ptr<CurveModel> model_;   // of the nodes; null: not made yet
  std::unique_ptr<CurveModel> before_;  // the last one, for what it hands on
  bool known_definite_ = false;         // the Hessian, on a curve from which this one was made
  bool last_trial_failed_ = false;
  bool exact_corrections_ = false;
  double energy_ = 0;
  int iterations_ = 0;
};

// Nodes between the nodes by polynomials of seventh degree: K+1 columns give 2K+1. K ≥ 7.
Matrix with_midpoints(const ConstMatrixRef& nodes);

}  // namespace pullback
