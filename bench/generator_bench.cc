// How close the native network comes to the arithmetic floor, on the decoder that the shipped models have:
// 2-32-128-784, tanh inside and sigmoid outside.
//
// "floor" is the processor time over the time that the multiply-adds of the matrix products alone would take on one
// core at the rate measured at the start of the same run; activations and memory are not in the floor.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "environment.h"
#include "multiply_add_rate.h"
#include "pullback/generators/network/network.h"

namespace pullback::bench {
namespace {

constexpr int kSizes[] = {2, 32, 128, 784};
constexpr int kLatent = kSizes[0];
constexpr int kAmbient = kSizes[3];

Matrix random_matrix(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  return Matrix::NullaryExpr(rows, cols, [&] { return normal(engine); });
}

const Network& decoder() {
  static const Network network([] {
    std::vector<Layer> layers;
    for (unsigned i = 0; i < 3; ++i) {
      layers.push_back({random_matrix(kSizes[i + 1], kSizes[i], i) / std::sqrt(kSizes[i]),
                        random_matrix(kSizes[i + 1], 1, 10 + i), parse_activation(i < 2 ? "tanh" : "sigmoid")});
    }
    return layers;
  }());
  return network;
}

// Operations of one pass of one column through all layers.
double flops_per_column() {
  double flops = 0;
  for (const Layer& layer : decoder().layers()) flops += 2.0 * static_cast<double>(layer.weight.size());
  return flops;
}

double floor_rate() {
  static const double rate = multiply_add_rate(active_instruction_set());
  return rate;
}

// Inputs and outputs of all operations on a batch.
struct Batch {
  explicit Batch(int points)
      : Z(random_matrix(kLatent, points, 1)),
        V(random_matrix(kLatent, points, 2)),
        W(random_matrix(kAmbient, points, 3)),
        X(kAmbient, points),
        J(kAmbient, kLatent * points),
        D(kAmbient, points),
        G(kLatent, points),
        H(kLatent, kLatent * points) {}

  Matrix Z, V, W, X, J, D, G, H;
  Workspace ws;
};

// `columns`: how many columns per point the operation sends through the products.
template <typename Operation>
void run(benchmark::State& state, int columns, Operation operation) {
  const auto points = static_cast<int>(state.range(0));
  Batch batch(points);
  const std::clock_t start = std::clock();
  for (auto _ : state) {
    operation(batch);
    benchmark::ClobberMemory();
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const double flops = flops_per_column() * columns * points;
  state.counters["floor"] = seconds * floor_rate() / (flops * static_cast<double>(state.iterations()));
  state.counters["flops"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

void value(benchmark::State& state) {
  run(state, 1, [](Batch& b) { decoder().value(b.Z, b.X, b.ws); });
}
void value_and_jacobian(benchmark::State& state) {
  run(state, kLatent + 1, [](Batch& b) { decoder().value_and_jacobian(b.Z, b.X, b.J, b.ws); });
}
void second_order(benchmark::State& state) {
  run(state, kLatent + 2, [](Batch& b) { decoder().second_order(b.Z, b.V, b.X, b.J, b.D, b.ws); });
}
void vjp(benchmark::State& state) {
  run(state, 2, [](Batch& b) { decoder().vjp(b.Z, b.W, b.G, b.ws); });
}
void weighted_hessian(benchmark::State& state) {
  run(state, kLatent + 2, [](Batch& b) { decoder().weighted_hessian(b.Z, b.W, b.H, b.ws); });
}

void register_benchmarks() {
  using Function = void (*)(benchmark::State&);
  const std::pair<const char*, Function> operations[] = {{"value", value},
                                                         {"value_and_jacobian", value_and_jacobian},
                                                         {"second_order", second_order},
                                                         {"vjp", vjp},
                                                         {"weighted_hessian", weighted_hessian}};
  for (const auto& [name, function] : operations) {
    auto* registered = benchmark::RegisterBenchmark(name, function)->ArgName("points")->Unit(benchmark::kMicrosecond);
    for (const int points : {1, 16, 64, 256}) registered->Arg(points);
  }
}

}  // namespace
}  // namespace pullback::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  pullback::bench::describe_environment();
  char rate[32];
  std::snprintf(rate, sizeof rate, "%.1f Gflop/s on one core", 1e-9 * pullback::bench::floor_rate());
  benchmark::AddCustomContext("multiply-add rate", rate);
  pullback::bench::register_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
