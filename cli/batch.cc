#include "pullback/cli/batch.h"

#include <fmt/core.h>

#include <exception>
#include <stdexcept>

#include "pullback/cli/environment.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/parallel.h"

namespace pullback::cli {

Batch open_batch(const SolveArguments& arguments, const KnownDimension& known) {
  Session session(arguments.plugins);
  Batch batch;
  batch.solver = session.solvers().make(arguments.solver);
  batch.space = session.open(arguments.generator, known);
  batch.threads = thread_count(arguments.threads);
  batch.time_limit = arguments.time_limit;
  const int dimension = batch.space.dimension();
  batch.points = arguments.points.empty()
                     ? batch.space.codes
                     : read_table(arguments.points, dimension, fmt::format("a point of dimension {}", dimension));
  return batch;
}

GeodesicResult solve_interruptibly(const GeodesicSolver& solver, const GeodesicProblem& problem, double time_limit) {
  if (interrupted()) {
    GeodesicResult result;
    result.termination = Termination::kStopped;
    result.message = "interrupted before this pair was begun";
    result.solver = solver.name();
    return result;
  }
  SolveControl control;
  control.time_limit = time_limit;
  control.should_stop = interrupted;
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

std::vector<GeodesicResult> solve_batch(const Batch& batch, const std::vector<EndPoints>& pairs) {
  finish_on_interrupt();
  if (batch.threads > 1) use_one_blas_thread();
  std::vector<GeodesicResult> results(pairs.size());
  const int count = static_cast<int>(pairs.size());
  Progress progress(count);
  run_jobs(count, batch.threads, [&](int i) {
    const EndPoints& ends = pairs[static_cast<std::size_t>(i)];
    const GeodesicProblem problem{batch.space.manifold, ends.from, ends.to, {}, batch.points};
    results[static_cast<std::size_t>(i)] = solve_interruptibly(*batch.solver, problem, batch.time_limit);
    progress.advance(batch.solver->name());
  });
  return results;
}

}  // namespace pullback::cli
