// One geodesic on a torus, from two points to a measured curve.
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
  problem.manifold = std::make_shared<pullback::PullbackManifold>(generators.open("torus:R=3,r=1").generator);
  problem.from = Eigen::Vector2d(0.3, -0.4);
  problem.to = Eigen::Vector2d(-0.5, 0.6);
  const auto solver = solvers.make("graph+energy:nodes=64");
  const pullback::GeodesicResult result = solver->solve(problem);
  std::printf("%s: length %.6f, known to %.1e; κ(J) at most %.2f\n", to_string(result.termination),
              result.certificate.length, result.certificate.length_error, result.certificate.condition.kappa_max);
  for (const double t : {0.0, 0.5, 1.0}) {
    const pullback::Matrix z = result.curve.position(pullback::Vector::Constant(1, t));
    std::printf("z(%.1f) = (%.4f, %.4f)\n", t, z(0), z(1));
  }
  return result.termination == pullback::Termination::kConverged ? 0 : 1;
}
