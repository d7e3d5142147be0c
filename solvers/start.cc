#include "pullback/solvers/start.h"

#include <utility>

#include "pullback/manifold/numerics/chords.h"

namespace pullback {
namespace {

constexpr int kLengthChords = 512;

}  // namespace

std::optional<RawSolution> solution_of_a_point(const GeodesicProblem& problem, SolveContext& context) {
  if (problem.from != problem.to) return std::nullopt;
  RawSolution out;
  out.curve = Curve::straight(problem.from, problem.to);
  out.claim = context.should_stop() ? context.stop_reason() : Termination::kConverged;
  out.message = "the ends coincide";
  return out;
}

Matrix starting_nodes(const GeodesicProblem& problem, int chords, Workspace& ws) {
  Matrix nodes = constant_speed(*problem.manifold, problem.initial, chords, ws).positions();
  nodes.col(0) = problem.from;
  nodes.rightCols(1) = problem.to;
  return nodes;
}

RelaxationOptions relaxation_within(SolveContext& context, int iterations) {
  RelaxationOptions options;
  options.iterations = iterations;
  options.should_stop = [&context] { return context.should_stop(); };
  options.keep = [&context](Curve curve) { context.keep(std::move(curve)); };
  return options;
}

double length_of_start(const Manifold& manifold, const Curve& start, Workspace& ws) {
  return chord_length(manifold, start, kLengthChords, ws);
}

void mention_kinks(const Manifold& manifold, RawSolution& solution) {
  if (!manifold.smooth()) solution.message += "; the geodesic equation does not see the kinks of this manifold";
}

}  // namespace pullback
