#include "pullback/plugins/graph/graph.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "pullback/plugins/graph/neighbour_graph.h"
#include "pullback/plugins/graph/nodes.h"
#include "pullback/plugins/graph/smoothing.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// Chords per piece by which the path and the straight line are compared.
constexpr int kComparison = 4;
constexpr const char* kNotAGeodesic = "not a geodesic: follow it with a local solver";

// Both ends first, then the problem's points or samples.
Matrix make_nodes(const GeodesicProblem& problem, const Matrix& W, const GraphOptions& options) {
  const Matrix points = problem.points.cols() > 0
                            ? problem.points
                            : sample_around(problem.initial, W, {options.samples, options.margin, options.seed});
  Matrix Z(points.rows(), points.cols() + 2);
  Z << problem.from, problem.to, points;
  return Z;
}

std::string disconnected_message(const GraphPath& path, const GeodesicProblem& problem, Eigen::Index nodes,
                                 const GraphOptions& options) {
  const bool sampled = problem.points.cols() == 0;
  return fmt::format(
      "the graph of {} points is disconnected: 'from' reaches {} of them, 'to' {}; raise neighbours (now {}) or {}",
      nodes, path.reached_from_start, path.reached_from_goal, options.neighbours,
      sampled ? fmt::format("samples (now {})", options.samples) : "give more points in between");
}

// The path's curve or the straight line, whichever is shorter; the other is told of.
Outcome shorter_of(Curve path, const GeodesicProblem& problem, Eigen::Index nodes, int pieces, SolveContext& context) {
  const Manifold& manifold = *problem.manifold;
  const Vector t = uniform_times(kComparison * pieces + 1);
  Curve straight = Curve::straight(problem.from, problem.to);
  const double path_length = polyline_length(manifold, path.position(t), context.workspace());
  const double straight_length = polyline_length(manifold, straight.position(t), context.workspace());
  Outcome out;
  out.claim = Termination::kStalled;
  out.iterations = 1;
  if (straight_length <= path_length) {
    out.message =
        fmt::format("the straight line ({:.6g}) is shorter than the shortest path ({:.6g}) in a graph of {} points; {}",
                    straight_length, path_length, nodes, kNotAGeodesic);
    std::swap(path, straight);
  } else {
    out.message = fmt::format("shortest path in a graph of {} points; {}", nodes, kNotAGeodesic);
  }
  context.record(1, std::min(path_length, straight_length));
  context.met_curve(std::move(straight));
  out.curve = std::move(path);
  return out;
}

}  // namespace

Outcome GraphSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  const Manifold& manifold = *problem.manifold;
  Workspace& ws = context.workspace();
  Outcome out;
  if (problem.from == problem.to) {
    out.curve = Curve::straight(problem.from, problem.to);
    out.claim = Termination::kConverged;
    out.message = "the ends coincide";
    return out;
  }
  const Matrix W = mean_factor(manifold, problem.initial, ws);
  const Matrix Z = make_nodes(problem, W, options_);
  const Matrix Y = W.triangularView<Eigen::Upper>() * Z;
  const GraphPath path =
      shortest_path(manifold, Z, nearest_neighbour_edges(Y, options_.neighbours), 0, 1, options_.subdivisions, context);
  switch (path.status) {
    case GraphPath::Status::kStopped:
      out.curve = problem.initial;
      out.claim = context.stop_reason();
      out.message = "stopped before a path was known; the curve is the one it started from";
      return out;
    case GraphPath::Status::kDisconnected:
      out.claim = Termination::kNumericalFailure;
      out.message = disconnected_message(path, problem, Z.cols(), options_);
      return out;
    case GraphPath::Status::kFound:
      break;
  }
  context.record(0, path.length);
  Matrix corners(Z.rows(), static_cast<Eigen::Index>(path.nodes.size()));
  for (std::size_t i = 0; i < path.nodes.size(); ++i) corners.col(static_cast<Eigen::Index>(i)) = Z.col(path.nodes[i]);
  return shorter_of(smoothed_path(manifold, corners, options_.nodes, options_.subdivisions, ws), problem, Z.cols(),
                    options_.nodes, context);
}

const PluginInfo* pullback_plugin_graph() {
  static const PluginInfo info{
      kPluginApiVersion, "graph", "1.0", this_build(), [](PluginRegistrar& registrar) {
        registrar.solvers.add<GraphSolver, GraphOptions>(
            "graph", "shortest path in a nearest-neighbour graph of the given points or of samples, smoothed: a start",
            "Chen, Klushyn, Ferroni, Bayer, van der Smagt 2019, arXiv:1812.08284");
      }};
  return &info;
}

}  // namespace pullback
