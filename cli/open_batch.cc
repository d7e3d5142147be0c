#include "pullback/cli/open_batch.h"

#include <fmt/core.h>

#include "pullback/analysis/parallel.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/progress.h"

namespace pullback::cli {

Batch open_batch(const SolveArguments& arguments, const KnownDimension& known) {
  Opener opener(arguments.plugins);
  Batch batch;
  batch.solver = opener.solvers().make(arguments.solver);
  batch.space = opener.open(arguments.generator, known);
  batch.time_limit = arguments.time_limit;
  batch.accuracy = arguments.accuracy;
  const int dimension = batch.space.dimension();
  batch.points = arguments.points.empty()
                     ? batch.space.codes
                     : read_table(arguments.points, dimension, fmt::format("a point of dimension {}", dimension));
  return batch;
}

void prepare_for_work(int threads) {
  finish_on_interrupt();
  if (thread_count(threads) > 1) use_one_blas_thread();
}

std::vector<GeodesicResult> solve_visibly(const Batch& batch, const std::vector<EndPoints>& pairs, int threads) {
  prepare_for_work(threads);
  Progress progress(static_cast<int>(pairs.size()));
  return solve_batch(batch, pairs, work_control(threads, progress));
}

}  // namespace pullback::cli
