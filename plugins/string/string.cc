#include "pullback/plugins/string/string.h"

#include <cmath>
#include <utility>

#include "pullback/plugins/string/flow.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/refinement.h"
#include "pullback/solvers/start.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

// For an accuracy of 1e-6.
constexpr double kUsualTolerance = 2e-8;
constexpr double kUsualEnergyTolerance = 1e-11;

// Where no step lowers the energy but only this fraction of it was promised, the string rests, to what the
// reparametrisation leaves.
constexpr double kAtRest = 1e-8;

EnergyRun descend(const Manifold& manifold, Matrix& nodes, const StringOptions& options, int first_iteration,
                  SolveContext& context) {
  StringFlow flow(manifold, nodes, options.memory, context.workspace());
  EnergyRun out;
  out.initial_energy = flow.energy();
  while (true) {
    out.final_energy = flow.energy();
    if (!flow.finite()) return out;
    context.record(first_iteration + out.iterations, std::sqrt(2 * flow.energy()));
    context.keep(Curve::through(nodes));
    if (flow.promise() <= options.energy_tolerance * flow.energy()) {
      out.status = IterationStatus::kConverged;
      return out;
    }
    if (context.should_stop() || out.iterations == options.max_iterations) {
      out.status =
          out.iterations == options.max_iterations ? IterationStatus::kMaxIterations : IterationStatus::kStopped;
      return out;
    }
    if (!flow.step()) {
      const bool at_rest = flow.promise() <= kAtRest * flow.energy();
      out.status = at_rest ? IterationStatus::kConverged : IterationStatus::kStalled;
      return out;
    }
    ++out.iterations;
  }
}

}  // namespace

RawSolution StringSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (auto point = solution_of_a_point(problem, context)) return *std::move(point);
  StringOptions options = options_;
  options.tolerance = tolerance_for(options.tolerance, kUsualTolerance, ToleranceKind::kExcess, context);
  options.energy_tolerance =
      tolerance_for(options.energy_tolerance, kUsualEnergyTolerance, ToleranceKind::kExcess, context);
  const auto minimise = [&](Matrix& nodes, int first_iteration) {
    return descend(*problem.manifold, nodes, options, first_iteration, context);
  };
  return refine_energy(problem, options_.nodes, minimise, {options.max_nodes, options.tolerance}, context);
}

const PluginInfo* pullback_plugin_string() {
  static const PluginInfo info{kPluginApiVersion, "string", "1.0", this_build(), [](PluginRegistrar& registrar) {
                                 registrar.solvers.add<StringSolver, StringOptions>(
                                     "string",
                                     "a string at equal distances shrinks across itself, by implicit steps in parallel "
                                     "frames, refined",
                                     "E, Ren, Vanden-Eijnden 2007, doi:10.1063/1.2720838");
                               }};
  return &info;
}

}  // namespace pullback
