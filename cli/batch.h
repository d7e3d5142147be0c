// Solving many pairs in parallel.
#pragma once

#include <memory>
#include <vector>

#include "pullback/cli/commands.h"
#include "pullback/cli/session.h"
#include "pullback/solvers/solver.h"

namespace pullback::cli {

struct EndPoints {
  Vector from;
  Vector to;
};

// What to solve with, checked before any work.
struct Batch {
  OpenedSpace space;
  std::unique_ptr<GeodesicSolver> solver;
  Matrix points;  // for solvers that use them
  int threads = 1;
  double time_limit = 0;
};

// Errors: std::invalid_argument for an unknown generator, solver or option; pullback::Error for files.
// `known`: what the points that are given besides tell of the latent dimension.
Batch open_batch(const SolveArguments& arguments, const KnownDimension& known);

// The results in the order of the pairs, whatever the number of threads. After an interrupt those that did not run have
// the termination "stopped".
std::vector<GeodesicResult> solve_batch(const Batch& batch, const std::vector<EndPoints>& pairs);

// One solve that ends when the program is interrupted.
GeodesicResult solve_interruptibly(const GeodesicSolver& solver, const GeodesicProblem& problem, double time_limit);

}  // namespace pullback::cli
