// Geodesics by a fixed-point iteration on their accelerations.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT FixedPointOptions {
  // Points of the first mesh; as published.
  int points = 10;
  // The mesh is doubled up to this many points.
  int max_points = 320;
  // The published iteration stops when every |c̈ − a(c, ċ)|² ≤ coarse_tolerance · length², in every coordinate of the
  // whitened chart (in the paper, of the latent chart and without the length).
  double coarse_tolerance = 0.1;
  // Converged when (∫ ‖c̈ − a(c, ċ)‖²_M dt)^½ ≤ tolerance · length, between the points of the mesh too.
  // 0: 1e-4 for an accuracy of 1e-6, with its square root (tolerance_for).
  double tolerance = 0;
  // Converged also when ½ · mean square angle between the curves of this mesh and of the one before ≤ excess, by which
  // the one before was too long (and this one by much less).
  // 0: 1e-9 for an accuracy of 1e-6, in proportion to it.
  double excess = 0;
  // Iterations on one mesh; as published.
  int max_iterations = 1000;
  // Iterates that are combined after the published iteration; 0: none, the published step throughout.
  int memory = 20;
  // Descent steps on the starting curve where the published iteration fails or runs to a longer curve.
  int relaxation = 30;

  template <class V>
  void visit(V&& visit) {
    visit("points", points, "points of the first mesh", 3, 4096);
    visit("max_points", max_points, "points up to which the mesh is doubled; points: the first mesh alone", 3, 4096);
    visit("coarse_tolerance", coarse_tolerance, "squared residual at which the published iteration stops", 0, 1e6);
    visit("tolerance", tolerance,
          "residual of the geodesic equation, relative to the length; 0: from the accuracy, 1e-4 at 1e-6", 0, 1);
    visit("excess", excess,
          "fraction by which the mesh before may have been too long; 0: from the accuracy, 1e-9 at 1e-6", 0, 1e-2);
    visit("max_iterations", max_iterations, "iterations on one mesh", 1, 1e6);
    visit("memory", memory, "iterates that are combined after the published iteration; 0: none", 0, 200);
    visit("relaxation", relaxation, "descent steps on the start of the second stage; 0: none", 0, 1e6);
  }
};

// Finds the accelerations A at a mesh for which A = a(c_A, ċ_A), where c_A is the posterior mean of a Gaussian process,
// given A and the ends (acceleration_process.h), by a damped fixed-point iteration (iteration.h). Needs no derivative
// of the acceleration.
//
// First comes the published scheme: 10 points, from the accelerations of the initial curve (none for the straight
// line), α of 1, 0.33, 0.1089, up to its loose stop. What it finds is not a geodesic to any accuracy that the
// certificate accepts (on the tests' smooth problems it stops after 2 to 32 steps with lengths wrong by up to 1e-3), so
// that the iteration goes on to a tight tolerance, combining the iterates before (Anderson), which halves the steps
// where the plain ones contract slowly; then the mesh is doubled until the geodesic equation holds between its points,
// or the curve no longer turns. Everything is in the chart in which the mean metric along the relaxed start is the
// identity; the noise of the process is relative to the amplitude V, which makes it free of scale.
//
// Differences from the authors' code: theirs hands back the straight line when it fails; here the best curve met comes
// back, as stalled. Theirs inverts the Gram matrix of all coordinates; here one of the mesh alone is factorised,
// scaled.
//
// Undefined: as Manifold::acceleration. Errors: none of its own.
// Cost: N accelerations a trial; on smooth problems 10 to 40 trials on the first mesh and a few on each finer one.
// Memory and time O(N³) in the mesh, once for each.
// Weaknesses: the mesh is uniform and the process smooth, so that a geodesic that bends over a short part of its length
// (near a pole, on strongly curved decoders) needs more points than the Gram matrix allows, and ends as stalled; the
// iteration is not a descent and may end at a longer geodesic, or nowhere; it needs second derivatives and does not see
// kinks. Thread safety: solvers are immutable. Reference: Arvanitidis, Hauberg, Hennig, Schober (2019), Fast and robust
// shortest paths on manifolds learned from data, AISTATS, arXiv:1901.07229. Its figures compare run times and failures
// on data sets that are not shipped here; reproduced, and tested, are two claims: the iteration takes few steps, and an
// iteration costs N accelerations.
class PULLBACK_EXPORT FixedPointSolver : public GeodesicSolver {
 public:
  explicit FixedPointSolver(FixedPointOptions options) : GeodesicSolver("fixed_point"), options_(options) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  FixedPointOptions options_;
};

}  // namespace pullback
