// What the energy solver adds to the evaluation of its generator: 64 chords on the shipped mnist-vae.
//
// Each iteration solves the same pairs of codes. After each solve the same numbers of values, Jacobians and weighted
// Hessians are evaluated alone, in batches as the solver's, so that both sides of the ratio come from the same minute
// of the same machine. Counters: "over_generator", solver time over that of its evaluations alone (the target is at
// most 3); "with_certificate", solver and certificate over the same; both medians over the pairs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "environment.h"
#include "pullback/base/statistics.h"
#include "pullback/generators/network/model_file.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/plugins/builtin.h"

namespace pullback::bench {
namespace {

constexpr int kChords = 64;
constexpr int kPairs = 11;

// Seconds of evaluating what was counted, in batches of the solver's size.
double generator_seconds(const Generator& f, const EvaluationCounts& counts, const Matrix& Z) {
  const Eigen::Index n = Z.rows();
  const Eigen::Index batch = Z.cols();
  Workspace ws;
  Matrix X(f.ambient_dimension(), batch);
  Matrix J(f.ambient_dimension(), n * batch);
  Matrix H(n, n * batch);
  const Matrix W = Matrix::Constant(f.ambient_dimension(), batch, 0.1);
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t done = 0; done < counts.values; done += batch) f.value(Z, X, ws);
  for (std::int64_t done = 0; done < counts.jacobians; done += batch) f.value_and_jacobian(Z, X, J, ws);
  for (std::int64_t done = 0; done < counts.second_derivatives; done += batch) f.weighted_hessian(Z, W, H, ws);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void energy(benchmark::State& state, const char* hessian) {
  const ModelFile model = read_model(PULLBACK_MODELS "/mnist-vae.safetensors");
  SolverRegistry solvers;
  GeneratorRegistry generators;
  PluginRegistrar registrar{solvers, generators};
  register_builtin_plugins(registrar);
  const auto solver = solvers.make("energy:nodes=" + std::to_string(kChords) + ",max_nodes=" + std::to_string(kChords) +
                                   ",hessian=" + hessian);
  GeodesicProblem problem;
  problem.manifold = std::make_shared<PullbackManifold>(model.decoder);
  std::vector<double> alone;
  std::vector<double> all;
  for (auto _ : state) {
    for (int pair = 0; pair < kPairs; ++pair) {
      problem.from = model.codes.col(97 * pair);
      problem.to = model.codes.col(1000 + 89 * pair);
      const GeodesicResult result = solver->solve(problem);
      const Matrix Z = result.curve.position(uniform_times(kChords));
      const double generator = generator_seconds(*model.decoder, result.effort.evaluations, Z);
      alone.push_back(result.effort.solver_seconds / generator);
      all.push_back(result.effort.seconds / generator);
    }
  }
  state.counters["over_generator"] = quantile(alone, 0.5);
  state.counters["with_certificate"] = quantile(all, 0.5);
}

}  // namespace
}  // namespace pullback::bench

int main(int argc, char** argv) {
  using pullback::bench::energy;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  pullback::bench::describe_environment();
  for (const char* hessian : {"projected-newton", "gauss-newton"}) {
    benchmark::RegisterBenchmark(hessian, energy, hessian)->Unit(benchmark::kMillisecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
