// Solving many pairs in parallel.
#pragma once

#include <memory>
#include <vector>

#include "pullback/analysis/work_control.h"
#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

struct PULLBACK_EXPORT EndPoints {
  Vector from;
  Vector to;
};

// A space and what to solve with on it.
struct PULLBACK_EXPORT Batch {
  OpenedSpace space;
  std::unique_ptr<GeodesicSolver> solver;
  Matrix points;           // n×K, for solvers that use them; may be empty
  double time_limit = 0;   // seconds for each pair; 0: none
  double accuracy = 1e-6;  // relative, of the length; see SolveControl
};

// The results in the order of the pairs, whatever the number of threads. Once stopped, those that did not run have the
// termination "stopped"; one that ran out of memory, say, is a numerical failure with the message.
// Calls control.advanced after each pair, with the solver's name.
// Errors: std::invalid_argument for ends of another dimension than the space's.
PULLBACK_EXPORT std::vector<GeodesicResult> solve_batch(const Batch& batch, const std::vector<EndPoints>& pairs,
                                                        const WorkControl& control = {});

// One solve that ends when asked to and turns every exception but a caller's mistake into a result: see solve_batch().
PULLBACK_EXPORT GeodesicResult solve_interruptibly(const GeodesicSolver& solver, const GeodesicProblem& problem,
                                                   double time_limit, const std::function<bool()>& should_stop,
                                                   double accuracy = 1e-6);

}  // namespace pullback
