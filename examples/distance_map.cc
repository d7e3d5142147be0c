// Whether a local solver found the shortest curves: distances from one point by fronts and by other chains.
#include <cstdio>
#include <memory>

#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/plugins/builtin.h"

int main() {
  pullback::SolverRegistry solvers;
  pullback::GeneratorRegistry generators;
  pullback::PluginRegistrar registrar{solvers, generators};
  pullback::register_builtin_plugins(registrar);

  pullback::GeodesicProblem problem;
  problem.manifold = std::make_shared<pullback::PullbackManifold>(generators.open("rbf-variance").generator);
  problem.from = Eigen::Vector2d(2, 0);
  const auto global = solvers.make("wavefront+energy");
  const auto sampled = solvers.make("graph+energy");
  const auto local = solvers.make("energy");
  bool shortest = true;
  std::printf("to              wavefront+energy  graph+energy  energy\n");
  for (const double y : {-1.0, 0.0, 1.0}) {
    problem.to = Eigen::Vector2d(-2, y);
    const double distance = global->solve(problem).certificate.length;
    const double by_graph = sampled->solve(problem).certificate.length;
    std::printf("(-2, %4.1f)      %16.6f  %12.6f  %.6f\n", y, distance, by_graph,
                local->solve(problem).certificate.length);
    shortest = shortest && distance <= by_graph * (1 + 1e-6);
  }
  return shortest ? 0 : 1;
}
