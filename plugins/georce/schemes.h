// The two discretisations of the energy that GEORCE is run on.
#pragma once

#include "pullback/manifold/manifold.h"
#include "pullback/solvers/refinement.h"

namespace pullback {

struct SymmetricBounds {
  double energy_tolerance;
  int max_iterations;
  int memory;
};

// Moves the interior columns of `nodes` (n×(K+1)) to a minimum of the energy of chords E_K (see Manifold).
// Iterations are recorded from `first_iteration` on.
// Cost: K+1 Jacobians and K+1 values an iteration, K+1 values more for every halving of the step.
EnergyRun minimise_symmetric(const Manifold& manifold, Matrix& nodes, const SymmetricBounds& bounds,
                             int first_iteration, SolveContext& context);

struct PublishedBounds {
  double gradient_tolerance;
  int max_iterations;
};

// The same for the energy of left end points, Σ_t u_tᵀ G(x_t) u_t, exactly as published; energies in the result are
// those.
// Cost: two Jacobians and a weighted Hessian a node and iteration, and a Jacobian for every halving of the step.
EnergyRun minimise_published(const Manifold& manifold, Matrix& nodes, const PublishedBounds& bounds,
                             SolveContext& context);

}  // namespace pullback
