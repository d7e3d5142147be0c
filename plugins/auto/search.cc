#include "pullback/plugins/auto/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <iterator>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/curves/saddle.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/solvers/certificate.h"

namespace pullback {
namespace {

// A start is followed only if it is no longer than this times the shortest geodesic found: relaxed on few chords, it is
// near its own.
constexpr double kWorthFollowing = 1.02;
constexpr int kSaddleChords = 128;
// A path of a graph is followed if a few steps of descent bring it within reach of the shortest geodesic known, this
// times its length by the same chords, and more of them below it. What is clearly shorter needs no more of them.
constexpr DescentBounds kFirstDescent{12, 1e-3};
constexpr DescentBounds kFullDescent{20, 1e-5};
constexpr double kWithinReach = 1.02;
constexpr double kClearlyShorter = 0.99;
constexpr double kShorter = 1 - 3e-4;
// On a rough map geodesics lie beside one another that so few chords do not tell apart: some paths that are not
// clearly longer are followed after the first steps.
constexpr double kNear = 1.005;
constexpr int kMostRoughFollows = 2;
// By which the length of a start is seen to be less than that of the geodesic found from it.
constexpr int kStartChords[] = {64, 256};
constexpr char kBesideSaddle[] = "beside a saddle";
// More paths are looked at where few chords show less than this share of the shortest geodesic known, or where its
// second variation is less than this share of the flat one: others may begin near it.
constexpr double kShownByChords = 0.9945;
constexpr double kNearlyConjugate = 0.1 * M_PI * M_PI;
// A geodesic this much longer than the curve that it was followed from is another one's: few chords jumped. It is
// sought again on many.
constexpr double kLostItsWay = 1.001;
// A geodesic that turns up to this many times as sharply as the certificate allows, or is too long by up to this
// fraction, is one that its chords do not resolve: more of them may.
constexpr double kResolvable = 5;
constexpr double kNearlyExact = 1e-4;

bool wants_more_chords(const Candidate& candidate) {
  if (candidate.verdict.termination != Termination::kStalled) return false;
  const CertificateLimits limits;
  const Certificate& c = candidate.certificate;
  return c.max_turning_angle <= limits.max_turning_angle
             ? c.relative_excess <= kNearlyExact
             : c.max_turning_angle <= kResolvable * limits.max_turning_angle;
}

}  // namespace

bool Search::worthwhile(const Start& start) const {
  for (const Candidate& known : found_) {
    if (!known.converged()) continue;
    const double length = known.certificate.length;
    if (start.length > kWorthFollowing * length) return false;
    if (same_way(*problem_.manifold, start, {known.curve, "", length}, context_.workspace())) return false;
  }
  return true;
}

// One solver's curve, certified; *settled: whether it claimed to have converged.
Candidate Search::solved(const GeodesicSolver& solver, const GeodesicProblem& from, const std::string& origin,
                         bool* settled) {
  RawSolution solution = run_(solver, from);
  iterations_ += solution.iterations;
  *settled = solution.claim == Termination::kConverged;
  return certified(problem_, std::move(solution), fmt::format("{} from {}", solver.name(), origin), context_);
}

Candidate Search::solve_from(const Start& start, const Solvers& solvers, bool first_alone) {
  Candidate best;
  try {
    run_all(start, solvers, first_alone, best);
  } catch (const StopRequested&) {
    if (!best.curve.empty()) found_.push_back(std::move(best));
    throw;
  }
  return best;
}

// One solver after the other, each from the curve before where there is one, until one converges or ends at a saddle.
void Search::run_all(const Start& start, const Solvers& solvers, bool first_alone, Candidate& best) {
  GeodesicProblem current = problem_;
  current.initial = start.curve;
  for (const auto& solver : solvers) {
    bool settled = false;
    Candidate candidate = solved(*solver, current, start.origin, &settled);
    if (fine_ != nullptr && settled && wants_more_chords(candidate) && !context_.should_stop()) {
      current.initial = candidate.curve;
      Candidate finer = solved(*fine_, current, start.origin, &settled);
      if (better(finer, candidate)) candidate = std::move(finer);
    }
    if (best.curve.empty() || better(candidate, best)) best = std::move(candidate);
    // A curve that rests on its chords but turns too sharply for its second variation stays so for other solvers.
    const bool too_sharp = settled && best.certificate.max_turning_angle > CertificateLimits{}.max_turning_angle;
    const bool done = too_sharp || best.converged() || best.verdict.termination == Termination::kStationary;
    if (done || first_alone || context_.should_stop()) break;
    const bool astray = start.length > 0 && best.certificate.length > kLostItsWay * start.length;
    current.initial = best.curve.finite() && !astray ? best.curve : start.curve;
  }
}

double Search::shortest() const {
  double length = INFINITY;
  for (const Candidate& known : found_) {
    if (known.converged()) length = std::min(length, known.certificate.length);
  }
  return length;
}

// Whether the geodesic is longer than its start, by chords as many as it takes to see that.
bool Search::lost_its_way(const Candidate& candidate, const Start& start) const {
  if (start.origin == kBesideSaddle) return false;
  const double most = candidate.certificate.length / kLostItsWay;
  return std::all_of(std::begin(kStartChords), std::end(kStartChords), [&](int chords) {
    return chord_length(*problem_.manifold, start.curve, chords, context_.workspace()) < most;
  });
}

const CoarseCurve& Search::coarse_shortest() {
  const double length = shortest();
  for (const Candidate& known : found_) {
    if (!known.converged() || known.certificate.length > length) continue;
    if (length != coarse_length_) coarse_ = coarse(*problem_.manifold, known.curve, context_.workspace());
    coarse_length_ = length;
  }
  return coarse_;
}

bool Search::rough() { return coarse_shortest().length < kShownByChords * shortest(); }

bool Search::one_of_many() {
  const double length = shortest();
  const bool nearly_conjugate = std::any_of(found_.begin(), found_.end(), [&](const Candidate& known) {
    return known.converged() && known.certificate.length <= length &&
           known.certificate.second_variation < kNearlyConjugate;
  });
  return left_saddles_ > 0 || nearly_conjugate || rough();
}

bool Search::known_place(const CoarseCurve& curve) {
  const Manifold& manifold = *problem_.manifold;
  Workspace& ws = context_.workspace();
  return same_places(manifold, curve, coarse_shortest(), ws) ||
         std::any_of(seen_.begin(), seen_.end(),
                     [&](const CoarseCurve& other) { return same_places(manifold, curve, other, ws); });
}

void Search::follow_if_within_reach(const Curve& path) {
  const Manifold& manifold = *problem_.manifold;
  CoarseCurve curve = coarse(manifold, path, context_.workspace());
  const double known = coarse_shortest().length;
  if (curve.length < known) context_.met_curve(path);
  descend(manifold, curve, kFirstDescent, context_);
  if (!(curve.length <= kWithinReach * known) || known_place(curve)) return;
  if (rough() && curve.length > kClearlyShorter * known) {
    if (curve.length > kNear * known || rough_follows_ == kMostRoughFollows) return;
    ++rough_follows_;
    seen_.push_back(curve);
    return follow_coarse(curve);
  }
  if (curve.length > kClearlyShorter * known) descend(manifold, curve, kFullDescent, context_);
  const bool follows = curve.length <= kShorter * known && !known_place(curve);
  seen_.push_back(curve);
  if (!follows) return;
  follow_coarse(curve);
}

void Search::follow_coarse(const CoarseCurve& curve) {
  follow({joined(Curve::through(curve.nodes), problem_.from, problem_.to), "a path found", curve.length});
}

void Search::follow(const Start& start, bool first_alone) {
  std::deque<Start> queue{start};
  while (!queue.empty() && !context_.should_stop()) {
    const Start next = std::move(queue.front());
    queue.pop_front();
    Candidate candidate = solve_from(next, solvers_, first_alone);
    if (candidate.converged() && lost_its_way(candidate, next)) {
      found_.push_back(std::move(candidate));
      candidate = solve_from(next, careful_);
    }
    if (candidate.verdict.termination == Termination::kStationary && left_saddles_ < escapes_) {
      ++left_saddles_;
      for (Curve& side : beside_saddle(*problem_.manifold, candidate.curve, kSaddleChords, context_.workspace())) {
        queue.push_back({joined(side, problem_.from, problem_.to), kBesideSaddle, 0});
      }
    }
    found_.push_back(std::move(candidate));
  }
}

void Search::fall_back() {
  if (!shortest_start_) return;
  if (std::any_of(found_.begin(), found_.end(), [](const Candidate& known) { return known.converged(); })) return;
  RawSolution solution;
  solution.curve = shortest_start_->curve;
  solution.claim = Termination::kStalled;
  solution.message = "no solver made it shorter";
  found_.push_back(certified(problem_, std::move(solution), shortest_start_->origin, context_));
}

std::string Search::explanation(const Candidate& best) const {
  std::string lengths;
  int others = 0;
  for (const Candidate& candidate : found_) {
    if (&candidate == &best || candidate.curve.empty()) continue;
    ++others;
    lengths += fmt::format("{}{:.6g} ({})", lengths.empty() ? "" : ", ", candidate.certificate.length,
                           to_string(candidate.verdict.termination));
  }
  std::string text = fmt::format("{}: {}", best.origin, best.verdict.message);
  if (left_saddles_ > 0) text += fmt::format("; {} saddle{} left", left_saddles_, left_saddles_ == 1 ? "" : "s");
  if (others > 0) text += fmt::format("; the best of {} curves, the others {}", others + 1, lengths);
  return text;
}

bool Search::found_any() const {
  return std::any_of(found_.begin(), found_.end(), [](const Candidate& known) { return known.curve.finite(); });
}

RawSolution Search::result() {
  const auto best = std::min_element(found_.begin(), found_.end(), better);
  RawSolution out;
  out.iterations = iterations_;
  out.claim = best->verdict.termination;
  out.message = explanation(*best);
  out.curve = best->curve;
  out.regularisation = best->regularisation;
  for (auto other = found_.begin(); other != found_.end(); ++other) {
    const bool longer = other->certificate.length - other->certificate.length_error >= best->certificate.length;
    if (other != best && other->curve.finite() && !longer) context_.met_curve(std::move(other->curve));
  }
  return out;
}

}  // namespace pullback
