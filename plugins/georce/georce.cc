#include "pullback/plugins/georce/georce.h"

#include <utility>

#include "pullback/plugins/georce/schemes.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/refinement.h"
#include "pullback/solvers/start.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

// For an accuracy of 1e-6.
constexpr double kUsualTolerance = 2e-8;
constexpr double kUsualEnergyTolerance = 1e-11;

}  // namespace

RawSolution GeorceSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (auto point = solution_of_a_point(problem, context)) return *std::move(point);
  return options_.scheme == "published" ? run_published(problem, context) : run_symmetric(problem, context);
}

RawSolution GeorceSolver::run_symmetric(const GeodesicProblem& problem, SolveContext& context) const {
  const Manifold& manifold = *problem.manifold;
  const double energy_tolerance =
      tolerance_for(options_.energy_tolerance, kUsualEnergyTolerance, ToleranceKind::kExcess, context);
  const double tolerance = tolerance_for(options_.tolerance, kUsualTolerance, ToleranceKind::kExcess, context);
  const SymmetricBounds bounds{energy_tolerance, options_.max_iterations, options_.memory};
  const auto minimise = [&](Matrix& nodes, int first_iteration) {
    return minimise_symmetric(manifold, nodes, bounds, first_iteration, context);
  };
  return refine_energy(problem, options_.nodes, minimise, {options_.max_nodes, tolerance}, context);
}

RawSolution GeorceSolver::run_published(const GeodesicProblem& problem, SolveContext& context) const {
  Matrix nodes = problem.initial.position(uniform_times(options_.nodes + 1));
  nodes.col(0) = problem.from;
  nodes.rightCols(1) = problem.to;
  RefinedMethod method;
  method.solve = [&](Matrix& at, const RefinementTask& /*task*/) {
    const EnergyRun run =
        minimise_published(*problem.manifold, at, {options_.gradient_tolerance, options_.max_iterations}, context);
    return RefinementLevel{run.status, run.iterations, {}, ""};
  };
  constexpr int kNoRefinement = 0;
  return refine(*problem.manifold, std::move(nodes), method, {kNoRefinement, 0}, context);
}

const PluginInfo* pullback_plugin_georce() {
  static const PluginInfo info{
      kPluginApiVersion, "georce", "1.0", this_build(), [](PluginRegistrar& registrar) {
        registrar.solvers.add<GeorceSolver, GeorceOptions>(
            "georce", "energy by steps of a control problem with frozen metric, corrected by what they taught, refined",
            "Rygaard, Hauberg 2025, arXiv:2505.05961");
      }};
  return &info;
}

}  // namespace pullback
