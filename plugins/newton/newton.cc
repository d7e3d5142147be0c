#include "pullback/plugins/newton/newton.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/nodal_differences.h"
#include "pullback/plugins/newton/moving_curve.h"
#include "pullback/solvers/certificate.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/refinement.h"
#include "pullback/solvers/start.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

// For an accuracy of 1e-6, of which the certificate allows 2e-7; by deferred correction, whose error falls less
// regularly.
constexpr double kUsualTolerance = 5e-8;
constexpr double kDeferredTolerance = 2e-9;
// A doubling of the chords divides the excess by 2¹² in the limit; before it by at least about the first, and by about
// half of what the doubling before did, up to the second.
constexpr double kExcessFall = 64;
constexpr double kMostFall = 1000;
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
  Matrix fine = starting_nodes(problem, chords, ws);
  const double length = chord_length(manifold, fine, ws);
  for (int coarse = least; coarse < chords; coarse *= 2) {
    Matrix nodes = thinned(fine, chords / coarse);
    // Coarse chords are too short of a map, and may be too long of a metric given directly.
    if (std::abs(chord_length(manifold, nodes, ws) - length) <= (1 - kResolved) * length) return nodes;
  }
  return fine;
}

// The levels of one solve: the moving curve has the nodes, and what was evaluated at them.
class Search {
 public:
  Search(const GeodesicProblem& problem, const NewtonOptions& options, SolveContext& context)
      : problem_(problem),
        manifold_(*problem.manifold),
        options_(options),
        context_(context),
        curve_(manifold_, first_nodes(manifold_, problem_, fewest_chords(), context.workspace()), context),
        least_(curve_.chords()) {}

  RawSolution run();

 private:
  int fewest_chords() const { return manifold_.smooth() ? options_.nodes : std::max(options_.nodes, kFineChords); }
  RefinementLevel smooth(const RefinementTask& task);
  RefinementLevel with_kinks(const RefinementTask& task);
  void refine_smooth();
  IterationStatus settle(double tolerance, double* excess);
  Curve curve_through(const Matrix& nodes) const;
  bool good_enough(const Curve& curve);

  const GeodesicProblem& problem_;
  const Manifold& manifold_;
  const NewtonOptions& options_;
  SolveContext& context_;
  MovingCurve curve_;
  int least_;                     // chords that it begins with, or begins again with
  std::optional<double> before_;  // excess of the level before
  int saddles_left_ = kMostSaddles;
  int restarts_left_ = kMostRestarts;
};

// Corrects, and leaves saddles as long as that can be done.
IterationStatus Search::settle(double tolerance, double* excess) {
  *excess = 0;
  for (;;) {
    double now = 0;
    const IterationStatus status = curve_.correct(tolerance, options_.max_iterations, &now);
    *excess = std::max(*excess, now);
    if (status != IterationStatus::kSaddle || saddles_left_-- <= 0 || !curve_.leave_saddle()) return status;
    *excess = 1;
  }
}

RefinementLevel Search::smooth(const RefinementTask& task) {
  RefinementLevel out;
  double excess = 0;
  const double enough = kExcessFall * options_.tolerance;
  // Where one step a level does not bring the excess down, it is for a rough error, which needs more of them.
  const double worthwhile = std::min(kSettled, kWorthwhile * before_.value_or(1));
  out.status = settle(task.last ? enough : std::max(enough, worthwhile), &excess);
  if (out.status == IterationStatus::kStopped || out.status == IterationStatus::kNotFinite) return out;
  const bool resolved = out.status == IterationStatus::kConverged || out.status == IterationStatus::kSaddle;
  const double most_fall = curve_.exact_corrections() ? kMostFall : kExcessFall;
  if (resolved && before_) out.excess = excess / std::clamp(0.5 * *before_ / excess, kExcessFall, most_fall);
  if (task.last && out.status == IterationStatus::kUnresolved) {
    // The smooth gradient does not settle on these chords; their own energy does, and may be near enough.
    out.status = curve_.descend(kChordTolerance, options_.max_iterations);
  } else if (!task.last && !resolved) {
    out.status = IterationStatus::kUnresolved;
  }
  before_ = excess;
  return out;
}

void Search::refine_smooth() {
  if (curve_.refine() || restarts_left_-- <= 0) return;
  // The chords have passed over something that the curve meets: start again with chords too short for that.
  least_ = std::min(std::max(kFineChords, kRestartFactor * least_), std::max(least_, options_.max_nodes / 2));
  curve_.replace(first_nodes(manifold_, problem_, least_, context_.workspace()));
  before_.reset();
}

// The minimum of E_K.
RefinementLevel Search::with_kinks(const RefinementTask& task) {
  RefinementLevel out;
  if (task.level > 0 && !curve_.linearise()) return out;
  const double before = curve_.energy();
  do {
    out.status = curve_.descend(kChordTolerance, options_.max_iterations);
  } while (out.status == IterationStatus::kSaddle && saddles_left_-- > 0 && curve_.leave_saddle());
  out.excess = chord_excess(task, before, curve_.energy());
  return out;
}

Curve Search::curve_through(const Matrix& nodes) const {
  Curve cubic = Curve::through(nodes);
  if (!manifold_.smooth()) return cubic;  // accelerations say nothing about kinks
  // On a geodesic the differences of the nodes are as exact as the geodesic equation would be, and cost nothing.
  const DifferenceOrder order = curve_.exact_corrections() ? DifferenceOrder::kSixth : DifferenceOrder::kFourth;
  Matrix velocities = nodal_velocities(nodes, order);
  const Eigen::Index K = nodes.cols() - 1;
  Matrix accelerations(nodes.rows(), K + 1);
  Matrix ends(nodes.rows(), 2);
  const Eigen::Array<Eigen::Index, 1, 2> at_ends{0, K};
  manifold_.acceleration(nodes(Eigen::all, at_ends), velocities(Eigen::all, at_ends), ends, context_.workspace());
  accelerations << ends.col(0), nodal_accelerations(nodes, order), ends.col(1);
  if (!accelerations.allFinite()) return cubic;
  return {cubic.times(), nodes, std::move(velocities), std::move(accelerations)};
}

// By the certificate that the result is going to have, where it shows whether more chords would help.
bool Search::good_enough(const Curve& curve) {
  if (!manifold_.smooth() || !context_.is_whole(problem_)) return true;
  const CertificateLimits limits = limits_for(context_.accuracy());
  try {
    const Certificate certificate = context_.certify(problem_, curve);
    return !(certificate.relative_excess > limits.relative_excess ||
             certificate.speed_variation > limits.speed_variation);
  } catch (...) {
    return true;  // the time is up, say: whoever measures the result meets that and reports it
  }
}

RawSolution Search::run() {
  const double length = chord_length(manifold_, curve_.nodes(), context_.workspace());
  if (!(length > 0)) return {problem_.initial, Termination::kConverged, "the initial curve has no length", 0, {}};
  // The certificate, which needs no squares, says whether it is a geodesic.
  if (std::isfinite(length) && !std::isnormal(length * length)) {
    return {problem_.initial,
            Termination::kConverged,
            "the initial curve, whose energy is no number that a double holds",
            0,
            {}};
  }
  RefinedMethod method;
  method.solve = [this](Matrix& nodes, const RefinementTask& task) {
    const int before = curve_.iterations();
    RefinementLevel level = manifold_.smooth() ? smooth(task) : with_kinks(task);
    level.iterations = curve_.iterations() - before;
    nodes = curve_.nodes();
    return level;
  };
  method.curve = [this](const Matrix& nodes) { return curve_through(nodes); };
  method.accepted = [this](const Curve& curve) { return good_enough(curve); };
  method.refined = [this](const Matrix& nodes) {
    if (manifold_.smooth()) {
      refine_smooth();
    } else {
      curve_.replace(doubled_nodes(nodes));
    }
    return curve_.nodes();
  };
  return refine(manifold_, curve_.nodes(), method, {options_.max_nodes, options_.tolerance}, context_);
}

}  // namespace

RawSolution NewtonSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  NewtonOptions options = options_;
  const bool exact = problem.manifold->generator() != nullptr && !problem.manifold->prefers_products();
  options.tolerance =
      tolerance_for(options.tolerance, exact ? kUsualTolerance : kDeferredTolerance, ToleranceKind::kExcess, context);
  return Search(problem, options, context).run();
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
