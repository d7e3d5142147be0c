#include "pullback/plugins/georce/georce.h"

#include <fmt/format.h>

#include <algorithm>

#include "pullback/plugins/georce/schemes.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// A doubling of the chords divides the excess by 16 in the limit; by at least this before it.
constexpr double kExcessFall = 8;

Matrix starting_nodes(const GeodesicProblem& problem, int chords, Workspace& ws) {
  Matrix nodes = constant_speed(*problem.manifold, problem.initial, chords, ws).positions();
  nodes.col(0) = problem.from;
  nodes.rightCols(1) = problem.to;
  return nodes;
}

Termination claim_of(const GeorceRun& run, SolveContext& context) {
  switch (run.status) {
    case GeorceStatus::kConverged:
      return Termination::kConverged;
    case GeorceStatus::kMaxIterations:
      return Termination::kMaxIterations;
    case GeorceStatus::kStopped:
      return context.stop_reason();
    case GeorceStatus::kStalled:
      return Termination::kStalled;
    case GeorceStatus::kNotFinite:
      break;
  }
  return Termination::kNumericalFailure;
}

std::string message_of(const GeorceRun& run, int chords) {
  switch (run.status) {
    case GeorceStatus::kConverged:
      return fmt::format("energy minimised with {} chords, {} iterations at the last", chords, run.iterations);
    case GeorceStatus::kMaxIterations:
      return fmt::format("the energy of {} chords still falls after {} iterations; raise max_iterations", chords,
                         run.iterations);
    case GeorceStatus::kStopped:
      return fmt::format("stopped after {} iterations with {} chords", run.iterations, chords);
    case GeorceStatus::kStalled:
      return fmt::format(
          "no step lowers the energy of {} chords after {} iterations: a kink, a jump or a metric that "
          "vanishes; the curve is the lowest found",
          chords, run.iterations);
    case GeorceStatus::kNotFinite:
      break;
  }
  return fmt::format("the metric is not finite somewhere on the curve of {} chords; the curve is the last one", chords);
}

}  // namespace

RawSolution GeorceSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (problem.from == problem.to) {
    RawSolution out;
    out.curve = Curve::straight(problem.from, problem.to);
    out.claim = context.should_stop() ? context.stop_reason() : Termination::kConverged;
    out.message = "the ends coincide";
    return out;
  }
  return options_.scheme == "published" ? run_published(problem, context) : run_symmetric(problem, context);
}

RawSolution GeorceSolver::run_symmetric(const GeodesicProblem& problem, SolveContext& context) const {
  const Manifold& manifold = *problem.manifold;
  Workspace& ws = context.workspace();
  Matrix nodes = starting_nodes(problem, options_.nodes, ws);
  const SymmetricBounds bounds{options_.energy_tolerance, options_.max_iterations, options_.memory};
  const int most = std::max(options_.nodes, options_.max_nodes);
  RawSolution out;
  for (int chords = options_.nodes;; chords *= 2) {
    const GeorceRun level = minimise_symmetric(manifold, nodes, bounds, out.iterations, context);
    out.iterations += level.iterations;
    out.curve = with_geodesic_accelerations(manifold, Curve::through(nodes), ws);
    out.claim = claim_of(level, context);
    out.message = message_of(level, chords);
    if (level.status != GeorceStatus::kConverged) return out;
    const double shortened = 0.5 * (level.initial_energy - level.final_energy) / level.final_energy;
    const bool fine_enough = chords > options_.nodes && !(shortened > kExcessFall * options_.tolerance);
    if (fine_enough || 2 * chords > most) return out;
    nodes = out.curve.position(uniform_times(2 * chords + 1));
  }
}

RawSolution GeorceSolver::run_published(const GeodesicProblem& problem, SolveContext& context) const {
  Matrix nodes = problem.initial.position(uniform_times(options_.nodes + 1));
  nodes.col(0) = problem.from;
  nodes.rightCols(1) = problem.to;
  const GeorceRun run =
      minimise_published(*problem.manifold, nodes, {options_.gradient_tolerance, options_.max_iterations}, context);
  RawSolution out;
  out.iterations = run.iterations;
  out.curve = with_geodesic_accelerations(*problem.manifold, Curve::through(nodes), context.workspace());
  out.claim = claim_of(run, context);
  out.message = message_of(run, options_.nodes);
  return out;
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
