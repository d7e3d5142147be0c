#include "pullback/plugins/leapfrog/leapfrog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "pullback/manifold/numerics/anderson.h"
#include "pullback/plugins/leapfrog/broken_geodesic.h"
#include "pullback/solvers/iteration_status.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/start.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

constexpr double kUsualTolerance = 1e-8;  // for an accuracy of 1e-6

constexpr const char* kDefaultInner = "georce";
// Mixing starts once the moves stand for less than this: far from the geodesic its extrapolation may lead elsewhere.
constexpr double kNear = 0.1;
// Mixing starts anew when the moves are this many times those of the sweep before.
constexpr double kGrowth = 2;
// Sweeps in which the inner solver may fail on a piece before it is given up: the first ones start from bent curves.
constexpr int kFailingSweeps = 2;
// Stalled when this many sweeps bring no smaller move of the joints than any before.
constexpr int kPatience = 12;

// The excess that the moves of the joints in a sweep stand for.
//
// The energy of m pieces, ½ m Σ d_i², has the flat Hessian m · tridiag(−1, 2, −1), of smallest eigenvalue π²/m or so. A
// joint alone goes to its minimum by a move of g/(2m), g its gradient; so ½ gᵀH⁻¹g ≤ ½ 4m² Σ‖δ‖² · m/π².
double excess_of(const Matrix& factors, const Matrix& move, double length) {
  const Eigen::Index n = move.rows();
  const auto pieces = static_cast<double>(move.cols() + 1);
  double sum = 0;
  for (Eigen::Index i = 0; i < move.cols(); ++i) sum += (factors.middleCols(n * i, n) * move.col(i)).squaredNorm();
  return 2 * std::pow(pieces, 3) * sum / (std::numbers::pi * std::numbers::pi * length * length);
}

struct Joining {
  IterationStatus status = IterationStatus::kMaxIterations;
  int sweeps = 0;
  double excess = 0;  // that the last moves stood for
};

// Sweeps until the joints rest.
Joining join(BrokenGeodesic& geodesic, const Manifold& manifold, const LeapfrogOptions& options,
             SolveContext& context) {
  AndersonMixing mixing(options.memory);
  Joining out;
  double best = INFINITY;
  double last = INFINITY;
  int since_best = 0;
  int failing = 0;
  while (out.sweeps < options.max_sweeps) {
    const Matrix before = geodesic.joints();
    if (!context.should_stop()) geodesic.sweep();
    if (context.should_stop()) {
      out.status = IterationStatus::kStopped;
      return out;
    }
    const Matrix after = geodesic.joints();
    Matrix factors(after.rows(), after.size());
    manifold.factor(after, factors, context.workspace());
    const Vector lengths = geodesic.lengths();
    const double length = lengths.sum();
    context.keep(geodesic.curve(lengths));
    context.record(out.sweeps++, length);
    out.excess = excess_of(factors, after - before, length);
    if (!std::isfinite(out.excess)) {
      out.status = IterationStatus::kNotFinite;
      return out;
    }
    since_best = out.excess < best ? 0 : since_best + 1;
    best = std::min(best, out.excess);
    if (out.excess <= options.tolerance || since_best > kPatience) {
      out.status = out.excess <= options.tolerance ? IterationStatus::kConverged : IterationStatus::kStalled;
      return out;
    }
    failing = geodesic.failures() > 0 ? failing + 1 : 0;
    if (failing == kFailingSweeps) {
      out.status = IterationStatus::kStalled;
      return out;
    }
    if (out.excess > kGrowth * kGrowth * last) mixing.clear();
    last = out.excess;
    if (out.excess < kNear) geodesic.move_joints(mixing.next(before, after, factors));
  }
  return out;
}

std::string message_of(const Joining& joining, int pieces) {
  switch (joining.status) {
    case IterationStatus::kConverged:
      return fmt::format("{} geodesic pieces joined straight in {} sweeps", pieces, joining.sweeps);
    case IterationStatus::kMaxIterations:
      return fmt::format("the joints of {} pieces still move after {} sweeps (excess about {:.1g}); raise max_sweeps",
                         pieces, joining.sweeps, joining.excess);
    case IterationStatus::kStopped:
      return fmt::format("stopped after {} sweeps over {} pieces", joining.sweeps, pieces);
    case IterationStatus::kStalled:
      return fmt::format(
          "the joints of {} pieces do not come to rest in {} sweeps (excess about {:.1g}); the curve is "
          "the last one",
          pieces, joining.sweeps, joining.excess);
    default:
      break;
  }
  return fmt::format("the metric is not finite at a joint of {} pieces; the curve is the last one", pieces);
}

void register_leapfrog(PluginRegistrar& registrar) {
  registrar.solvers.add_wrapper<LeapfrogSolver, LeapfrogOptions>(
      "leapfrog", "midpoints of geodesic pieces, found by another solver, until the joints rest (Anderson mixing)",
      "Noakes 1998, doi:10.1017/S1446788700001142; Sutti, Vandereycken 2020, arXiv:2409.01023", kDefaultInner,
      SolverTraits{.needs_second_derivatives = true});
}

}  // namespace

RawSolution LeapfrogSolver::solve_piece(const GeodesicProblem& piece, SolveContext& context) const {
  // A context of its own: what a piece meets and records is not of the whole problem.
  SolveControl control;
  control.should_stop = [&context] { return context.should_stop(); };
  SolveContext inner_context(control, context.workspace());
  try {
    return run_other(*inner_, piece, inner_context);
  } catch (const std::exception& error) {
    RawSolution failed;
    failed.message = error.what();
    return failed;
  }
}

RawSolution LeapfrogSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (auto point = solution_of_a_point(problem, context)) return *std::move(point);
  RawSolution out;
  BrokenGeodesic geodesic(
      problem, options_.pieces, [&](const GeodesicProblem& piece) { return solve_piece(piece, context); },
      context.workspace());
  LeapfrogOptions options = options_;
  options.tolerance = tolerance_for(options.tolerance, kUsualTolerance, ToleranceKind::kExcess, context);
  const Joining joining = join(geodesic, *problem.manifold, options, context);
  out.iterations = joining.sweeps;
  out.claim = claim_of(joining.status, context);
  out.message = message_of(joining, options_.pieces);
  if (joining.status == IterationStatus::kConverged) geodesic.solve_pieces();
  out.curve = geodesic.curve();
  if (context.should_stop()) {
    out.claim = context.stop_reason();
  } else if (geodesic.failures() > 0) {
    if (out.claim == Termination::kConverged) out.claim = Termination::kStalled;
    out.message += fmt::format("; {} found no geodesic for {} pieces, lastly: {}", inner_->name(), geodesic.failures(),
                               geodesic.failure());
  }
  return out;
}

const PluginInfo* pullback_plugin_leapfrog() {
  static const PluginInfo info{kPluginApiVersion, "leapfrog", "1.0", this_build(), register_leapfrog};
  return &info;
}

}  // namespace pullback
