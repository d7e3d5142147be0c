// Problems and a registry for the tests of the plugins.
#pragma once

#include <initializer_list>
#include <memory>
#include <numbers>
#include <string>
#include <utility>

#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/plugins/builtin.h"
#include "pullback/solvers/registry.h"

namespace pullback::testing {

inline Vector vec(std::initializer_list<double> values) {
  return Eigen::Map<const Vector>(values.begin(), static_cast<Eigen::Index>(values.size()));
}

struct Registries {
  Registries() {
    PluginRegistrar registrar{solvers, generators};
    register_builtin_plugins(registrar);
  }
  SolverRegistry solvers;
  GeneratorRegistry generators;
};

inline const Registries& registries() {
  static const Registries all;
  return all;
}

inline std::shared_ptr<const Manifold> surface(const std::string& name) {
  return std::make_shared<PullbackManifold>(registries().generators.open(name).generator);
}

inline GeodesicProblem problem(std::shared_ptr<const Manifold> manifold, Vector from, Vector to) {
  GeodesicProblem out;
  out.manifold = std::move(manifold);
  out.from = std::move(from);
  out.to = std::move(to);
  return out;
}

inline GeodesicProblem sphere_problem() {
  return problem(surface("sphere"), vec({std::numbers::pi / 3, 0}), vec({2 * std::numbers::pi / 3, 2}));
}
inline constexpr double kSphereLength = 2.167731273475;

inline GeodesicResult solve(const std::string& chain, const GeodesicProblem& problem,
                            const SolveControl& control = {}) {
  return registries().solvers.make(chain)->solve(problem, control);
}

}  // namespace pullback::testing
