#include "pullback/solvers/solver.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/curves/straight_line.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/solvers/certificate.h"
#include "pullback/solvers/verdict.h"

namespace pullback {
namespace {

// Chords of the polyline by which curves that were met on the way are compared; a shorter one must be so by this
// fraction.
constexpr int kComparisonChords = 512;
constexpr double kShorterBy = 1e-6;
constexpr double kCertain = 1e-3;
constexpr double kLongestLimit = 1e9;
constexpr double kLeastAccuracy = 1e-12;
constexpr double kMostAccuracy = 1e-2;
constexpr std::int64_t kMetricsPerPoint = 100;
// The certificate may take this much longer than the limit, and seconds after the caller stopped the solve.
constexpr double kLimitStretch = 1.1;
constexpr double kLimitGrace = 0.1;
constexpr double kStopGrace = 0.3;
// Evaluations that the certificate takes for the length, and besides.
constexpr double kLengthValues = 2'000;
constexpr double kLengthJacobians = 200;
constexpr double kCertificateValues = 1'500;
constexpr double kCertificateJacobians = 1'500;

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

// The shortest of the curves met with the right ends, when it beats the length found. A polyline is shorter than its
// curve, so that it only says which are worth measuring.
std::optional<double> shorter_met(const Manifold& manifold, const std::vector<Curve>& met, double length,
                                  Workspace& ws) {
  std::optional<double> shortest;
  const double shorter = length * (1 - kShorterBy);
  for (const Curve& curve : met) {
    if (curve.empty() || chord_length(manifold, curve, kComparisonChords, ws) >= shorter) continue;
    const Measurement measured = measure(manifold, curve, ws);
    // A length that is not certain itself proves nothing about another one.
    if (!(measured.numerical_error <= kCertain * measured.length)) continue;
    const double at_most = measured.length + measured.numerical_error;
    // Written so that a length that is NaN counts for nothing, and every finite one for less than that.
    if (std::isfinite(at_most) && !(at_most >= shorter) && at_most < shortest.value_or(INFINITY)) shortest = at_most;
  }
  return shortest;
}

void validate(const SolveControl& control) {
  if (!(control.time_limit >= 0 && control.time_limit <= kLongestLimit)) {
    throw std::invalid_argument(
        fmt::format("solve control: 'time_limit' must be from 0 (no limit) to {:g} seconds, got {}", kLongestLimit,
                    control.time_limit));
  }
  if (!(control.accuracy >= kLeastAccuracy && control.accuracy <= kMostAccuracy)) {
    throw std::invalid_argument(fmt::format("solve control: 'accuracy' must be from {:g} to {:g}, got {}",
                                            kLeastAccuracy, kMostAccuracy, control.accuracy));
  }
}

std::function<bool()> either(const std::function<bool()>& a, const std::function<bool()>& b) {
  if (!a || !b) return a ? a : b;
  return [a, b] { return a() || b(); };
}

// Asks the certificate to end: a little after the limit, and after the caller stopped the solve.
class CertificateClock {
 public:
  CertificateClock(const SolveControl& control, const SolveContext& context) : control_(control), context_(context) {}

  bool stopped_by_caller() const { return stopped_.has_value(); }

  bool should_stop() {
    const double now = context_.seconds();
    if (control_.time_limit > 0 && now > kLimitStretch * control_.time_limit + kLimitGrace) return true;
    if (!stopped_ && control_.should_stop && control_.should_stop()) stopped_ = now;
    return stopped_ && now > *stopped_ + kStopGrace;
  }

 private:
  const SolveControl& control_;
  const SolveContext& context_;
  std::optional<double> stopped_;  // when the caller did so
};

// To the last bit: not even zeros of different sign are the same.
bool identical(const ConstMatrixRef& a, const ConstMatrixRef& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return false;
  for (Eigen::Index j = 0; j < a.cols(); ++j) {
    const auto bytes = static_cast<std::size_t>(a.rows()) * sizeof(double);
    if (bytes > 0 && std::memcmp(a.col(j).data(), b.col(j).data(), bytes) != 0) return false;
  }
  return true;
}

bool identical(const Curve& a, const Curve& b) {
  return identical(a.times(), b.times()) && identical(a.positions(), b.positions()) &&
         identical(a.velocities(), b.velocities()) && identical(a.accelerations(), b.accelerations());
}

// Measures the certificate of the result's curve unless `known` is that, and what it makes of the claim. What could not
// be measured is NaN.
void certify(const GeodesicProblem& problem, SolveContext& context, const CertificateClock& clock,
             const Certificate* known, GeodesicResult& result) {
  const Manifold& manifold = *problem.manifold;
  const auto failed = [&](Termination termination, const std::string& why) {
    result.termination = termination;
    result.message += why;
  };
  const CertificateLimits limits = limits_for(context.accuracy());
  try {
    if (known != nullptr) {
      result.certificate = *known;
    } else {
      measure_certificate(manifold, result.curve, problem.from, problem.to, context.workspace(), result.certificate,
                          limits);
    }
    result.certificate.shorter_known =
        shorter_met(manifold, context.met_curves(), result.certificate.length, context.workspace());
    const Verdict verdict = judge(result.certificate, result.termination, result.message, limits);
    result.termination = verdict.termination;
    result.message = verdict.message;
  } catch (const StopRequested&) {
    const bool by_caller = result.termination == Termination::kStopped || clock.stopped_by_caller();
    failed(by_caller ? Termination::kStopped : Termination::kTimeLimit,
           by_caller ? "; stopped before the certificate was complete"
                     : "; the time was up before the certificate was complete");
  } catch (const std::exception& error) {
    failed(Termination::kNumericalFailure, fmt::format("; the certificate could not be measured: {}", error.what()));
  } catch (...) {
    failed(Termination::kNumericalFailure, "; the certificate could not be measured: an exception of an unknown type");
  }
}

// The straight line; whatever keeps it from being measured, the solver meets and reports.
Curve start(const GeodesicProblem& problem, Workspace& ws) {
  try {
    return straight_line(*problem.manifold, problem.from, problem.to, ws);
  } catch (...) {
    return Curve::straight(problem.from, problem.to);
  }
}

}  // namespace

SolveContext::SolveContext(const SolveControl& control, Workspace& workspace)
    : control_(control), workspace_(workspace), start_(std::chrono::steady_clock::now()) {}

double SolveContext::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

double SolveContext::seconds_left() const {
  if (!(control_.time_limit > 0)) return std::numeric_limits<double>::infinity();
  return control_.time_limit - certificate_seconds() - seconds();
}

// What to leave for the certificate: all that it is expected to take, or its first stage, the length, where that is at
// most half of the limit.
double SolveContext::certificate_seconds() const {
  const auto cost = [&](Workspace::Kind kind) { return workspace_.seconds_per_point(kind); };
  const double value = std::max(cost(Workspace::Kind::kValue), cost(Workspace::Kind::kMetric));
  const double jacobian = std::max(cost(Workspace::Kind::kJacobian), value);
  const double hessian = std::max(cost(Workspace::Kind::kHessian), cost(Workspace::Kind::kSecondOrder));
  const double length = kLengthValues * value + kLengthJacobians * jacobian;
  const double all = length + kCertificateValues * value + kCertificateJacobians * std::max(jacobian, hessian);
  const double most = 0.5 * control_.time_limit;
  return all <= most ? all : length <= most ? length : 0;
}

void SolveContext::keep(Curve curve) {
  if (!curve.finite()) return;
  for (const KeepChanged* change = change_; change != nullptr; change = change->outer_) curve = change->change_(curve);
  kept_ = std::move(curve);
}

SolveContext::KeepChanged::KeepChanged(SolveContext& context, std::function<Curve(const Curve&)> change)
    : context_(context), change_(std::move(change)), outer_(context.change_) {
  context_.change_ = this;
}

SolveContext::KeepChanged::~KeepChanged() { context_.change_ = outer_; }

bool SolveContext::should_stop() {
  if (control_.should_stop && control_.should_stop()) {
    stop_reason_ = Termination::kStopped;
    return true;
  }
  if (!(seconds_left() > 0)) {
    stop_reason_ = Termination::kTimeLimit;
    return true;
  }
  if (budget_ != nullptr && work() >= budget_->last_) {
    budget_->spent_ = true;
    stop_reason_ = Termination::kMaxIterations;
    return true;
  }
  return false;
}

std::int64_t SolveContext::work() const {
  const EvaluationCounts& counts = workspace_.counts();
  return counts.values + counts.jacobians + counts.second_derivatives + counts.products +
         counts.metrics / kMetricsPerPoint;
}

SolveContext::Budget::Budget(SolveContext& context, std::int64_t points)
    : context_(context), last_(context.work() + points) {
  context_.budget_ = this;
}

SolveContext::Budget::~Budget() { context_.budget_ = nullptr; }

void SolveContext::change_met_curves(std::size_t first, const std::function<Curve(const Curve&)>& change) {
  for (std::size_t i = first; i < met_curves_.size(); ++i) met_curves_[i] = change(met_curves_[i]);
}

Certificate SolveContext::certify(const GeodesicProblem& problem, const Curve& curve) {
  if (const Certified* const known = certified(problem, curve)) return known->certificate;
  const EvaluationCounts before = workspace_.counts();
  const double start = seconds();
  Certificate out =
      measure_certificate(*problem.manifold, curve, problem.from, problem.to, workspace_, limits_for(accuracy()));
  certified_.push_back(
      {problem.manifold.get(), problem.from, problem.to, curve, out, workspace_.counts() - before, seconds() - start});
  return out;
}

bool SolveContext::is_whole(const GeodesicProblem& problem) const {
  return whole_ != nullptr && whole_->manifold == problem.manifold && identical(whole_->from, problem.from) &&
         identical(whole_->to, problem.to);
}

// The problem is that of the whole solve, whose manifold was there before anything was certified: one at the same
// address is the same.
const SolveContext::Certified* SolveContext::certified(const GeodesicProblem& problem, const Curve& curve) const {
  const auto found = std::find_if(certified_.begin(), certified_.end(), [&](const Certified& known) {
    return known.manifold == problem.manifold.get() && identical(known.from, problem.from) &&
           identical(known.to, problem.to) && identical(known.curve, curve);
  });
  return found == certified_.end() ? nullptr : &*found;
}

void SolveContext::record(int iteration, double length) {
  trace_.push_back({iteration, seconds(), length});
  if (control_.on_iteration) control_.on_iteration(trace_.back());
}

RawSolution GeodesicSolver::run_guarded(const GeodesicProblem& problem, SolveContext& context) const {
  RawSolution solution;
  try {
    return run(problem, context);
  } catch (const StopRequested&) {
    const bool kept = !context.kept().empty();
    solution.curve = kept ? joined(context.kept(), problem.from, problem.to) : problem.initial;
    solution.claim = context.stop_reason();
    solution.message =
        fmt::format("{} {}; the curve is {}", name_,
                    solution.claim == Termination::kMaxIterations ? "has taken all the evaluations that it may take"
                                                                  : "was stopped within a step",
                    kept ? "the last that it had" : "the one it started from");
    if (!context.trace().empty()) solution.iterations = context.trace().back().iteration;
  } catch (const std::exception& error) {
    solution.message = fmt::format("{} failed: {}", name_, error.what());
  } catch (...) {
    solution.message = fmt::format("{} failed with an exception of an unknown type", name_);
  }
  return solution;
}

GeodesicResult GeodesicSolver::solve(const GeodesicProblem& problem, const SolveControl& control) const {
  validate(problem);
  validate(control);
  // The scope around this solve may end it too.
  SolveControl bounds = control;
  bounds.should_stop = either(control.should_stop, current_stop());
  const bool bounded = bounds.time_limit > 0 || bounds.should_stop;
  Workspace own;
  Workspace& ws = control.workspace != nullptr ? *control.workspace : own;
  const EvaluationCounts counted = ws.counts();
  SolveContext context(bounds, ws);
  context.whole_ = &problem;
  GeodesicResult result;
  result.solver = name_;
  GeodesicProblem started = problem;
  RawSolution solution;
  {
    const StopScope scope(bounded ? [&context] { return context.should_stop(); } : std::function<bool()>());
    if (started.initial.empty()) started.initial = start(problem, ws);
    solution = run_guarded(started, context);
  }
  result.effort.solver_seconds = context.seconds();
  result.effort.evaluations = ws.counts() - counted;
  result.effort.iterations = solution.iterations;
  result.trace = context.trace();
  result.curve = std::move(solution.curve);
  result.termination = solution.claim;
  result.message = std::move(solution.message);
  if (!result.curve.empty() && result.curve.dimension() != problem.manifold->dimension()) result.curve = {};
  if (result.curve.empty()) {
    if (result.termination == Termination::kConverged) result.termination = Termination::kNumericalFailure;
  } else {
    CertificateClock clock(bounds, context);
    const StopScope scope(bounded ? [&clock] { return clock.should_stop(); } : std::function<bool()>());
    context.met_curve(started.initial);
    const SolveContext::Certified* const known = context.certified(problem, result.curve);
    if (known != nullptr) {
      result.effort.evaluations = result.effort.evaluations - known->evaluations;
      result.effort.solver_seconds -= known->seconds;
    }
    certify(problem, context, clock, known != nullptr ? &known->certificate : nullptr, result);
    result.certificate.condition.regularisation = solution.regularisation;
  }
  result.effort.certificate_evaluations = ws.counts() - counted - result.effort.evaluations;
  result.effort.seconds = context.seconds();
  result.effort.certificate_seconds = result.effort.seconds - result.effort.solver_seconds;
  return result;
}

}  // namespace pullback
