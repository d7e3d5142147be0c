#include "pullback/plugins/graph/graph.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pullback/manifold/metrics/whitened_chart.h"
#include "pullback/plugins/graph/kept_graph.h"
#include "pullback/plugins/graph/neighbour_graph.h"
#include "pullback/plugins/graph/nodes.h"
#include "pullback/plugins/graph/smoothing.h"
#include "pullback/solvers/path_candidates.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/start.h"

namespace pullback {
namespace {

// Edges near a path weigh more by this factor for the alternatives to it.
constexpr double kAvoidance = 1.5;
constexpr const char* kNotAGeodesic = "not a geodesic: follow it with a local solver";

// Both ends and samples.
GraphWithEnds sampled_graph(const GeodesicProblem& problem, const GraphOptions& options, Workspace& ws) {
  const Matrix W = mean_factor(*problem.manifold, problem.initial, ws);
  const Matrix points = sample_around(problem.initial, W, {options.samples, options.margin, options.seed});
  GraphWithEnds out;
  out.Z.resize(points.rows(), points.cols() + 2);
  out.Z << problem.from, problem.to, points;
  out.edges =
      nearest_neighbour_edges({W.triangularView<Eigen::Upper>() * out.Z, scaled_axes(out.Z)}, options.neighbours);
  out.bounds = edge_bounds(*problem.manifold, out.Z, out.edges, ws);
  return out;
}

GraphWithEnds graph_of(const GeodesicProblem& problem, const GraphOptions& options, GraphKeeper& keeper,
                       Workspace& ws) {
  if (problem.points.cols() == 0) return sampled_graph(problem, options, ws);
  const auto kept = keeper.get(problem.manifold, problem.points, options.most_points, options.neighbours, ws);
  return with_ends(*problem.manifold, *kept, problem.from, problem.to, options.neighbours, ws);
}

std::string disconnected_message(const GraphPath& path, const GeodesicProblem& problem, Eigen::Index nodes,
                                 const GraphOptions& options) {
  const bool sampled = problem.points.cols() == 0;
  return fmt::format(
      "the graph of {} points is disconnected: 'from' reaches {} of them, 'to' {}; raise neighbours (now {}) or {}",
      nodes, path.reached_from_start, path.reached_from_goal, options.neighbours,
      sampled ? fmt::format("samples (now {})", options.samples) : "give more points in between");
}

PathCandidate straightened(const GeodesicProblem& problem, const Matrix& Z, const GraphPath& path,
                           const GraphOptions& options, SolveContext& context) {
  Matrix corners(Z.rows(), static_cast<Eigen::Index>(path.nodes.size()));
  for (std::size_t i = 0; i < path.nodes.size(); ++i) corners.col(static_cast<Eigen::Index>(i)) = Z.col(path.nodes[i]);
  Curve smoothed = smoothed_path(*problem.manifold, corners, options.nodes, options.subdivisions, context.workspace());
  return straightened_path(problem, std::move(smoothed), options.nodes, options.relaxation, context);
}

// The shortest of the paths found and the straight line; the others are told of.
RawSolution shortest_of(std::vector<PathCandidate> paths, const GeodesicProblem& problem, Eigen::Index nodes,
                        const GraphOptions& options, SolveContext& context) {
  RawSolution out;
  out.claim = Termination::kStalled;
  out.iterations = static_cast<int>(paths.size());
  ShortestPath shortest = shortest_path(problem, std::move(paths), options.nodes, context);
  out.message = shortest.straight()
                    ? fmt::format(
                          "the straight line ({:.6g}) is shorter than every path found ({:.6g}) in a graph of "
                          "{} points; {}",
                          shortest.straight_length, shortest.path_length, nodes, kNotAGeodesic)
                    : fmt::format("shortest path in a graph of {} points; {}", nodes, kNotAGeodesic);
  out.curve = std::move(shortest.curve);
  return out;
}

RawSolution without_path(const GraphPath& path, const GeodesicProblem& problem, Eigen::Index nodes,
                         const GraphOptions& options, SolveContext& context) {
  RawSolution out;
  if (path.status == GraphPath::Status::kStopped) {
    out.curve = problem.initial;
    out.claim = context.stop_reason();
    out.message = "stopped before a path was known; the curve is the one it started from";
  } else {
    out.claim = Termination::kNumericalFailure;
    out.message = disconnected_message(path, problem, nodes, options);
  }
  return out;
}

}  // namespace

GraphSolver::GraphSolver(GraphOptions options)
    : GeodesicSolver("graph"), options_(options), keeper_(std::make_unique<GraphKeeper>()) {}
GraphSolver::~GraphSolver() = default;

RawSolution GraphSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (auto point = solution_of_a_point(problem, context)) return *std::move(point);
  const Manifold& manifold = *problem.manifold;
  GraphWithEnds graph = graph_of(problem, options_, *keeper_, context.workspace());
  const Matrix& Z = graph.Z;
  PathFinder finder(manifold, Z, graph.edges, std::move(graph.bounds), options_.subdivisions, context);
  std::vector<PathCandidate> candidates;
  for (int i = 0; i <= options_.alternatives; ++i) {
    const GraphPath path = finder.find(0, 1);
    if (path.status != GraphPath::Status::kFound) {
      if (candidates.empty()) return without_path(path, problem, Z.cols(), options_, context);
      break;
    }
    candidates.push_back(straightened(problem, Z, path, options_, context));
    context.record(i, candidates.back().length);
    keep_shortest(candidates, context);
    finder.avoid(path, kAvoidance);
  }
  return shortest_of(std::move(candidates), problem, Z.cols(), options_, context);
}

const PluginInfo* pullback_plugin_graph() {
  static const PluginInfo info{
      kPluginApiVersion, "graph", "1.0", this_build(), [](PluginRegistrar& registrar) {
        registrar.solvers.add<GraphSolver, GraphOptions>(
            "graph", "shortest path in a nearest-neighbour graph of the given points or of samples, smoothed: a start",
            "Chen, Klushyn, Ferroni, Bayer, van der Smagt 2019, arXiv:1812.08284",
            SolverTraits{.handles_kinks = true, .uses_points = true, .accuracy = 0});
      }};
  return &info;
}

}  // namespace pullback
