#include "pullback/solvers/second_variation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "pullback/manifold/numerics/chords.h"
#include "pullback/solvers/product_variation.h"

namespace pullback {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Chords of the second variation: doubled until the curve turns by little enough from one to the next, which a curve
// with a kink never does.
constexpr int kLeastChords = 128;
constexpr int kFewerChords = 64;  // by products, or for a length that is asked for to this accuracy
constexpr double kRough = 0.99e-5;
constexpr int kMostChords = kMostVariationChords;
constexpr int kMostChordsOfRough = 512;
// A chord of nodes at equal distances is at least this fraction of its arc, and all of them of the length.
constexpr double kLeastChord = 0.5;
constexpr double kLeastPolyline = 0.99;
// Chords of the length that are longer than so many times their mean do not say where equal distances are.
constexpr double kLongestChord = 8;
// The second variation of K chords is off by about a third of its difference to that of K/2, which may be this fraction
// of it, or of the flat one.
constexpr double kAgreement = 0.1;

// Takes the part along the curve out of a whitened gradient: moving along the curve does not change its length.
void remove_tangential(const Matrix& Z, const Matrix& R, Matrix& gradient) {
  const Eigen::Index n = Z.rows();
  for (Eigen::Index i = 0; i < gradient.cols(); ++i) {
    Vector tangent = R.middleCols(n * (i + 1), n) * (Z.col(i + 2) - Z.col(i));
    const double norm = tangent.norm();
    if (!(norm > 0)) continue;
    tangent /= norm;
    gradient.col(i) -= tangent * tangent.dot(gradient.col(i));
  }
}

// ½ gᵀ(flat Laplacian)⁻¹g, which exists whatever the sign of the second variation.
double flat_excess(const Matrix& gradient) {
  const Eigen::Index n = gradient.rows();
  const Eigen::Index m = gradient.cols();
  const auto K = static_cast<double>(m + 1);
  BlockTridiagonal laplacian;
  laplacian.diagonal.setZero(n, n * m);
  laplacian.upper.setZero(n, n * (m - 1));
  for (Eigen::Index i = 0; i < m; ++i) {
    laplacian.diagonal.middleCols(n * i, n).diagonal().setConstant(2 * K);
    if (i + 1 < m) laplacian.upper.middleCols(n * i, n).diagonal().setConstant(-K);
  }
  return 0.5 * gradient.cwiseProduct(BlockTridiagonalFactor(laplacian).solve(gradient)).sum();
}

// Index of the grid, with a fraction, at which the first Jacobi field that vanishes at the start vanishes again.
double conjugate_index(const BlockTridiagonalFactor& factor, int block, double K) {
  // Pivots are ratios of successive values of that field, in units of K.
  return block + 1 + 1 / (1 - std::min(0.0, factor.smallest_pivot(block)) / K);
}

// The largest angle by which a discrete curve turns from one chord to the next: 2 acos(d(z_{i−1}, z_{i+1})/(d_{i−1} +
// d_i)) for chords of equal length; π where a chord is far shorter than its arc, or all of them together are shorter
// than the curve: they jump over a turn, a period or a pole that no angle between them shows.
double largest_turning(const Vector& single, const Vector& over_two, double length) {
  const Eigen::Index K = single.size();
  const double arc = length / static_cast<double>(K);
  if (single.minCoeff() < kLeastChord * arc || single.sum() < kLeastPolyline * length) return M_PI;
  double least = 1;
  for (Eigen::Index i = 0; i + 1 < K; ++i) {
    const double way = single(i) + single(i + 1);
    if (way > 0) least = std::min(least, over_two(i) / way);
  }
  return 2 * std::acos(std::max(least, 0.0));
}

// Times at equal distances: from the chords of the length where these are fine enough.
Vector equal_times(const Manifold& manifold, const Curve& curve, const Measurement& measured, int K, Workspace& ws) {
  const Vector& chords = measured.chord_lengths;
  const bool fine = 2 * K <= chords.size() && chords.allFinite() && chords.maxCoeff() > 0 &&
                    chords.maxCoeff() <= kLongestChord * chords.mean();
  if (!fine) return constant_speed_times(manifold, curve, K, ws);
  Vector times = at_equal_distances(measured.chord_times.transpose(), chords, K).transpose();
  times(0) = 0;
  times(K) = 1;
  return times;
}

// How many chords the curve needs, as far as its pieces and the chords of its length show.
int chords_to_begin_with(const Manifold& manifold, const Curve& curve, const Measurement& measured,
                         const CertificateLimits& limits) {
  const bool few = manifold.prefers_products() || limits.accuracy >= kRough;
  const int most = manifold.smooth() ? kMostChords : kMostChordsOfRough;
  // Two nodes a piece see how it wiggles between its ends.
  int K = std::clamp(2 * curve.pieces(), few ? kFewerChords : kLeastChords, most);
  while (K < most && measured.turning * measured.length > limits.max_turning_angle * K) K *= 2;
  return std::min(K, most);
}

double turning_by_values(const Manifold& manifold, const Matrix& Z, double length, Workspace& ws) {
  const Eigen::Index K = Z.cols() - 1;
  const std::vector<Manifold::Pair> pairs = chords_over_one_and_two(K);
  Vector d(static_cast<Eigen::Index>(pairs.size()));
  manifold.chords_between(Z, pairs, d, ws);
  Vector over_two(K - 1);
  for (std::size_t p = static_cast<std::size_t>(K); p < pairs.size(); ++p) {
    over_two(pairs[p][0]) = d(static_cast<Eigen::Index>(p));
  }
  return largest_turning(d.head(K), over_two, length);
}

// What one grid of chords shows of the variation of the energy. Returns the factors at its nodes; nothing: not finite.
std::optional<Matrix> measure_variation_by_blocks(const Matrix& Z, const Vector& times, Variation variation,
                                                  Certificate& out) {
  const auto K = static_cast<int>(times.size()) - 1;
  if (!variation.gradient.allFinite() || !variation.factor.allFinite()) {
    out.relative_excess = out.second_variation = kNan;
    return std::nullopt;
  }
  remove_tangential(Z, variation.factor, variation.gradient);
  out.second_variation = K * smallest_eigenvalue(variation.hessian);
  const BlockTridiagonalFactor factor(variation.hessian);
  double decrement = flat_excess(variation.gradient);
  out.conjugate_point.reset();
  if (factor.positive_definite()) {
    decrement = std::max(decrement, 0.5 * variation.gradient.cwiseProduct(factor.solve(variation.gradient)).sum());
  } else if (const auto block = factor.first_indefinite()) {
    const double index = conjugate_index(factor, *block, K);
    const auto i = std::min(static_cast<Eigen::Index>(index), times.size() - 2);
    const double fraction = index - static_cast<double>(i);
    out.conjugate_point = std::min(1.0, times(i) + fraction * (times(i + 1) - times(i)));
  }
  out.relative_excess = out.length > 0 ? decrement / out.length / out.length : 0;  // the square may underflow
  return std::move(variation.factor);
}

// Whether a finer grid might say otherwise: the second variation is not the coarser grid's, or the excess, of which a
// finer grid leaves next to nothing where it is the grid's own error, has just fallen and is still too large.
bool coarse(const Certificate& c, double excess_before, const CertificateLimits& limits) {
  if (c.second_variation_error > kAgreement * std::max(kFlatSecondVariation, std::abs(c.second_variation))) return true;
  return c.relative_excess > limits.relative_excess && c.relative_excess < excess_before / 4;
}

// One grid after the other, the next of twice as many chords.
class Grids {
 public:
  Grids(const Manifold& manifold, const Curve& curve, Certificate& out, Workspace& ws)
      : manifold_(manifold), curve_(curve), out_(out), ws_(ws) {}

  std::optional<Matrix> measure(const Vector& times) {
    out_.second_variation_error = 0;
    if (!manifold_.prefers_products()) {
      const Matrix Z = curve_.position(times);
      return measure_variation_by_blocks(Z, times, manifold_.variation(Z, ws_), out_);
    }
    measure_variation_by_products(manifold_, curve_, times, before_, out_, ws_);
    return std::isfinite(out_.relative_excess) ? std::optional<Matrix>(Matrix()) : std::nullopt;
  }

  // On every second node first, which *coarse tells of; blocks share what is evaluated. How much the curve turns
  // between the chords comes of it as well.
  std::optional<Matrix> measure_nested(const Vector& times, Certificate* coarse) {
    const Vector second = times(Eigen::seq(0, times.size() - 1, 2));
    const Matrix Z = curve_.position(times);
    if (manifold_.prefers_products()) {
      out_.max_turning_angle = turning_by_values(manifold_, Z, out_.length, ws_);
      measure(second);
      *coarse = out_;
      return measure(times);
    }
    out_.second_variation_error = 0;
    NestedVariations variations = manifold_.nested_variations(Z, ws_);
    out_.max_turning_angle = largest_turning(variations.chords, variations.double_chords, out_.length);
    measure_variation_by_blocks(Z(Eigen::all, Eigen::seq(0, Z.cols() - 1, 2)), second, std::move(variations.coarse),
                                out_);
    *coarse = out_;
    return measure_variation_by_blocks(Z, times, std::move(variations.fine), out_);
  }

 private:
  const Manifold& manifold_;
  const Curve& curve_;
  Certificate& out_;
  Workspace& ws_;
  ProductGridMemory before_;
};

// No grid agrees with another over kinks: one, of as many chords as the turning needs.
std::optional<Matrix> measure_over_kinks(const Manifold& manifold, const Curve& curve, const Measurement& measured,
                                         const CertificateLimits& limits, Certificate& out, Workspace& ws) {
  for (int K = chords_to_begin_with(manifold, curve, measured, limits);; K *= 2) {
    const Vector times = equal_times(manifold, curve, measured, K, ws);
    out.max_turning_angle = turning_by_values(manifold, curve.position(times), out.length, ws);
    if (out.max_turning_angle > limits.max_turning_angle && K < kMostChordsOfRough) continue;
    return Grids(manifold, curve, out, ws).measure(times);
  }
}

}  // namespace

// On two grids at least where the manifold is smooth, the second of twice as many chords.
std::optional<Matrix> measure_second_variation(const Manifold& manifold, const Curve& curve,
                                               const Measurement& measured, const CertificateLimits& limits,
                                               Certificate& out, Workspace& ws) {
  if (!manifold.smooth()) return measure_over_kinks(manifold, curve, measured, limits, out, ws);
  Grids grids(manifold, curve, out, ws);
  int K = chords_to_begin_with(manifold, curve, measured, limits);
  Certificate before;
  const auto measure_both = [&] {
    return grids.measure_nested(equal_times(manifold, curve, measured, K, ws), &before);
  };
  std::optional<Matrix> factors = measure_both();
  while (out.max_turning_angle > limits.max_turning_angle && K < kMostChords) {
    K *= 2;
    factors = measure_both();
  }
  if (!(out.max_turning_angle <= limits.max_turning_angle)) {
    out.second_variation_error = kNan;  // the grids do not resolve the curve
    return factors;
  }
  for (;;) {
    out.second_variation_error += std::abs(out.second_variation - before.second_variation) / 3;
    if (2 * K > kMostChords || !coarse(out, before.relative_excess, limits)) return factors;
    K *= 2;
    before = out;
    const Vector times = equal_times(manifold, curve, measured, K, ws);
    out.max_turning_angle = turning_by_values(manifold, curve.position(times), out.length, ws);
    factors = grids.measure(times);
  }
}

}  // namespace pullback
