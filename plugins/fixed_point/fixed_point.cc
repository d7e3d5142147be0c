#include "pullback/plugins/fixed_point/fixed_point.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>

#include "pullback/plugins/fixed_point/iteration.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/start.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

// For an accuracy of 1e-6.
constexpr double kUsualTolerance = 1e-4;
constexpr double kUsualExcess = 1e-9;

// The equations of one mesh are solved to this share of the residual allowed.
constexpr double kMeshShare = 0.1;
// Meshes one after the other on which the iteration may fail before it is given up.
constexpr int kMostFailures = 3;

// The quintic curve, in the chart, whose accelerations at the mesh are those of the geodesic equation.
Curve curve_of(const WhitenedChart& chart, const AccelerationProcess& process, const Matrix& A, const Vector& from,
               const Vector& to, Workspace& ws) {
  Matrix positions = process.positions(A, from, to);
  Matrix velocities = process.velocities(A, from, to);
  Matrix geodesic(A.rows(), A.cols());
  chart.acceleration(positions, velocities, geodesic, ws);
  return {process.times(), std::move(positions), std::move(velocities), std::move(geodesic)};
}

// By what fraction a curve is longer than the much better one beside it: half the mean square of the angle between
// them. Curves in the chart; what is tangential only moves the parameter.
double excess_over(const WhitenedChart& chart, const Curve& curve, const Curve& better, Workspace& ws) {
  const Vector t = uniform_times(2 * better.pieces() + 1);
  const Matrix velocities = better.velocity(t);
  const Matrix differences = curve.velocity(t) - velocities;
  const Matrix R = chart.factor(better.position(t), ws);
  const Eigen::Index n = chart.dimension();
  double sum = 0;
  for (Eigen::Index k = 0; k < t.size(); ++k) {
    const auto block = R.middleCols(n * k, n).triangularView<Eigen::Upper>();
    const Vector v = block * velocities.col(k);
    const Vector d = block * differences.col(k);
    const double along = d.dot(v) / v.squaredNorm();
    sum += (d - along * v).squaredNorm() / v.squaredNorm();
  }
  return 0.5 * sum / static_cast<double>(t.size());
}

class Refinement {
 public:
  Refinement(const GeodesicProblem& problem, const FixedPointOptions& options, SolveContext& context)
      : problem_(problem),
        options_(options),
        context_(context),
        ws_(context.workspace()),
        relaxed_(relaxed_start()),
        chart_(problem.manifold, relaxed_, ws_),
        from_(chart_.to_chart(problem.from)),
        to_(chart_.to_chart(problem.to)),
        bound_((1 + kLongerThanChords) * length_of_start(*problem.manifold, relaxed_, ws_)) {}

  RawSolution run();

 private:
  Curve relaxed_start() const;
  FixedPoint solve(const AccelerationProcess& process, Matrix start, const IterationBounds& bounds);
  Matrix first_accelerations(const AccelerationProcess& process);
  Matrix accelerations_on(const Curve& curve, const Vector& t) const;
  bool measure(const AccelerationProcess& process, const FixedPoint& found);
  RawSolution outcome();

  const GeodesicProblem& problem_;
  const FixedPointOptions& options_;
  SolveContext& context_;
  Workspace& ws_;
  Curve relaxed_;
  WhitenedChart chart_;
  Vector from_, to_;
  double bound_;  // a curve that is longer than this has gone astray
  int iterations_ = 0;
  FixedPoint last_;
  // Of the finest mesh that was solved, the curve being in the chart and empty when there is none.
  Curve curve_;
  int points_ = 0;
  double residual_ = 0;
  bool converged_ = false;
};

Curve Refinement::relaxed_start() const {
  return relaxed(*problem_.manifold, problem_.initial, relaxation_within(context_, options_.relaxation), ws_);
}

FixedPoint Refinement::solve(const AccelerationProcess& process, Matrix start, const IterationBounds& bounds) {
  FixedPoint out = iterate(chart_, process, from_, to_, std::move(start), bounds, iterations_, context_);
  iterations_ += out.iterations;
  return out;
}

Matrix Refinement::accelerations_on(const Curve& curve, const Vector& t) const {
  Matrix A(curve.dimension(), t.size());
  chart_.acceleration(curve.position(t), curve.velocity(t), A, ws_);
  return A;
}

// The published scheme; the relaxed start where it leads nowhere.
Matrix Refinement::first_accelerations(const AccelerationProcess& process) {
  const Curve initial = chart_.to_chart(problem_.initial);
  const FixedPoint coarse = solve(process, initial.acceleration(process.times()),
                                  {std::sqrt(options_.coarse_tolerance), true, options_.max_iterations, 0});
  last_ = coarse;
  if (coarse.status == IterationStatus::kConverged) {
    const Curve curve = curve_of(chart_, process, coarse.accelerations, from_, to_, ws_);
    if (length_of_start(*problem_.manifold, chart_.from_chart(curve, problem_.from, problem_.to), ws_) <= bound_) {
      return coarse.accelerations;
    }
  }
  return accelerations_on(chart_.to_chart(relaxed_), process.times());
}

// Takes the curve of a solved mesh. True: it is what was asked for.
bool Refinement::measure(const AccelerationProcess& process, const FixedPoint& found) {
  Curve curve = curve_of(chart_, process, found.accelerations, from_, to_, ws_);
  const Vector residual = chart_.residuals(curve, ws_);
  residual_ = std::sqrt(residual.squaredNorm() / static_cast<double>(residual.size())) / found.length;
  points_ = process.points();
  const bool settled = !curve_.empty() && excess_over(chart_, curve_, curve, ws_) <= options_.excess;
  curve_ = std::move(curve);
  if (Curve kept = chart_.from_chart(curve_, problem_.from, problem_.to);
      length_of_start(*problem_.manifold, kept, ws_) <= bound_) {
    context_.keep(std::move(kept));
  }
  return settled || residual_ <= options_.tolerance;
}

RawSolution Refinement::run() {
  AccelerationProcess process(options_.points);
  Matrix start = first_accelerations(process);
  int failures = 0;
  while (last_.status != IterationStatus::kStopped) {
    last_ = solve(process, start, {kMeshShare * options_.tolerance, false, options_.max_iterations, options_.memory});
    if (last_.status == IterationStatus::kStopped) break;
    const bool solved = last_.status == IterationStatus::kConverged;
    failures = solved ? 0 : failures + 1;
    converged_ = solved && measure(process, last_);
    if (converged_ || failures == kMostFailures || 2 * process.points() > options_.max_points) break;
    const AccelerationProcess finer(2 * process.points());
    start = solved ? process.accelerations(last_.accelerations, finer.times())
                   : accelerations_on(chart_.to_chart(relaxed_), finer.times());
    process = finer;
  }
  return outcome();
}

std::string failed_message(const FixedPoint& last, int points, double residual) {
  switch (last.status) {
    case IterationStatus::kConverged:
      return fmt::format(
          "the fixed point on {} points leaves a residual of {:.2g} of the length between them, and more "
          "points are not allowed",
          points, residual);
    case IterationStatus::kStopped:
      return "the fixed-point iteration was stopped";
    case IterationStatus::kMaxIterations:
      return fmt::format("the fixed-point iteration still has a residual of {:.2g} of the length; raise max_iterations",
                         last.residual);
    case IterationStatus::kNotFinite:
      return "the fixed-point iteration meets a point where the metric is singular or not finite";
    default:
      return fmt::format("the fixed-point iteration does not contract: a residual of {:.2g} of the length is left",
                         last.residual);
  }
}

RawSolution Refinement::outcome() {
  RawSolution out;
  out.iterations = iterations_;
  Curve curve = curve_.empty() ? Curve() : chart_.from_chart(curve_, problem_.from, problem_.to);
  if (converged_) {
    out.claim = Termination::kConverged;
    out.message = fmt::format(
        "geodesic equation solved by fixed-point iteration on {} points, {} iterations, residual "
        "{:.1g} of the length",
        points_, iterations_, residual_);
    out.curve = std::move(curve);
    return out;
  }
  // A mesh that was solved and did not do is too coarse.
  const bool solved = last_.status == IterationStatus::kConverged;
  out.claim = claim_of(solved ? IterationStatus::kUnresolved : last_.status, context_);
  out.message = failed_message(last_, points_, residual_);
  const bool useful = !curve.empty() && length_of_start(*problem_.manifold, curve, ws_) <= bound_;
  out.message += useful ? fmt::format("; the curve is that of {} points", points_) : "; the curve is its relaxed start";
  out.curve = useful ? std::move(curve) : std::move(relaxed_);
  return out;
}

}  // namespace

RawSolution FixedPointSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (auto point = solution_of_a_point(problem, context)) return *std::move(point);
  FixedPointOptions options = options_;
  options.tolerance = tolerance_for(options.tolerance, kUsualTolerance, ToleranceKind::kResidual, context);
  options.excess = tolerance_for(options.excess, kUsualExcess, ToleranceKind::kExcess, context);
  RawSolution out = Refinement(problem, options, context).run();
  mention_kinks(*problem.manifold, out);
  return out;
}

const PluginInfo* pullback_plugin_fixed_point() {
  static const PluginInfo info{
      kPluginApiVersion, "fixed_point", "1.0", this_build(), [](PluginRegistrar& registrar) {
        registrar.solvers.add<FixedPointSolver, FixedPointOptions>(
            "fixed_point",
            "iterates the accelerations of a Gaussian process curve until they are those of a geodesic; needs no "
            "derivative of the acceleration",
            "Arvanitidis, Hauberg, Hennig, Schober 2019, arXiv:1901.07229",
            SolverTraits{.needs_second_derivatives = true});
      }};
  return &info;
}

}  // namespace pullback
