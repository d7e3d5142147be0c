// The discrete energy of a curve as a Ceres problem.
#pragma once

#include <string>

#include "pullback/manifold/manifold.h"
#include "pullback/solvers/iteration_status.h"
#include "pullback/solvers/solver.h"

namespace pullback {

struct Minimisation {
  IterationStatus status = IterationStatus::kNotFinite;
  int iterations = 0;
  double initial_energy = 0;
  double final_energy = 0;
  std::string failure;  // what Ceres said of it; empty: nothing
};

struct MinimisationOptions {
  double energy_tolerance;
  int max_iterations;
  HessianModel hessian;
};

// Moves the interior columns of `nodes` (n×(K+1)) to a minimum of E_K. Iterations are recorded in the context from
// `first_iteration` on.
Minimisation minimise_discrete_energy(const Manifold& manifold, Matrix& nodes, const MinimisationOptions& options,
                                      int first_iteration, SolveContext& context);

}  // namespace pullback
