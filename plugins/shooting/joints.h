// Multiple shooting: the Newton iteration on the joints of a geodesic.
#pragma once

#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"
#include "pullback/solvers/iteration_status.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// Where segments start: positions and velocities, n×m each. A velocity is per segment: exp_{z_i}(w_i) ≈ z_{i+1}.
struct Joints {
  Matrix positions;
  Matrix velocities;
};

struct ShootingBounds {
  double tolerance;
  double ode_tolerance;
  int max_iterations;
};

struct Shot {
  IterationStatus status = IterationStatus::kNotFinite;
  Joints joints;
  Curve curve;  // where converged: the geodesic, ending in the target exactly
  double length = 0;
  double miss = 0;  // relative to the length
  int iterations = 0;
};

// Joints on a curve of constant speed at t = 0, 1/m, …, (m−1)/m.
Joints joints_on(const Curve& curve, int segments);

// Newton's method from the given joints to the target; iterations are recorded from `first_iteration` on.
//
// Cost: per iteration the flow of every segment with sensitivities, and without for every trial; one sparse LU of size
// 2nm. Thread safety: one workspace (in the context) per thread.
Shot shoot(const Manifold& manifold, Joints joints, const ConstVectorRef& target, const ShootingBounds& bounds,
           int first_iteration, SolveContext& context);

}  // namespace pullback
