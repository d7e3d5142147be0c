#include "pullback/plugins/wavefront/wavefront.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "pullback/plugins/wavefront/box.h"
#include "pullback/plugins/wavefront/meeting.h"
#include "pullback/solvers/path_candidates.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/start.h"

namespace pullback {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// The box is chosen on a grid of this share of the nodes, but no fewer than the second number.
constexpr double kCoarseShare = 1.0 / 8;
constexpr double kFewestPoints = 400;
// Ways round whose lengths differ from the barrier between them by less than this fraction are one.
constexpr double kLeastDepth = 1e-3;
// Where the distance on the grid and the shortest path disagree by more than this fraction, the chart does not suit the
// path: another pass takes one that is whitened along it.
constexpr double kAgreement = 0.05;
constexpr int kPasses = 2;
constexpr const char* kNotAGeodesic = "not a geodesic: follow it with a local solver, as in wavefront+energy";

// Both halves of the path through a node where the fronts meet; no columns where one of them is missing.
Matrix path_through(const Fronts& fronts, std::int64_t node) {
  const BoxGrid& box = fronts.grid->box();
  const Vector middle = box.points(box.indices(node).cast<double>());
  const Matrix back = fronts.from->path(middle);
  const Matrix on = fronts.to->path(middle);
  if (back.cols() == 0 || on.cols() == 0) return Matrix(box.dimension(), 0);
  Matrix out(box.dimension(), back.cols() + on.cols() - 1);
  out << back.rowwise().reverse(), on.rightCols(on.cols() - 1);
  return out;
}

// The path at constant speed, with its ends exact, and relaxed.
PathCandidate straightened(const GeodesicProblem& problem, Matrix path, const WavefrontOptions& options,
                           SolveContext& context) {
  path.col(0) = problem.from;
  path.rightCols(1) = problem.to;
  Curve curve = constant_speed(*problem.manifold, Curve::through(path), options.nodes, context.workspace());
  return straightened_path(problem, std::move(curve), options.nodes, options.relaxation, context);
}

std::vector<PathCandidate> paths_through_meetings(const GeodesicProblem& problem, const Fronts& fronts,
                                                  const WavefrontOptions& options, SolveContext& context) {
  std::vector<PathCandidate> out;
  for (const Meeting& meeting :
       find_meetings(fronts.grid->box(), fronts.from->values(), fronts.to->values(), kLeastDepth)) {
    if (static_cast<int>(out.size()) > options.alternatives || context.should_stop()) break;
    Matrix path = path_through(fronts, meeting.node);
    if (path.cols() == 0) continue;
    out.push_back(straightened(problem, std::move(path), options, context));
    context.record(static_cast<int>(out.size()) - 1, out.back().length);
    keep_shortest(out, context);
  }
  return out;
}

// What is known of the grid, for people.
std::string describe(const Fronts& fronts, bool closed) {
  return fmt::format("distance {:.5g} on a grid of {} nodes; {}", fronts.distance,
                     fmt::join(fronts.grid->box().counts, "×"),
                     closed ? "no path that leaves its box is shorter"
                            : "a path that leaves its box could be shorter (raise enlargements or margin)");
}

// One pass: the chart whitened along a curve, a box in it, the fronts, and the paths through where they meet.
struct Search {
  bool closed = false;
  Fronts fronts;  // null when stopped
  std::vector<PathCandidate> paths;
};

Search search(const GeodesicProblem& problem, const Curve& along, const WavefrontOptions& options,
              SolveContext& context) {
  const BoxChart chart = box_chart(*problem.manifold, along, problem.from, problem.to, context.workspace());
  const double coarse = std::max(kCoarseShare * options.points, kFewestPoints);
  const ChosenBox box = choose_box(problem, chart, {options.margin, options.enlargements, coarse}, context);
  Search out;
  out.closed = box.closed;
  if (!box.stopped) out.fronts = run_fronts(problem, chart, box.bounds, options.points, context);
  if (out.fronts) out.paths = paths_through_meetings(problem, out.fronts, options, context);
  return out;
}

// The shortest of the paths found and the straight line; the others are told of.
RawSolution shortest_of(std::vector<PathCandidate> paths, const GeodesicProblem& problem, const Search& found,
                        const WavefrontOptions& options, SolveContext& context) {
  RawSolution out;
  out.iterations = static_cast<int>(paths.size());
  ShortestPath shortest = shortest_path(problem, std::move(paths), options.nodes, context);
  out.claim = context.should_stop() ? context.stop_reason() : Termination::kStalled;
  out.message =
      fmt::format("{}, {} of {} ways round; {}", found.fronts ? describe(found.fronts, found.closed) : "stopped",
                  shortest.straight() ? "and the straight line is shorter than the path," : "the shortest",
                  out.iterations, kNotAGeodesic);
  out.curve = std::move(shortest.curve);
  return out;
}

RawSolution stopped(const GeodesicProblem& problem, SolveContext& context) {
  RawSolution out;
  out.curve = problem.initial;
  out.claim = context.stop_reason();
  out.message = "stopped before the fronts had met; the curve is the one it started from";
  return out;
}

RawSolution failed(std::string message) {
  RawSolution out;
  out.claim = Termination::kNumericalFailure;
  out.message = std::move(message);
  return out;
}

std::string separated_message(const Manifold& manifold, const GeodesicProblem& problem, const Fronts& fronts,
                              Workspace& ws) {
  for (const auto& [end, name] : {std::pair(&problem.from, "from"), std::pair(&problem.to, "to")}) {
    Matrix R(end->size(), end->size());
    manifold.factor(*end, R, ws);
    if (!R.allFinite()) return fmt::format("the metric is not finite at '{}'", name);
  }
  const auto reached = [](const DistanceField& field) { return (field.values().array() < kInfinity).count(); };
  return fmt::format(
      "no path joins the ends on a grid of {} nodes: 'from' reaches {} of them, 'to' {}; the metric is "
      "not finite in between (raise margin, enlargements or points)",
      fronts.grid->box().size(), reached(*fronts.from), reached(*fronts.to));
}

}  // namespace

RawSolution WavefrontSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (auto point = solution_of_a_point(problem, context)) return *std::move(point);
  const int n = problem.manifold->dimension();
  if (n != 2 && n != 3) {
    return failed(fmt::format("wavefront works in 2 or 3 latent dimensions, got {}; use graph", n));
  }
  std::vector<PathCandidate> paths;
  Curve along = problem.initial;
  for (int pass = 1;; ++pass) {
    const Search found = search(problem, along, options_, context);
    for (const PathCandidate& path : found.paths) paths.push_back(path);
    if (paths.empty() && (!found.fronts || context.should_stop())) return stopped(problem, context);
    if (paths.empty()) {
      return failed(separated_message(*problem.manifold, problem, found.fronts, context.workspace()));
    }
    const PathCandidate& best = *std::min_element(paths.begin(), paths.end(), is_shorter);
    const bool agrees = std::abs(found.fronts.distance - best.length) <= kAgreement * best.length;
    if (agrees || pass == kPasses || context.should_stop()) {
      return shortest_of(std::move(paths), problem, found, options_, context);
    }
    along = best.curve;
  }
}

const PluginInfo* pullback_plugin_wavefront() {
  static const PluginInfo info{
      kPluginApiVersion, "wavefront", "1.0", this_build(), [](PluginRegistrar& registrar) {
        registrar.solvers.add<WavefrontSolver, WavefrontOptions>(
            "wavefront", "globally shortest path on a grid in 2 or 3 dimensions, by anisotropic fast marching: a start",
            "Mirebeau 2019, Riemannian fast-marching on Cartesian grids using Voronoi's first reduction, HAL "
            "hal-01507334",
            SolverTraits{.handles_kinks = true, .least_dimension = 2, .most_dimension = 3, .accuracy = 0});
      }};
  return &info;
}

}  // namespace pullback
