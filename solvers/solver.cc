#include "pullback/solvers/solver.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <stdexcept>

#include "pullback/manifold/measure.h"
#include "pullback/solvers/certificate.h"
#include "pullback/solvers/verdict.h"

namespace pullback {
namespace {

// Chords of the polyline by which curves that were met on the way are compared; a shorter one must be so by this
// fraction.
constexpr int kComparisonChords = 512;
constexpr double kShorterBy = 1e-6;
constexpr double kCertain = 1e-3;

void require_point(const char* what, const Vector& point, int dimension) {
  if (point.size() != dimension) {
    throw std::invalid_argument(
        fmt::format("geodesic problem: '{}' must have dimension {}, got {}", what, dimension, point.size()));
  }
  for (Eigen::Index i = 0; i < point.size(); ++i) {
    if (std::isfinite(point(i))) continue;
    throw std::invalid_argument(
        fmt::format("geodesic problem: '{}' must be finite, got {} in coordinate {}", what, point(i), i));
  }
}

void validate(const GeodesicProblem& problem) {
  if (!problem.manifold) throw std::invalid_argument("geodesic problem: the manifold is null");
  const int n = problem.manifold->dimension();
  require_point("from", problem.from, n);
  require_point("to", problem.to, n);
  if (!problem.initial.empty() && problem.initial.dimension() != n) {
    throw std::invalid_argument(fmt::format("geodesic problem: the initial curve must have dimension {}, got {}", n,
                                            problem.initial.dimension()));
  }
  if (problem.points.size() > 0 && problem.points.rows() != n) {
    throw std::invalid_argument(fmt::format("geodesic problem: points must be {}×K, got {}×{}", n,
                                            problem.points.rows(), problem.points.cols()));
  }
  if (problem.points.size() > 0 && !problem.points.allFinite()) {
    throw std::invalid_argument("geodesic problem: points must be finite");
  }
}

double polyline_length(const Manifold& manifold, const Curve& curve, Workspace& ws) {
  Vector d(kComparisonChords);
  manifold.chords(curve.position(uniform_times(kComparisonChords + 1)), d, ws);
  return d.sum();
}

// The shortest of the curves met with the right ends, when it beats the length found. A polyline is shorter than its
// curve, so that it only says which are worth measuring.
std::optional<double> shorter_met(const Manifold& manifold, const std::vector<Curve>& met, double length,
                                  Workspace& ws) {
  std::optional<double> shortest;
  const double shorter = length * (1 - kShorterBy);
  for (const Curve& curve : met) {
    if (curve.empty() || polyline_length(manifold, curve, ws) >= shorter) continue;
    const Measurement measured = measure(manifold, curve, ws);
    // A length that is not certain itself proves nothing about another one.
    if (!(measured.numerical_error <= kCertain * measured.length)) continue;
    const double at_most = measured.length + measured.numerical_error;
    // Written so that a length that is NaN counts for nothing, and every finite one for less than that.
    if (std::isfinite(at_most) && !(at_most >= shorter) && at_most < shortest.value_or(INFINITY)) shortest = at_most;
  }
  return shortest;
}

}  // namespace

SolveContext::SolveContext(const SolveControl& control, Workspace& workspace)
    : control_(control), workspace_(workspace), start_(std::chrono::steady_clock::now()) {}

double SolveContext::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool SolveContext::should_stop() {
  if (control_.should_stop && control_.should_stop()) {
    stop_reason_ = Termination::kStopped;
    return true;
  }
  if (control_.time_limit > 0 && seconds() > control_.time_limit) {
    stop_reason_ = Termination::kTimeLimit;
    return true;
  }
  return false;
}

void SolveContext::change_met_curves(std::size_t first, const std::function<Curve(const Curve&)>& change) {
  for (std::size_t i = first; i < met_curves_.size(); ++i) met_curves_[i] = change(met_curves_[i]);
}

void SolveContext::record(int iteration, double length) { trace_.push_back({iteration, seconds(), length}); }

GeodesicResult GeodesicSolver::solve(const GeodesicProblem& problem, const SolveControl& control) const {
  validate(problem);
  Workspace ws;
  SolveContext context(control, ws);
  GeodesicResult result;
  result.solver = name_;
  GeodesicProblem started = problem;
  if (started.initial.empty()) started.initial = Curve::straight(problem.from, problem.to);
  Outcome outcome;
  try {
    outcome = run(started, context);
  } catch (const std::exception& error) {
    outcome.message = fmt::format("{} failed: {}", name_, error.what());
  } catch (...) {
    outcome.message = fmt::format("{} failed with an exception of an unknown type", name_);
  }
  result.effort.solver_seconds = context.seconds();
  result.effort.evaluations = ws.counts();
  result.effort.iterations = outcome.iterations;
  result.trace = context.trace();
  result.curve = std::move(outcome.curve);
  result.termination = outcome.claim;
  result.message = std::move(outcome.message);
  if (!result.curve.empty() && result.curve.dimension() != problem.manifold->dimension()) result.curve = {};
  if (result.curve.empty()) {
    if (result.termination == Termination::kConverged) result.termination = Termination::kNumericalFailure;
  } else {
    result.certificate = measure_certificate(*problem.manifold, result.curve, problem.from, problem.to, ws);
    result.certificate.condition.regularisation = outcome.regularisation;
    context.met_curve(started.initial);
    result.certificate.shorter_known =
        shorter_met(*problem.manifold, context.met_curves(), result.certificate.length, ws);
    const Verdict verdict = judge(result.certificate, result.termination, result.message);
    result.termination = verdict.termination;
    result.message = verdict.message;
  }
  result.effort.certificate_evaluations = ws.counts() - result.effort.evaluations;
  result.effort.seconds = context.seconds();
  result.effort.certificate_seconds = result.effort.seconds - result.effort.solver_seconds;
  return result;
}

}  // namespace pullback
