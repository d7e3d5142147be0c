// How time and memory of one geodesic grow with the latent dimension, certificate included: newton on the sphere in its
// stereographic chart, and on random networks (outputs 2d, hidden units 3d), by products and by blocks.
//
// Each row is one solve, one thread: seconds of the solver and of the certificate, points evaluated, relative error of
// the length where it is known, and the largest resident memory of the process so far. Pairs are fixed. --blocks adds
// rows by blocks, which shows from which dimension on products are cheaper (PullbackManifold).
#include <fmt/core.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "environment.h"
#include "pullback/base/random.h"
#include "pullback/generators/surfaces/curved_maps.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/plugins/builtin.h"

namespace pullback::bench {
namespace {

double resident_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

struct Registries {
  Registries() {
    PluginRegistrar registrar{solvers, generators};
    register_builtin_plugins(registrar);
    register_curved_maps(generators);
  }
  SolverRegistry solvers;
  GeneratorRegistry generators;
};

// The angle between the images of two points of the stereographic chart.
double sphere_distance(const Generator& f, const Vector& a, const Vector& b) {
  const Vector x = f.value(a);
  const Vector y = f.value(b);
  return 2 * std::atan2((x - y).norm(), (x + y).norm());
}

void solve(const Registries& registries, const std::string& name, int dimension, PullbackManifold::Products products) {
  const auto f = registries.generators.open(fmt::format("{}:d={}", name, dimension)).generator;
  GeodesicProblem problem;
  problem.manifold = std::make_shared<PullbackManifold>(f, products);
  Random random(11);
  problem.from = random.normal_matrix(dimension, 1) * (0.5 / std::sqrt(dimension));
  problem.to = random.normal_matrix(dimension, 1) * (1.0 / std::sqrt(dimension));
  const GeodesicResult result = registries.solvers.make("newton")->solve(problem);
  const auto& counts = result.effort.evaluations;
  std::string error = "-";
  if (name == "sphere-stereographic") {
    const double known = sphere_distance(*f, problem.from, problem.to);
    error = fmt::format("{:.1e}", std::abs(result.certificate.length / known - 1));
  }
  fmt::print("{:<22} {:>5}  {:<8} {:<12} {:>8.3f} {:>8.3f} {:>9} {:>9} {:>9} {:>9}  {:>8} {:>8.0f}\n", name, dimension,
             problem.manifold->prefers_products() ? "products" : "blocks", to_string(result.termination),
             result.effort.solver_seconds, result.effort.seconds - result.effort.solver_seconds, counts.values,
             counts.jacobians, counts.second_derivatives, counts.products, error, resident_megabytes());
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  using Products = PullbackManifold::Products;
  const bool blocks = argc > 1 && std::strcmp(argv[1], "--blocks") == 0;
  const bool one = argc == 3 && !blocks;
  if (argc > 1 && !blocks && !one) {
    fmt::print(stderr, "dimension_bench: expected nothing, --blocks, or GENERATOR and DIMENSION, got '{}'\n", argv[1]);
    return 2;
  }
  fmt::print("processor: {}; networks: {}; BLAS: {}; OPENBLAS_CORETYPE: {}\n", processor(), active_instruction_set(),
             blas(), environment_variable("OPENBLAS_CORETYPE"));
  fmt::print("{:<22} {:>5}  {:<8} {:<12} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}  {:>8} {:>8}\n", "generator", "d", "by",
             "termination", "solver s", "cert. s", "values", "Jacobians", "Hessians", "products", "error", "MB");
  const Registries registries;
  if (one) {
    solve(registries, argv[1], std::atoi(argv[2]), Products::kWhereCheaper);
    return 0;
  }
  for (const int d : {2, 4, 8, 12, 16, 24, 32, 64, 128, 256}) {
    solve(registries, "random-network", d, blocks ? Products::kAlways : Products::kWhereCheaper);
    if (blocks && d <= 64) solve(registries, "random-network", d, Products::kNever);
  }
  for (const int d : {2, 10, 30, 100, 300, 1000}) solve(registries, "sphere-stereographic", d, Products::kWhereCheaper);
  return 0;
}

}  // namespace
}  // namespace pullback::bench

int main(int argc, char** argv) { return pullback::bench::run(argc, argv); }
