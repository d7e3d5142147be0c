// The discrete energy of a curve as a Ceres problem.
#pragma once

#include "pullback/manifold/manifold.h"
#include "pullback/solvers/refinement.h"

namespace pullback {

struct MinimisationOptions {
  double energy_tolerance;
  int max_iterations;
  HessianModel hessian;
};

// Moves the interior columns of `nodes` (n×(K+1)) to a minimum of E_K. Iterations are recorded in the context from
// `first_iteration` on.
EnergyRun minimise_discrete_energy(const Manifold& manifold, Matrix& nodes, const MinimisationOptions& options,
                                   int first_iteration, SolveContext& context);

}  // namespace pullback
