#include "pullback/plugins/shooting/shooting.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pullback/manifold/curves/relaxation.h"
#include "pullback/plugins/shooting/joints.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// A geodesic may be longer than the chords of the curve it started from by this fraction, which covers what chords cut
// off.
constexpr double kLonger = 1e-3;
constexpr int kLengthChords = 512;
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
        start_(std::move(start)) {
    Vector chords(kLengthChords);
    manifold_.chords(start_.position(uniform_times(kLengthChords + 1)), chords, context.workspace());
    start_length_ = chords.sum();
  }

  void attempt(int segments) {
    take(shoot(manifold_, joints_on(start_, segments), target_, bounds_, iterations_, context_),
         segments == 1 ? "single shooting" : fmt::format("shooting with {} segments", segments));
  }

  bool found() const { return found_.status == ShootingStatus::kConverged; }
  // A geodesic was found that is no longer than where it started from.
  bool satisfied() const { return found() && found_.length <= (1 + kLonger) * start_length_; }
  bool stopped() const { return last_.status == ShootingStatus::kStopped; }
  int iterations() const { return iterations_; }
  double start_length() const { return start_length_; }
  const Shot& last() const { return last_; }
  const std::string& last_method() const { return last_method_; }
  const Shot& geodesic() const { return found_; }
  const std::string& method() const { return method_; }

 private:
  void take(Shot shot, std::string method) {
    iterations_ += shot.iterations;
    if (shot.status == ShootingStatus::kConverged && (!found() || shot.length < (1 - kSame) * found_.length)) {
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
  double start_length_ = 0;
  int iterations_ = 0;
  Shot found_;
  std::string method_;
  Shot last_;
  std::string last_method_;
};

Termination failed_claim(const Search& search, SolveContext& context) {
  switch (search.last().status) {
    case ShootingStatus::kStopped:
      return context.stop_reason();
    case ShootingStatus::kMaxIterations:
      return Termination::kMaxIterations;
    case ShootingStatus::kStalled:
      return Termination::kStalled;
    default:
      return Termination::kNumericalFailure;
  }
}

std::string failed_message(const Search& search) {
  const Shot& last = search.last();
  constexpr const char* kCurve = "the curve is the one it started from";
  switch (last.status) {
    case ShootingStatus::kStopped:
      return fmt::format("stopped after {} iterations; {}", search.iterations(), kCurve);
    case ShootingStatus::kMaxIterations:
      return fmt::format(
          "{} still misses by {:.2g} of the length after {} iterations; {}; raise max_iterations or start "
          "from a better curve",
          search.last_method(), last.miss, last.iterations, kCurve);
    case ShootingStatus::kStalled:
      return fmt::format("{} misses by {:.2g} of the length and no step comes closer; {}; start from a better curve",
                         search.last_method(), last.miss, kCurve);
    default:
      return fmt::format("{} meets a point where the metric is singular or not finite; {}", search.last_method(),
                         kCurve);
  }
}

std::string converged_message(const Search& search, const Manifold& manifold) {
  std::string message = fmt::format("geodesic equation solved by {}, {} iterations, miss {:.1g} of the length",
                                    search.method(), search.iterations(), search.geodesic().miss);
  if (!search.satisfied()) {
    message += fmt::format("; it is longer than the curve that shooting started from ({:.6g} against {:.6g})",
                           search.geodesic().length, search.start_length());
  }
  if (!manifold.smooth()) message += "; the geodesic equation does not see the kinks of this manifold";
  return message;
}

}  // namespace

RawSolution ShootingSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  RawSolution out;
  out.curve = problem.initial;
  if (problem.from == problem.to) {
    out.curve = Curve::straight(problem.from, problem.to);
    out.claim = Termination::kConverged;
    out.message = "the ends coincide";
    return out;
  }
  const ShootingBounds bounds{options_.tolerance, options_.ode_tolerance, options_.max_iterations};
  RelaxationOptions relaxation;
  relaxation.iterations = options_.relaxation;
  relaxation.should_stop = [&context] { return context.should_stop(); };
  relaxation.keep = [&context](Curve curve) { context.keep(std::move(curve)); };
  Search search(problem, relaxed(*problem.manifold, problem.initial, relaxation, context.workspace()), bounds, context);
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
    out.message = converged_message(search, *problem.manifold);
  } else {
    out.claim = failed_claim(search, context);
    out.message = failed_message(search);
    if (!problem.manifold->smooth()) out.message += "; the geodesic equation does not see the kinks of this manifold";
  }
  return out;
}

const PluginInfo* pullback_plugin_shooting() {
  static const PluginInfo info{kPluginApiVersion, "shooting", "1.0", this_build(), [](PluginRegistrar& registrar) {
                                 registrar.solvers.add<ShootingSolver, ShootingOptions>(
                                     "shooting",
                                     "finds the initial velocity that hits the other end, by Newton with exact "
                                     "sensitivities (Boost.Odeint, SolverTraits{.needs_second_derivatives = true, "
                                     ".accuracy = 1e-8}); single or multiple",
                                     "Keller 1968; Deuflhard 2011, doi:10.1007/978-3-642-23899-4");
                               }};
  return &info;
}

}  // namespace pullback
