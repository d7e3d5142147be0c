#include "pullback/plugins/auto/candidates.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "pullback/manifold/curves/node_descent.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/solvers/start.h"

namespace pullback {
namespace {

constexpr int kChords = 32;       // of a start while it is relaxed
constexpr int kFineChords = 256;  // by which starts are compared: few chords cut corners
constexpr int kFractions = 17;    // places at which two curves are compared
// Curves that differ by less than these fractions of their length, in length and in place, are one.
constexpr double kSameLength = 0.01;
constexpr double kSamePlace = 0.02;

// Of curves that are not both geodesics, one this fraction shorter is better whatever was found of it.
constexpr double kClearlyShorter = 1e-3;

int rank(Termination termination) {
  switch (termination) {
    case Termination::kConverged:
      return 0;
    case Termination::kStationary:
      return 1;
    case Termination::kDegenerate:
      return 2;
    case Termination::kStalled:
    case Termination::kMaxIterations:
      return 3;
    default:
      return 4;
  }
}

bool same_length(double a, double b) { return std::abs(a - b) <= kSameLength * std::max(a, b); }

// Whether the columns lie as near together as those of one curve of this length.
bool same_places(const Manifold& manifold, const Matrix& a, const Matrix& b, double length, Workspace& ws) {
  Matrix pairs(a.rows(), 2 * a.cols());
  for (Eigen::Index i = 0; i < a.cols(); ++i) {
    pairs.col(2 * i) = a.col(i);
    pairs.col(2 * i + 1) = b.col(i);
  }
  Vector d(pairs.cols() - 1);
  manifold.chords(pairs, d, ws);
  double most = 0;
  for (Eigen::Index i = 0; i < a.cols(); ++i) most = std::max(most, d(2 * i));
  return most <= kSamePlace * length;
}

}  // namespace

Candidate certified(const GeodesicProblem& problem, RawSolution solution, std::string origin, SolveContext& context) {
  Candidate out;
  out.origin = std::move(origin);
  out.regularisation = solution.regularisation;
  out.verdict = {solution.claim, std::move(solution.message)};
  if (!solution.curve.finite()) return out;
  out.curve = joined(solution.curve, problem.from, problem.to);
  out.certificate = context.certify(problem, out.curve);
  out.verdict = judge(out.certificate, out.verdict.termination, out.verdict.message, limits_for(context.accuracy()));
  return out;
}

bool better(const Candidate& a, const Candidate& b) {
  if (a.curve.empty() != b.curve.empty()) return b.curve.empty();
  const double length_a = a.certificate.length;
  const double length_b = b.certificate.length;
  if (a.converged() != b.converged()) return a.converged();
  if (a.converged() || length_a < (1 - kClearlyShorter) * length_b || length_b < (1 - kClearlyShorter) * length_a) {
    return length_a < length_b;
  }
  const int rank_a = rank(a.verdict.termination);
  const int rank_b = rank(b.verdict.termination);
  return rank_a != rank_b ? rank_a < rank_b : length_a < length_b;
}

bool same_way(const Manifold& manifold, const Start& a, const Start& b, Workspace& ws) {
  if (!same_length(a.length, b.length)) return false;
  const Matrix Za = a.curve.position(constant_speed_times(manifold, a.curve, kFractions - 1, ws));
  const Matrix Zb = b.curve.position(constant_speed_times(manifold, b.curve, kFractions - 1, ws));
  return same_places(manifold, Za, Zb, std::max(a.length, b.length), ws);
}

CoarseCurve coarse(const Manifold& manifold, const Curve& curve, Workspace& ws) {
  CoarseCurve out{curve.position(uniform_times(kChords + 1)), 0};
  out.length = chord_length(manifold, out.nodes, ws);
  return out;
}

void descend(const Manifold& manifold, CoarseCurve& curve, const DescentBounds& bounds, SolveContext& context) {
  const RelaxationOptions options{
      kChords, bounds.iterations, bounds.worthwhile, [&context] { return context.should_stop(); }, {}};
  if (descend_nodes(manifold, curve.nodes, options, context.workspace()) > 0) {
    curve.length = chord_length(manifold, curve.nodes, context.workspace());
  }
}

bool same_places(const Manifold& manifold, const CoarseCurve& a, const CoarseCurve& b, Workspace& ws) {
  if (!same_length(a.length, b.length)) return false;
  const auto every = Eigen::seqN(0, kFractions, kChords / (kFractions - 1));
  return same_places(manifold, a.nodes(Eigen::all, every), b.nodes(Eigen::all, every), std::max(a.length, b.length),
                     ws);
}

std::vector<Start> relaxed_and_sorted(const GeodesicProblem& problem, std::vector<Start> starts, int iterations,
                                      SolveContext& context) {
  const Manifold& manifold = *problem.manifold;
  Workspace& ws = context.workspace();
  RelaxationOptions options = relaxation_within(context, iterations);
  options.chords = kChords;
  options.keep = [&](const Curve& curve) { context.keep(joined(curve, problem.from, problem.to)); };
  std::vector<Start> sorted;
  for (Start& start : starts) {
    if (!start.curve.finite()) continue;
    start.length = chord_length(manifold, start.curve, kFineChords, ws);
    if (iterations > 0) {
      Curve shorter = relaxed(manifold, start.curve, options, ws);
      if (shorter.finite()) {
        shorter = joined(shorter, problem.from, problem.to);
        const double length = chord_length(manifold, shorter, kFineChords, ws);
        // Few chords may have jumped to a longer way.
        if (!(start.length < length)) start = {std::move(shorter), std::move(start.origin), length};
      }
    }
    sorted.push_back(std::move(start));
    if (context.should_stop()) break;
  }
  // A start whose length is not finite comes last: it is all that there is where the straight line leaves the domain.
  const auto key = [](const Start& s) { return std::isfinite(s.length) ? s.length : INFINITY; };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Start& a, const Start& b) { return key(a) < key(b); });
  std::vector<Start> out;
  for (Start& start : sorted) {
    const bool known =
        std::any_of(out.begin(), out.end(), [&](const Start& other) { return same_way(manifold, start, other, ws); });
    if (!known) out.push_back(std::move(start));
  }
  return out;
}

}  // namespace pullback
