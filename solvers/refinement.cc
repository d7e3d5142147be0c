#include "pullback/solvers/refinement.h"

#include <utility>

#include "pullback/solvers/start.h"

namespace pullback {
namespace {

// A doubling of the chords divides the excess by 16 in the limit; by at least this before it.
constexpr double kExcessFall = 8;

// Whether more chords can help.
bool may_go_on(IterationStatus status) {
  return status == IterationStatus::kConverged || status == IterationStatus::kSaddle ||
         status == IterationStatus::kUnresolved;
}

}  // namespace

RawSolution refine(const Manifold& manifold, Matrix nodes, const RefinedMethod& method,
                   const RefinementOptions& options, SolveContext& context) {
  const auto curve_through = [&](const Matrix& at) {
    return method.curve ? method.curve(at)
                        : with_geodesic_accelerations(manifold, Curve::through(at), context.workspace());
  };
  RawSolution out;
  for (RefinementTask task;; ++task.level) {
    task.last = 2 * (nodes.cols() - 1) > options.max_nodes;
    task.first_iteration = out.iterations;
    RefinementLevel level = method.solve(nodes, task);
    out.iterations += level.iterations;
    const bool exact = level.excess && !(*level.excess > options.tolerance);
    const auto refined = [&] {
      return method.refined ? method.refined(nodes)
                            : curve_through(nodes).position(uniform_times(static_cast<int>(2 * nodes.cols()) - 1));
    };
    if (may_go_on(level.status) && !exact && !task.last) {
      nodes = refined();
      continue;
    }
    out.curve = curve_through(nodes);
    out.claim = claim_of(level.status, context);
    if (method.accepted && out.claim == Termination::kConverged && !task.last && !method.accepted(out.curve)) {
      nodes = refined();
      continue;
    }
    out.message = level.message.empty() ? describe(level.status, static_cast<int>(nodes.cols()) - 1, level.iterations)
                                        : std::move(level.message);
    return out;
  }
}

RawSolution refine_energy(const GeodesicProblem& problem, int chords, const EnergyMinimiser& minimise,
                          const RefinementOptions& options, SolveContext& context) {
  RefinedMethod method;
  method.solve = [&](Matrix& nodes, const RefinementTask& task) {
    EnergyRun run = minimise(nodes, task.first_iteration);
    return RefinementLevel{run.status, run.iterations, chord_excess(task, run.initial_energy, run.final_energy),
                           std::move(run.message)};
  };
  return refine(*problem.manifold, starting_nodes(problem, chords, context.workspace()), method, options, context);
}

std::optional<double> chord_excess(const RefinementTask& task, double energy_before, double energy_after) {
  if (task.level == 0) return std::nullopt;
  return 0.5 * (energy_before - energy_after) / energy_after / kExcessFall;
}

}  // namespace pullback
