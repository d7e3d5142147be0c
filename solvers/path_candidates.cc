#include "pullback/solvers/path_candidates.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "pullback/manifold/curves/relaxation.h"
#include "pullback/manifold/numerics/chords.h"

namespace pullback {
namespace {

// Chords per piece by which the paths and the straight line are compared.
constexpr int kComparison = 4;
// A descent step is taken when it promises to lower the energy by this fraction.
constexpr double kWorthwhile = 1e-4;

PathCandidate measured(const Manifold& manifold, Curve curve, int pieces, Workspace& ws) {
  const double length = chord_length(manifold, curve, kComparison * pieces, ws);
  return {std::move(curve), length};
}

}  // namespace

bool is_shorter(const PathCandidate& a, const PathCandidate& b) { return a.length < b.length; }

PathCandidate straightened_path(const GeodesicProblem& problem, Curve path, int pieces, int iterations,
                                SolveContext& context) {
  const Manifold& manifold = *problem.manifold;
  // Nothing is kept on the way: another path may be shorter already.
  RelaxationOptions relaxation{pieces, iterations, kWorthwhile, [&context] { return context.should_stop(); }, {}};
  if (iterations > 0) path = relaxed(manifold, path, relaxation, context.workspace());
  return measured(manifold, std::move(path), pieces, context.workspace());
}

void keep_shortest(const std::vector<PathCandidate>& paths, SolveContext& context) {
  context.keep(std::min_element(paths.begin(), paths.end(), is_shorter)->curve);
}

ShortestPath shortest_path(const GeodesicProblem& problem, std::vector<PathCandidate> paths, int pieces,
                           SolveContext& context) {
  PathCandidate straight =
      measured(*problem.manifold, Curve::straight(problem.from, problem.to), pieces, context.workspace());
  std::stable_sort(paths.begin(), paths.end(), is_shorter);
  ShortestPath out{{}, straight.length, paths.front().length};
  if (out.straight()) std::swap(straight, paths.front());
  out.curve = std::move(paths.front().curve);
  context.met_curve(std::move(straight.curve));
  for (std::size_t i = 1; i < paths.size(); ++i) context.met_curve(std::move(paths[i].curve));
  return out;
}

}  // namespace pullback
