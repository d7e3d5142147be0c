#include "pullback/plugins/string/string.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "pullback/plugins/string/flow.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// A doubling of the chords divides the excess by 16 in the limit; by at least this before it.
constexpr double kExcessFall = 8;
// Where no step lowers the energy but only this fraction of it was promised, the string rests, to what the
// reparametrisation leaves.
constexpr double kAtRest = 1e-8;

struct Level {
  Termination claim = Termination::kNumericalFailure;
  int iterations = 0;
  double initial_energy = 0;
  double final_energy = 0;
};

Level descend(const Manifold& manifold, Matrix& nodes, const StringOptions& options, int first_iteration,
              SolveContext& context) {
  StringFlow flow(manifold, nodes, options.memory, context.workspace());
  Level out;
  out.initial_energy = flow.energy();
  while (true) {
    out.final_energy = flow.energy();
    if (!flow.finite()) return out;
    context.record(first_iteration + out.iterations, std::sqrt(2 * flow.energy()));
    context.keep(Curve::through(nodes));
    if (flow.promise() <= options.energy_tolerance * flow.energy()) {
      out.claim = Termination::kConverged;
      return out;
    }
    if (context.should_stop() || out.iterations == options.max_iterations) {
      out.claim = out.iterations == options.max_iterations ? Termination::kMaxIterations : context.stop_reason();
      return out;
    }
    if (!flow.step()) {
      out.claim = flow.promise() <= kAtRest * flow.energy() ? Termination::kConverged : Termination::kStalled;
      return out;
    }
    ++out.iterations;
  }
}

std::string message_of(const Level& level, int chords) {
  switch (level.claim) {
    case Termination::kConverged:
      return fmt::format("a string of {} chords came to rest, {} steps at the last", chords, level.iterations);
    case Termination::kMaxIterations:
      return fmt::format("the string of {} chords still moves after {} steps; raise max_iterations", chords,
                         level.iterations);
    case Termination::kStalled:
      return fmt::format(
          "no step shortens the string of {} chords after {} steps: a kink, a jump or a metric that "
          "vanishes; the curve is the shortest found",
          chords, level.iterations);
    case Termination::kNumericalFailure:
      return fmt::format("the metric is not finite somewhere on the string of {} chords; the curve is the last one",
                         chords);
    default:
      return fmt::format("stopped after {} steps with {} chords", level.iterations, chords);
  }
}

}  // namespace

RawSolution StringSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  const Manifold& manifold = *problem.manifold;
  Workspace& ws = context.workspace();
  RawSolution out;
  if (problem.from == problem.to) {
    out.curve = Curve::straight(problem.from, problem.to);
    out.claim = context.should_stop() ? context.stop_reason() : Termination::kConverged;
    out.message = "the ends coincide";
    return out;
  }
  Matrix nodes = constant_speed(manifold, problem.initial, options_.nodes, ws).positions();
  nodes.col(0) = problem.from;
  nodes.rightCols(1) = problem.to;
  const int most = std::max(options_.nodes, options_.max_nodes);
  for (int chords = options_.nodes;; chords *= 2) {
    const Level level = descend(manifold, nodes, options_, out.iterations, context);
    out.iterations += level.iterations;
    out.curve = with_geodesic_accelerations(manifold, Curve::through(nodes), ws);
    out.claim = level.claim;
    out.message = message_of(level, chords);
    if (level.claim != Termination::kConverged) return out;
    const double shortened = 0.5 * (level.initial_energy - level.final_energy) / level.final_energy;
    const bool fine_enough = chords > options_.nodes && !(shortened > kExcessFall * options_.tolerance);
    if (fine_enough || 2 * chords > most) return out;
    nodes = out.curve.position(uniform_times(2 * chords + 1));
  }
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
