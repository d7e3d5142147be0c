// Solves one geodesic on the unit sphere and compares its length with the arc between the points.
#include <cmath>
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
  const auto sphere = generators.open("sphere").generator;
  problem.manifold = std::make_shared<pullback::PullbackManifold>(sphere);
  problem.from = Eigen::Vector2d(0.8, 0.1);
  problem.to = Eigen::Vector2d(1.9, 1.3);
  const pullback::GeodesicResult result = solvers.make("energy")->solve(problem);

  const double arc = std::acos(sphere->value(problem.from).col(0).dot(sphere->value(problem.to).col(0)));
  const double error = std::abs(result.certificate.length / arc - 1);
  std::printf("%s, length %.9f, arc %.9f\n", to_string(result.termination), result.certificate.length, arc);
  constexpr double kAccuracy = 1e-6;  // what the energy solver promises on smooth surfaces
  return result.termination == pullback::Termination::kConverged && error < kAccuracy ? 0 : 1;
}
