#include "pullback/plugins/whitened/whitened.h"

#include <utility>

#include "pullback/manifold/metrics/whitened_chart.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/start.h"

namespace pullback {

WhitenedSolver::WhitenedSolver(WhitenedOptions options, std::unique_ptr<const GeodesicSolver> inner)
    : GeodesicSolver("whitened(" + inner->name() + ")"), options_(options), inner_(std::move(inner)) {}

RawSolution WhitenedSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  Curve initial = problem.initial;
  if (options_.relaxation > 0) {
    const Curve shorter =
        relaxed(*problem.manifold, initial, relaxation_within(context, options_.relaxation), context.workspace());
    initial = joined(shorter, problem.from, problem.to);
  }
  const auto chart = WhitenedChart(problem.manifold, initial, context.workspace()).manifold();
  GeodesicProblem inside;
  inside.manifold = chart;
  inside.initial = chart->to_chart(initial);
  inside.from = inside.initial.positions().col(0);
  inside.to = inside.initial.positions().rightCols(1);
  inside.points = chart->to_chart(problem.points);
  const std::size_t met_before = context.met_curves().size();
  const SolveContext::KeepChanged mapped(
      context, [&](const Curve& curve) { return joined(chart->from_chart(curve), problem.from, problem.to); });
  RawSolution out = run_other(*inner_, inside, context);
  context.change_met_curves(met_before, [&](const Curve& curve) { return chart->from_chart(curve); });
  if (!out.curve.empty()) out.curve = joined(chart->from_chart(out.curve), problem.from, problem.to);
  return out;
}

const PluginInfo* pullback_plugin_whitened() {
  static const PluginInfo info{kPluginApiVersion, "whitened", "1.0", this_build(), [](PluginRegistrar& registrar) {
                                 registrar.solvers.add_wrapper<WhitenedSolver, WhitenedOptions>(
                                     "whitened",
                                     "runs a solver in the chart whitened by the mean metric along its start",
                                     "after Deuflhard 2011, doi:10.1007/978-3-642-23899-4", "shooting",
                                     SolverTraits{.needs_second_derivatives = true});
                               }};
  return &info;
}

}  // namespace pullback
