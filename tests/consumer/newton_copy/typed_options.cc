// typed_options PLUGIN: solvers of a loaded plugin from an options struct, which only the plugin's header declares.
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>

#include "copied/newton.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/plugins/builtin.h"
#include "pullback/solvers/plugin_loader.h"

namespace {

int run(const char* plugin) {
  pullback::SolverRegistry solvers;
  pullback::GeneratorRegistry generators;
  pullback::PluginRegistrar registrar{solvers, generators};
  pullback::register_builtin_plugins(registrar);
  pullback::load_plugin(plugin, registrar);

  pullback::GeodesicProblem problem;
  const auto sphere = generators.open("sphere").generator;
  problem.manifold = std::make_shared<pullback::PullbackManifold>(sphere);
  problem.from = Eigen::Vector2d(0.8, 0.1);
  problem.to = Eigen::Vector2d(1.9, 1.3);
  const auto solver = solvers.make(pullback::NewtonCopyOptions{.nodes = 64});
  const pullback::GeodesicResult typed = solver->solve(problem);
  const pullback::GeodesicResult named = solvers.make("newton_copy:nodes=64")->solve(problem);
  const pullback::GeodesicResult original = solvers.make("newton:nodes=64")->solve(problem);
  std::printf("%s: %s, length %.9f\n", solver->name().c_str(), to_string(typed.termination), typed.certificate.length);

  bool refused = false;
  try {
    solvers.make(pullback::NewtonCopyOptions{.nodes = 1});
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  const double arc = std::acos(sphere->value(problem.from).col(0).dot(sphere->value(problem.to).col(0)));
  constexpr double kAccuracy = 1e-8;  // what the plugin promises on smooth surfaces
  const bool right = std::abs(typed.certificate.length / arc - 1) < kAccuracy;
  const bool same = typed.curve.positions() == named.curve.positions() &&
                    typed.curve.positions() == original.curve.positions();  // whichever way it was made
  return solver->name() == "newton_copy" && refused && right && same ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: typed_options PLUGIN\n");
    return 2;
  }
  try {
    return run(arguments[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
