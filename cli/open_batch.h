// What the command line says to solve with.
#pragma once

#include <vector>

#include "pullback/analysis/batch.h"
#include "pullback/cli/commands.h"
#include "pullback/spaces/opener.h"

namespace pullback::cli {

// Opens everything and checks it before any work.
// Errors: std::invalid_argument for an unknown generator, solver or option; pullback::Error for files.
// `known`: what the points that are given besides tell of the latent dimension.
Batch open_batch(const SolveArguments& arguments, const KnownDimension& known);

// From now on Ctrl-C asks the work to end with what it has, and with several threads BLAS has one.
void prepare_for_work(int threads);

// solve_batch() with a line of progress, prepared as above. `threads`: 0 for one for each processor.
std::vector<GeodesicResult> solve_visibly(const Batch& batch, const std::vector<EndPoints>& pairs, int threads);

}  // namespace pullback::cli
