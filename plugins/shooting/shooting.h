// Geodesics by shooting: the initial velocity that hits the other end.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct PULLBACK_EXPORT ShootingOptions {
  // Segments that are shot separately; 0: one, and where that fails 4, then 16.
  int segments = 0;
  // Converged when ‖miss‖ ≤ tolerance · length, in the metric at the ends of the segments.
  // 0: 1e-9 for an accuracy of 1e-6, with its square root (tolerance_for).
  double tolerance = 0;
  // Descent steps on the starting curve before the first shot.
  int relaxation = 30;
  // Newton iterations of one attempt.
  int max_iterations = 50;
  // Error allowed in a step of the geodesic equation, relative to the length.
  // 0: 1e-11 for an accuracy of 1e-6, with its square root.
  double ode_tolerance = 0;

  template <class V>
  void visit(V&& visit) {
    visit("segments", segments, "segments shot separately; 0: one, then 4, then 16 as needed", 0, 256);
    visit("tolerance", tolerance,
          "miss at the ends of segments, relative to the length; 0: from the accuracy, 1e-9 at 1e-6", 0, 1e-2);
    visit("relaxation", relaxation, "descent steps on the starting curve before the first shot; 0: none", 0, 1e6);
    visit("max_iterations", max_iterations, "Newton iterations of one attempt", 1, 1e6);
    visit("ode_tolerance", ode_tolerance,
          "error of a step of the geodesic equation, relative to the length; 0: from the accuracy, 1e-11 at 1e-6", 0,
          1e-3);
  }
};

// Solves the boundary value problem c̈ = a(c, ċ), c(0) = from, c(1) = to by Newton's method on initial values.
//
// With joints t_i = i/m and the geodesic flow φ of duration 1/m, the unknowns are the velocity at the start and
// position and velocity at every joint inside:
//   φ(z_i, v_i) = (z_{i+1}, v_{i+1}),  i < m−1,   φ_z(z_{m−1}, v_{m−1}) = to.
// m = 1 is single shooting. Derivatives come from the variational equation, integrated with the flow. Joints are
// whitened by their metric, so that in flat space the system is that of straight lines whatever κ(J) is. A step is
// halved until the next (simplified) Newton correction is shorter than this one, a test that no linear change of chart
// or of the residuals affects. Flows are integrated only as exactly as the miss deserves until the end.
//
// Starts from the initial curve at constant speed, relaxed by a few Gauss–Newton steps on the energy of 32 chords,
// which cost little and keep Newton's method, which seeks any stationary curve, from running to a longer one. A
// geodesic longer than that start is not taken while there is something left to try. The last miss is spread linearly
// over the curve, which ends in `to` exactly.
//
// Cost: an iteration integrates m short geodesics with 4n+1 accelerations a stage; 100 to 300 steps altogether at the
// default tolerance, 2 to 5 iterations.
// Weaknesses: needs second derivatives and does not see kinks; finds the geodesic next to its start, minimal or not;
// where conjugate points are close to the end, or geodesics diverge quickly (negative curvature), one segment is too
// few; single shooting from a bad start may go round the manifold. It cannot pass a point where the metric is singular.
// Reference: Keller (1968), Numerical Methods for Two-Point Boundary-Value Problems; Deuflhard (2011), Newton Methods
// for Nonlinear Problems, doi:10.1007/978-3-642-23899-4 (damping).
class PULLBACK_EXPORT ShootingSolver : public GeodesicSolver {
 public:
  explicit ShootingSolver(ShootingOptions options) : GeodesicSolver("shooting"), options_(options) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override;

  ShootingOptions options_;
};

}  // namespace pullback
