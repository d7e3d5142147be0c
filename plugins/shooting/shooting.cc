#include "pullback/plugins/shooting/shooting.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "pullback/plugins/shooting/joints.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/start.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

// For an accuracy of 1e-6.
constexpr double kUsualTolerance = 1e-9;
constexpr double kUsualOdeTolerance = 1e-11;

// Geodesics whose lengths differ by less than this fraction are the same.
constexpr double kSame = 1e-6;
// Segments of the attempts when nobody says how many.
constexpr int kAttempts[] = {1, 4, 16};

// Attempts from one starting curve, and the shortest geodesic that one of them found.
class Search {
 public:
  Search(const GeodesicProblem& problem, Curve start, const ShootingBounds& bounds, SolveContext& context)
      : manifold_(*problem.manifold),
        target_(problem.to),
        bounds_(bounds),
        context_(context),
        start_(std::move(start)),
        start_length_(length_of_start(manifold_, start_, context.workspace())) {}

  void attempt(int segments) {
    take(shoot(manifold_, joints_on(start_, segments), target_, bounds_, iterations_, context_),
         segments == 1 ? "single shooting" : fmt::format("shooting with {} segments", segments));
  }

  bool found() const { return found_.status == IterationStatus::kConverged; }
  // A geodesic was found that is no longer than where it started from.
  bool satisfied() const { return found() && found_.length <= (1 + kLongerThanChords) * start_length_; }
  bool stopped() const { return last_.status == IterationStatus::kStopped; }
  int iterations() const { return iterations_; }
  double start_length() const { return start_length_; }
  const Shot& last() const { return last_; }
  const std::string& last_method() const { return last_method_; }
  const Shot& geodesic() const { return found_; }
  const std::string& method() const { return method_; }

 private:
  void take(Shot shot, std::string method) {
    iterations_ += shot.iterations;
    if (shot.status == IterationStatus::kConverged && (!found() || shot.length < (1 - kSame) * found_.length)) {
      if (found()) context_.met_curve(found_.curve);
      found_ = shot;
      context_.keep(found_.curve);
      method_ = method;
    }
    last_ = std::move(shot);
    last_method_ = std::move(method);
  }

  const Manifold& manifold_;
  const Vector& target_;
  const ShootingBounds& bounds_;
  SolveContext& context_;
  Curve start_;
  double start_length_;
  int iterations_ = 0;
  Shot found_;
  std::string method_;
  Shot last_;
  std::string last_method_;
};

std::string failed_message(const Search& search) {
  const Shot& last = search.last();
  constexpr const char* kCurve = "the curve is the one it started from";
  switch (last.status) {
    case IterationStatus::kStopped:
      return fmt::format("stopped after {} iterations; {}", search.iterations(), kCurve);
    case IterationStatus::kMaxIterations:
      return fmt::format(
          "{} still misses by {:.2g} of the length after {} iterations; {}; raise max_iterations or start "
          "from a better curve",
          search.last_method(), last.miss, last.iterations, kCurve);
    case IterationStatus::kStalled:
      return fmt::format("{} misses by {:.2g} of the length and no step comes closer; {}; start from a better curve",
                         search.last_method(), last.miss, kCurve);
    default:
      return fmt::format("{} meets a point where the metric is singular or not finite; {}", search.last_method(),
                         kCurve);
  }
}

std::string converged_message(const Search& search) {
  std::string message = fmt::format("geodesic equation solved by {}, {} iterations, miss {:.1g} of the length",
                                    search.method(), search.iterations(), search.geodesic().miss);
  if (!search.satisfied()) {
    message += fmt::format("; it is longer than the curve that shooting started from ({:.6g} against {:.6g})",
                           search.geodesic().length, search.start_length());
  }
  return message;
}

}  // namespace

RawSolution ShootingSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  if (auto point = solution_of_a_point(problem, context)) return *std::move(point);
  RawSolution out;
  out.curve = problem.initial;
  const ShootingBounds bounds{
      tolerance_for(options_.tolerance, kUsualTolerance, ToleranceKind::kResidual, context),
      tolerance_for(options_.ode_tolerance, kUsualOdeTolerance, ToleranceKind::kResidual, context),
      options_.max_iterations};
  Search search(
      problem,
      relaxed(*problem.manifold, problem.initial, relaxation_within(context, options_.relaxation), context.workspace()),
      bounds, context);
  const bool automatic = options_.segments == 0;
  for (const int segments :
       automatic ? std::vector<int>(std::begin(kAttempts), std::end(kAttempts)) : std::vector<int>{options_.segments}) {
    search.attempt(segments);
    if (search.satisfied() || search.stopped()) break;
  }
  out.iterations = search.iterations();
  if (search.found()) {
    out.curve = search.geodesic().curve;
    out.claim = Termination::kConverged;
    out.message = converged_message(search);
  } else {
    out.claim = claim_of(search.last().status, context);
    out.message = failed_message(search);
  }
  mention_kinks(*problem.manifold, out);
  return out;
}

const PluginInfo* pullback_plugin_shooting() {
  static const PluginInfo info{kPluginApiVersion, "shooting", "1.0", this_build(), [](PluginRegistrar& registrar) {
                                 registrar.solvers.add<ShootingSolver, ShootingOptions>(
                                     "shooting",
                                     "finds the initial velocity that hits the other end, by Newton with exact "
                                     "sensitivities (Boost.Odeint); single or multiple",
                                     "Keller 1968; Deuflhard 2011, doi:10.1007/978-3-642-23899-4",
                                     SolverTraits{.needs_second_derivatives = true, .accuracy = 1e-8});
                               }};
  return &info;
}

}  // namespace pullback
