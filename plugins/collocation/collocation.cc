#include "pullback/plugins/collocation/collocation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "pullback/plugins/collocation/lobatto.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/start.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

constexpr double kUsualTolerance = 3e-4;  // for an accuracy of 1e-6

// The equations of one mesh are solved to this share of the residual allowed.
constexpr double kNewtonShare = 1e-2;
// An interval whose residual is this many times what is allowed gets two new nodes, not one (as in bvp4c).
constexpr double kFarAbove = 100;
// A discontinuity is closed in on by one level after the other without end.
constexpr int kMostLevels = 40;
// How hard an attempt tries before Newton's method: more descent, more chords, more intervals.
struct Vigour {
  int relaxation;
  double worthwhile;
  int finer;
};
constexpr Vigour kAttempts[] = {{1, 1e-3, 1}, {10, 1e-6, 2}, {30, 1e-8, 8}};

struct Attempt {
  IterationStatus newton = IterationStatus::kNotFinite;  // kUnresolved: solved, on too few intervals
  bool converged = false;
  Curve curve;  // in the manifold's chart: of the last mesh that was solved; empty when there is none
  double length = 0;
  double residual = 0;
  double correction = 0;
  Eigen::Index intervals = 0;
  int iterations = 0;
};

// The mesh with new nodes in the intervals whose residual is above the limit.
Vector refined_mesh(const Vector& mesh, const Vector& residual, double limit) {
  std::vector<double> out{0};
  for (Eigen::Index i = 0; i < residual.size(); ++i) {
    const int parts = residual(i) <= limit ? 1 : residual(i) <= kFarAbove * limit ? 2 : 3;
    const double h = mesh(i + 1) - mesh(i);
    for (int k = 1; k < parts; ++k) out.push_back(mesh(i) + h * k / parts);
    out.push_back(mesh(i + 1));
  }
  return Eigen::Map<const Vector>(out.data(), static_cast<Eigen::Index>(out.size()));
}

Attempt attempt_from(const GeodesicProblem& problem, const Curve& start, int intervals,
                     const CollocationOptions& options, int first_iteration, SolveContext& context) {
  const WhitenedChart chart(problem.manifold, start, context.workspace());
  const NewtonBounds bounds{kNewtonShare * options.tolerance, options.max_iterations};
  Attempt out;
  Curve guess = chart.to_chart(start);
  Vector mesh = uniform_times(intervals + 1);
  for (int level = 0; level < kMostLevels; ++level) {
    const MeshSolution solution =
        solve_on_mesh(chart, values_on(guess, mesh), bounds, first_iteration + out.iterations, context);
    out.iterations += solution.iterations;
    out.newton = solution.status;
    out.correction = solution.correction;
    if (solution.status != IterationStatus::kConverged) break;
    const Vector residual = chart.residuals(solution.curve, context.workspace()) / solution.length;
    const Vector h = mesh.tail(residual.size()) - mesh.head(residual.size());
    out.residual = std::sqrt(h.dot(residual.cwiseAbs2()));
    out.curve = chart.from_chart(solution.curve, problem.from, problem.to);
    out.length = solution.length;
    out.intervals = residual.size();
    out.converged = out.residual <= options.tolerance;
    if (out.converged) break;
    out.newton = IterationStatus::kUnresolved;
    if (!std::isfinite(out.residual)) break;
    mesh = refined_mesh(mesh, residual, options.tolerance);
    if (mesh.size() - 1 > std::max(options.max_intervals, options.intervals)) break;
    guess = solution.curve;
  }
  return out;
}

std::string failed_message(const Attempt& last, bool coarse) {
  const std::string what = coarse ? fmt::format("the curve is that of {} intervals", last.intervals)
                                  : std::string("the curve is the one it started from");
  switch (last.newton) {
    case IterationStatus::kUnresolved:
      return fmt::format(
          "collocation on {} intervals leaves a residual of {:.2g} of the length, and more intervals are not allowed "
          "or of no use (a kink, or a metric that is singular on the way); {}",
          last.intervals, last.residual, what);
    case IterationStatus::kStopped:
      return fmt::format("collocation was stopped; {}", what);
    case IterationStatus::kMaxIterations:
      return fmt::format(
          "Newton's method on the collocation equations still moves by {:.2g} of the length; {}; raise "
          "max_iterations or start from a better curve",
          last.correction, what);
    case IterationStatus::kStalled:
      return fmt::format(
          "Newton's method on the collocation equations finds no better step ({:.2g} of the length is "
          "left); {}; start from a better curve",
          last.correction, what);
    case IterationStatus::kSingular:
      return fmt::format(
          "the collocation equations are singular (the ends are conjugate, or the metric is singular on the way); {}",
          what);
    default:
      return fmt::format("collocation meets a point where the metric is singular or not finite; {}", what);
  }
}

// Attempts, and the shortest geodesic that one of them found.
struct Search {
  Attempt found;
  Attempt last;
  Curve start;              // the last one
  double start_length = 0;  // of the shortest start
  int iterations = 0;

  bool satisfied() const { return found.converged && found.length <= (1 + kLongerThanChords) * start_length; }
};

Search search(const GeodesicProblem& problem, const CollocationOptions& options, SolveContext& context) {
  const Manifold& manifold = *problem.manifold;
  Search out;
  out.start = problem.initial;
  for (const Vigour& vigour : kAttempts) {
    RelaxationOptions relaxation = relaxation_within(context, vigour.relaxation * options.relaxation);
    relaxation.worthwhile = vigour.worthwhile;
    relaxation.chords *= vigour.finer;
    out.start = relaxed(manifold, out.start, relaxation, context.workspace());
    out.start_length = length_of_start(manifold, out.start, context.workspace());
    const int intervals = vigour.finer * options.intervals;
    if (vigour.finer > 1 && intervals > options.max_intervals) break;
    out.last = attempt_from(problem, out.start, intervals, options, out.iterations, context);
    out.iterations += out.last.iterations;
    if (out.last.converged && (!out.found.converged || out.last.length < (1 - kLongerThanChords) * out.found.length)) {
      if (out.found.converged) context.met_curve(out.found.curve);
      out.found = out.last;
    }
    if (out.found.converged) {
      context.keep(out.found.curve);
    } else if (!out.last.curve.empty() && out.last.length <= (1 + kLongerThanChords) * out.start_length) {
      context.keep(out.last.curve);
    }
    if (out.satisfied() || out.last.newton == IterationStatus::kStopped) break;
  }
  return out;
}

std::string converged_message(const Search& search) {
  std::string message = fmt::format(
      "geodesic equation solved by collocation on {} intervals, {} iterations, residual "
      "{:.1g} of the length",
      search.found.intervals, search.iterations, search.found.residual);
  if (!search.satisfied()) {
    message += fmt::format("; it is longer than the curve that collocation started from ({:.6g} against {:.6g})",
                           search.found.length, search.start_length);
  }
  return message;
}

}  // namespace

RawSolution CollocationSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (auto point = solution_of_a_point(problem, context)) return *std::move(point);
  RawSolution out;
  CollocationOptions options = options_;
  options.tolerance = tolerance_for(options.tolerance, kUsualTolerance, ToleranceKind::kResidual, context);
  Search found = search(problem, options, context);
  out.iterations = found.iterations;
  if (found.found.converged) {
    out.claim = Termination::kConverged;
    out.message = converged_message(found);
    out.curve = std::move(found.found.curve);
  } else {
    // A mesh that was solved is worth more than the start unless it went astray.
    const bool coarse = !found.last.curve.empty() && found.last.length <= (1 + kLongerThanChords) * found.start_length;
    out.claim = claim_of(found.last.newton, context);
    out.message = failed_message(found.last, coarse);
    out.curve = coarse ? std::move(found.last.curve) : std::move(found.start);
  }
  mention_kinks(*problem.manifold, out);
  return out;
}

const PluginInfo* pullback_plugin_collocation() {
  static const PluginInfo info{kPluginApiVersion, "collocation", "1.0", this_build(), [](PluginRegistrar& registrar) {
                                 registrar.solvers.add<CollocationSolver, CollocationOptions>(
                                     "collocation",
                                     "solves the geodesic equation by Lobatto collocation of fourth order, with "
                                     "residual control and a mesh that "
                                     "refines itself",
                                     "Kierzenka, Shampine 2001, doi:10.1145/502800.502801",
                                     SolverTraits{.needs_second_derivatives = true, .accuracy = 1e-8});
                               }};
  return &info;
}

}  // namespace pullback
