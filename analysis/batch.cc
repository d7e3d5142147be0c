#include "pullback/analysis/batch.h"

#include <exception>
#include <stdexcept>

#include "pullback/analysis/parallel.h"

namespace pullback {

GeodesicResult solve_interruptibly(const GeodesicSolver& solver, const GeodesicProblem& problem, double time_limit,
                                   const std::function<bool()>& should_stop, double accuracy) {
  if (should_stop && should_stop()) {
    GeodesicResult result;
    result.termination = Termination::kStopped;
    result.message = "interrupted before this pair was begun";
    result.solver = solver.name();
    return result;
  }
  SolveControl control;
  control.time_limit = time_limit;
  control.should_stop = should_stop;
  control.accuracy = accuracy;
  try {
    return solver.solve(problem, control);
  } catch (const std::invalid_argument&) {
    throw;
  } catch (const std::exception& error) {  // memory, say: the other pairs may not need as much
    GeodesicResult result;
    result.message = error.what();
    result.solver = solver.name();
    return result;
  }
}

std::vector<GeodesicResult> solve_batch(const Batch& batch, const std::vector<EndPoints>& pairs,
                                        const WorkControl& control) {
  std::vector<GeodesicResult> results(pairs.size());
  run_jobs(static_cast<int>(pairs.size()), control, [&](int i) {
    const EndPoints& ends = pairs[static_cast<std::size_t>(i)];
    const GeodesicProblem problem{batch.space.manifold, ends.from, ends.to, {}, batch.points};
    results[static_cast<std::size_t>(i)] =
        solve_interruptibly(*batch.solver, problem, batch.time_limit, control.should_stop, batch.accuracy);
    control.advance(batch.solver->name());
  });
  return results;
}

}  // namespace pullback
