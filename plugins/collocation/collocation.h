// Geodesics by collocation with residual control.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT CollocationOptions {
  // Intervals of the mesh to begin with.
  int intervals = 32;
  // The mesh is refined up to this many.
  int max_intervals = 2000;
  // Converged when (∫ ‖c̈ − a(c, ċ)‖²_M dt)^½ ≤ tolerance · length; intervals where the mean residual is above are
  // split. Where the second variation is not smaller than in flat space, the curve is then too long by the fraction
  // ½ (tolerance/π)² = 5e-9 at most; what is left alternates from node to node, so that it is 1e-12 in practice.
  // 0: 3e-4 for an accuracy of 1e-6, with its square root (tolerance_for).
  double tolerance = 0;
  // Descent steps on the starting curve before the first mesh.
  int relaxation = 30;
  // Newton iterations on one mesh.
  int max_iterations = 50;

  template <class V>
  void visit(V&& visit) {
    visit("intervals", intervals, "intervals of the mesh to begin with", 2, 65536);
    visit("max_intervals", max_intervals, "intervals up to which the mesh is refined; intervals: no refinement", 2,
          65536);
    visit("tolerance", tolerance,
          "residual of the geodesic equation, relative to the length; 0: from the accuracy, 3e-4 at 1e-6", 0, 1);
    visit("relaxation", relaxation, "descent steps on the starting curve before the first mesh; 0: none", 0, 1e6);
    visit("max_iterations", max_iterations, "Newton iterations on one mesh", 1, 1e6);
  }
};

// Solves the boundary value problem c̈ = a(c, ċ), c(0) = from, c(1) = to by collocation on a mesh that adapts itself.
//
// The equations (Lobatto, three stages, order 4) and Newton's method are in lobatto.h. The curve returned is the
// quintic through positions, velocities and geodesic accelerations at the mesh; by how much it fails the equation
// between them is measured, as in bvp4c and bvp5c, in the metric. An interval above the tolerance gets one new node,
// one far above it two, until the curve as a whole is within. Everything is computed in the chart in which the mean
// metric along the start is the identity, steps and residuals in the metric where they are, so that κ(J) and shear play
// no role.
//
// Starts, like shooting, from the initial curve relaxed by a few Gauss–Newton steps on the energy of 32 chords; where
// Newton's method does not converge from there, or runs to a longer geodesic, from one relaxed further, on a finer
// mesh.
//
// Undefined: as Manifold::acceleration. Errors: none of its own.
// Cost: a mesh of m intervals takes 2n(2m+1) accelerations for a derivative, of which one or two are needed a mesh,
// 2m+1 for every step and 6m for the residual; at the default tolerance m ends between 32 and 200 on smooth problems.
// Weaknesses: needs second derivatives; does not see kinks; finds the geodesic next to its start, minimal or not; where
// the metric is singular on the way the mesh grows until its limit. Nodes are never taken away again, unlike in bvp4c.
// Thread safety: solvers are immutable.
// Reference: Kierzenka, Shampine (2001), doi:10.1145/502800.502801 (residual control); Kierzenka, Shampine (2008),
// JNAIAM 3, 27–41 (bvp5c); Deuflhard (2011), doi:10.1007/978-3-642-23899-4 (damping). The example with which bvp4c is
// documented (y″ + |y| = 0) and those of the two papers are no geodesics, so that none of their figures can be shown
// here; what they claim is tested instead: order 4 (3 for the residual), and nodes where the solution bends.
class PULLBACK_EXPORT CollocationSolver : public GeodesicSolver {
 public:
  explicit CollocationSolver(CollocationOptions options) : GeodesicSolver("collocation"), options_(options) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  CollocationOptions options_;
};

}  // namespace pullback
