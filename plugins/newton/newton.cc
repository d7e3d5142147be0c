#include "pullback/plugins/newton/newton.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "pullback/manifold/numerics/second_difference.h"
#include "pullback/plugins/newton/moving_curve.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// A doubling of the chords divides the excess by 2⁸ in the limit; by about this before it.
constexpr double kExcessFall = 64;
// The same for the minimum of E_K, whose excess falls by 2⁴.
constexpr double kChordExcessFall = 8;
// Excess at which a curve that is to be refined is left alone: the next Newton step leaves its square.
constexpr double kSettled = 1e-4;
// The share of the excess of the level before that is one to be left alone.
constexpr double kWorthwhile = 0.25;
// Of the minimum of E_K where f is not smooth.
constexpr double kChordTolerance = 1e-12;
// A coarse curve must show this share of the length of one of kFineChords chords.
constexpr int kFineChords = 64;
constexpr double kResolved = 0.98;
constexpr int kMostSaddles = 3;
// A start on too few chords is repeated with so many times as many.
constexpr int kRestartFactor = 4;
constexpr int kMostRestarts = 2;

double chord_length(const Manifold& manifold, const Matrix& nodes, Workspace& ws) {
  Vector d(nodes.cols() - 1);
  manifold.chords(nodes, d, ws);
  return d.sum();
}

// Every `stride`-th node.
Matrix thinned(const Matrix& nodes, Eigen::Index stride) {
  Matrix out(nodes.rows(), (nodes.cols() - 1) / stride + 1);
  for (Eigen::Index i = 0; i < out.cols(); ++i) out.col(i) = nodes.col(stride * i);
  return out;
}

// Nodes at equal distances on the initial curve, `least` chords or as many as resolve it.
Matrix first_nodes(const Manifold& manifold, const GeodesicProblem& problem, int least, Workspace& ws) {
  int chords = least;
  while (chords < kFineChords) chords *= 2;
  Matrix fine = constant_speed(manifold, problem.initial, chords, ws).positions();
  fine.col(0) = problem.from;
  fine.rightCols(1) = problem.to;
  const double length = chord_length(manifold, fine, ws);
  for (int coarse = least; coarse < chords; coarse *= 2) {
    Matrix nodes = thinned(fine, chords / coarse);
    // Coarse chords are too short of a map, and may be too long of a metric given directly.
    if (std::abs(chord_length(manifold, nodes, ws) - length) <= (1 - kResolved) * length) return nodes;
  }
  return fine;
}

Termination claim_of(MotionStatus status, SolveContext& context) {
  switch (status) {
    case MotionStatus::kSettled:
    case MotionStatus::kSaddle:
      return Termination::kConverged;  // of which the certificate says what it is
    case MotionStatus::kMaxIterations:
      return Termination::kMaxIterations;
    case MotionStatus::kStopped:
      return context.stop_reason();
    case MotionStatus::kNotFinite:
      return Termination::kNumericalFailure;
    case MotionStatus::kUnresolved:
    case MotionStatus::kStalled:
      break;
  }
  return Termination::kStalled;
}

std::string message_of(MotionStatus status, int chords) {
  switch (status) {
    case MotionStatus::kSettled:
      return fmt::format("Newton's method settled on {} chords", chords);
    case MotionStatus::kSaddle:
      return fmt::format("Newton's method ended in a saddle on {} chords", chords);
    case MotionStatus::kMaxIterations:
      return fmt::format("the energy of {} chords still falls; raise max_iterations", chords);
    case MotionStatus::kStopped:
      return fmt::format("stopped with {} chords", chords);
    case MotionStatus::kNotFinite:
      return fmt::format("the energy of {} chords or a derivative of it is not finite", chords);
    case MotionStatus::kUnresolved:
      return fmt::format("{} chords are too few to resolve the curve; raise max_nodes", chords);
    case MotionStatus::kStalled:
      break;
  }
  return fmt::format("no step lowers the energy of {} chords", chords);
}

class Search {
 public:
  Search(const GeodesicProblem& problem, const NewtonOptions& options, SolveContext& context)
      : problem_(problem), manifold_(*problem.manifold), options_(options), context_(context) {}

  RawSolution run();

 private:
  MotionStatus smooth(MovingCurve& curve);
  MotionStatus with_kinks(MovingCurve& curve);
  MotionStatus settle(MovingCurve& curve, double tolerance, double* excess);
  Curve curve_through(const Matrix& nodes) const;
  bool last_level(const MovingCurve& curve) const { return 2 * curve.chords() > options_.max_nodes; }

  const GeodesicProblem& problem_;
  const Manifold& manifold_;
  const NewtonOptions& options_;
  SolveContext& context_;
  int saddles_left_ = kMostSaddles;
  int restarts_left_ = kMostRestarts;
};

// Corrects, and leaves saddles as long as that can be done.
MotionStatus Search::settle(MovingCurve& curve, double tolerance, double* excess) {
  *excess = 0;
  for (;;) {
    double now = 0;
    const MotionStatus status = curve.correct(tolerance, options_.max_iterations, &now);
    *excess = std::max(*excess, now);
    if (status != MotionStatus::kSaddle || saddles_left_-- <= 0 || !curve.leave_saddle()) return status;
    *excess = 1;
  }
}

MotionStatus Search::smooth(MovingCurve& curve) {
  const double enough = kExcessFall * options_.tolerance;
  std::optional<double> before;  // excess of the level before
  for (int least = curve.chords();;) {
    double excess = 0;
    // Where one step a level does not bring the excess down, it is for a rough error, which needs more of them.
    const double worthwhile = std::min(kSettled, kWorthwhile * before.value_or(1));
    const double tolerance = last_level(curve) ? enough : std::max(enough, worthwhile);
    const MotionStatus status = settle(curve, tolerance, &excess);
    if (status == MotionStatus::kStopped || status == MotionStatus::kNotFinite) return status;
    const bool resolved = status == MotionStatus::kSettled || status == MotionStatus::kSaddle;
    if (resolved && before && excess <= enough) return status;
    // The smooth gradient does not settle on these chords; their own energy does, and may be near enough.
    if (last_level(curve)) {
      return status == MotionStatus::kUnresolved ? curve.descend(kChordTolerance, options_.max_iterations) : status;
    }
    before = excess;
    if (curve.refine() || restarts_left_-- <= 0) continue;
    // The chords have passed over something that the curve meets: start again with chords too short for that.
    least = std::min(std::max(kFineChords, kRestartFactor * least), std::max(least, options_.max_nodes / 2));
    curve.replace(first_nodes(manifold_, problem_, least, context_.workspace()));
    before.reset();
  }
}

// The minimum of E_K, on twice as many chords as long as that shortens the curve.
MotionStatus Search::with_kinks(MovingCurve& curve) {
  for (double before = 0;;) {
    const MotionStatus status = curve.descend(kChordTolerance, options_.max_iterations);
    if (status == MotionStatus::kSaddle && saddles_left_-- > 0 && curve.leave_saddle()) continue;
    if (status != MotionStatus::kSettled && status != MotionStatus::kSaddle) return status;
    const double after = curve.energy();
    if (before > 0 && 0.5 * (before - after) <= kChordExcessFall * options_.tolerance * after) return status;
    if (last_level(curve)) return status;
    curve.replace(Curve::through(curve.nodes()).position(uniform_times(2 * curve.chords() + 1)));
    if (!curve.linearise()) return MotionStatus::kNotFinite;
    before = curve.energy();
  }
}

Curve Search::curve_through(const Matrix& nodes) const {
  Curve cubic = Curve::through(nodes);
  if (!manifold_.smooth()) return cubic;  // accelerations say nothing about kinks
  // On a geodesic the differences of the nodes are as exact as the geodesic equation would be, and cost nothing.
  const Eigen::Index K = nodes.cols() - 1;
  Matrix accelerations = Matrix::Zero(nodes.rows(), K + 1);
  Matrix ends(nodes.rows(), 2);
  const Eigen::Array<Eigen::Index, 1, 2> at_ends{0, K};
  manifold_.acceleration(nodes(Eigen::all, at_ends), cubic.velocities()(Eigen::all, at_ends), ends,
                         context_.workspace());
  accelerations(Eigen::all, at_ends) = ends;
  for (Eigen::Index i = 1; i < K; ++i) {
    const SecondDifference stencil = second_difference(i, K);
    for (Eigen::Index s = 0; s < 6; ++s) {
      accelerations.col(i) += static_cast<double>(K * K) * stencil.weights[s] * nodes.col(stencil.first + s);
    }
  }
  if (!accelerations.allFinite()) return cubic;
  return {cubic.times(), cubic.positions(), cubic.velocities(), std::move(accelerations)};
}

RawSolution Search::run() {
  RawSolution out;
  const int least = manifold_.smooth() ? options_.nodes : std::max(options_.nodes, kFineChords);
  MovingCurve curve(manifold_, first_nodes(manifold_, problem_, least, context_.workspace()), context_);
  const double length = chord_length(manifold_, curve.nodes(), context_.workspace());
  if (!(length > 0)) return {problem_.initial, Termination::kConverged, "the initial curve has no length", 0, {}};
  // The certificate, which needs no squares, says whether it is a geodesic.
  if (std::isfinite(length) && !std::isnormal(length * length)) {
    return {problem_.initial,
            Termination::kConverged,
            "the initial curve, whose energy is no number that a double holds",
            0,
            {}};
  }
  const MotionStatus status = manifold_.smooth() ? smooth(curve) : with_kinks(curve);
  out.curve = curve_through(curve.nodes());
  out.claim = claim_of(status, context_);
  out.message = message_of(status, curve.chords());
  out.iterations = curve.iterations();
  return out;
}

}  // namespace

RawSolution NewtonSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  return Search(problem, options_, context).run();
}

const PluginInfo* pullback_plugin_newton() {
  static const PluginInfo info{
      kPluginApiVersion, "newton", "1.0", this_build(), [](PluginRegistrar& registrar) {
        registrar.solvers.add<NewtonSolver, NewtonOptions>(
            "newton", "Newton-Levenberg-Marquardt on the discrete energy with its exact Hessian, coarse to fine",
            "Rumpf, Wirth 2015, doi:10.1093/imanum/dru027",
            SolverTraits{.needs_second_derivatives = true, .handles_kinks = true, .accuracy = 1e-8});
      }};
  return &info;
}

}  // namespace pullback
