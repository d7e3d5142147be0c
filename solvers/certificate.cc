#include "pullback/solvers/certificate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "pullback/manifold/measure.h"

namespace pullback {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kFlat = M_PI * M_PI;  // the flat second variation's smallest eigenvalue

// Chords of the second variation: doubled until the curve turns by little enough from one to the next, which a curve
// with a kink never does.
constexpr int kLeastChords = 128;
constexpr int kMostChords = 8192;
constexpr int kMostChordsOfRough = 512;
constexpr int kMostResidualPoints = 128;
constexpr int kConditionPoints = 129;
// Ends off by less than this fraction of the problem's size are rounding.
constexpr double kEndTolerance = 1e-12;
// The second variation of K chords is off by about a third of its difference to that of K/2, which may be this fraction
// of it, or of the flat one.
constexpr double kAgreement = 0.1;
// A metric that is singular on more than this share of the curve is singular along a part of it, not at a point.
constexpr double kDegenerateShare = 0.02;

// R: factors at nodes at equal distances. Where the metric vanishes there is no distance, so the curve is sampled
// uniformly in t as well, and the share of singular points is counted there.
void measure_condition(const Manifold& manifold, const Curve& curve, const Matrix& R, const CertificateLimits& limits,
                       Condition& out, Workspace& ws) {
  const Matrix by_length = factor_singular_values(R);
  const Matrix by_time = singular_values(manifold, curve.position(uniform_times(kConditionPoints)), ws);
  out.kappa_max = std::max(condition_number(by_length).maxCoeff(), condition_number(by_time).maxCoeff());
  out.sigma_min = std::min(by_length.bottomRows(1).minCoeff(), by_time.bottomRows(1).minCoeff());
  const double threshold = limits.singular * std::max(by_length.maxCoeff(), by_time.maxCoeff());
  const auto singular = (by_time.bottomRows(1).array() <= threshold).count();
  out.degenerate = out.sigma_min <= threshold;
  out.degenerate_fraction = static_cast<double>(singular) / static_cast<double>(by_time.cols());
}

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
// d_i)) for chords of equal length.
double largest_turning(const Manifold& manifold, const Matrix& Z, Workspace& ws) {
  const Eigen::Index K = Z.cols() - 1;
  Vector single(K);
  manifold.chords(Z, single, ws);
  double least = 1;
  for (const Eigen::Index first : {Eigen::Index{0}, Eigen::Index{1}}) {
    const Eigen::Index count = (K - first) / 2;
    Vector twice(count);
    const Eigen::Map<const Matrix, 0, Eigen::OuterStride<>> every_other(Z.col(first).data(), Z.rows(), count + 1,
                                                                        Eigen::OuterStride<>(2 * Z.rows()));
    manifold.chords(every_other, twice, ws);
    for (Eigen::Index i = 0; i < count; ++i) {
      const double way = single(first + 2 * i) + single(first + 2 * i + 1);
      if (way > 0) least = std::min(least, twice(i) / way);
    }
  }
  return 2 * std::acos(std::max(least, 0.0));
}

// Times at equal distances, as many as the curve's turning needs; *turning: what is left of it between chords.
Vector resolving_times(const Manifold& manifold, const Curve& curve, double enough, double* turning, Workspace& ws) {
  const int most = manifold.smooth() ? kMostChords : kMostChordsOfRough;
  for (int K = std::clamp(2 * curve.pieces(), kLeastChords, kMostChordsOfRough);; K *= 2) {
    Vector times = constant_speed_times(manifold, curve, K, ws);
    *turning = largest_turning(manifold, curve.position(times), ws);
    if (!(*turning > enough) || K >= most) return times;
  }
}

// What one grid of chords shows of the variation of the energy. Returns the factors at its nodes; empty: not finite.
Matrix measure_variation_at(const Manifold& manifold, const Curve& curve, const Vector& times, Certificate& out,
                            Workspace& ws) {
  const Matrix Z = curve.position(times);
  const auto K = static_cast<int>(times.size()) - 1;
  Variation variation = manifold.variation(Z, ws);
  if (!variation.gradient.allFinite() || !variation.factor.allFinite()) {
    out.excess = out.second_variation = kNan;
    return {};
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
  out.excess = out.length > 0 ? decrement / (out.length * out.length) : 0;
  return std::move(variation.factor);
}

// Whether a finer grid might say otherwise: the second variation is not the coarser grid's, or the excess, of which a
// finer grid leaves next to nothing where it is the grid's own error, has just fallen and is still too large.
bool coarse(const Certificate& c, double excess_before, const CertificateLimits& limits) {
  if (c.second_variation_error > kAgreement * std::max(kFlat, std::abs(c.second_variation))) return true;
  return c.excess > limits.excess && c.excess < excess_before / 4;
}

// On two grids at least where the manifold is smooth, the second of twice as many chords. Returns the factors at the
// nodes of the finest; empty: not finite.
Matrix measure_variation(const Manifold& manifold, const Curve& curve, const CertificateLimits& limits,
                         Certificate& out, Workspace& ws) {
  Vector times = resolving_times(manifold, curve, limits.turning, &out.turning, ws);
  if (!manifold.smooth() || !(out.turning <= limits.turning))
    return measure_variation_at(manifold, curve, times, out, ws);
  auto K = static_cast<int>(times.size()) - 1;
  measure_variation_at(manifold, curve, constant_speed_times(manifold, curve, K / 2, ws), out, ws);
  for (;;) {
    const Certificate before = out;
    Matrix factor = measure_variation_at(manifold, curve, times, out, ws);
    out.second_variation_error = std::abs(out.second_variation - before.second_variation) / 3;
    if (2 * K > kMostChords || !coarse(out, before.excess, limits)) return factor;
    K *= 2;
    times = constant_speed_times(manifold, curve, K, ws);
    out.turning = largest_turning(manifold, curve.position(times), ws);
  }
}

// Root mean square of the covariant acceleration over the middles of the pieces (or of parts of them).
double measure_residual(const Manifold& manifold, const Curve& curve, double length, Workspace& ws) {
  if (!(length > 0)) return 0;
  const int count = std::clamp(curve.pieces(), 64, kMostResidualPoints);
  Vector t(count);
  for (int k = 0; k < count; ++k) {
    // Middles of pieces: at the nodes a quintic curve satisfies the equation by construction.
    const double place = (k + 0.5) * curve.pieces() / count;
    const auto piece = std::min(static_cast<int>(place), curve.pieces() - 1);
    const double fraction = curve.pieces() >= count ? 0.5 : place - piece;
    t(k) = curve.times()(piece) + fraction * (curve.times()(piece + 1) - curve.times()(piece));
  }
  const Eigen::Index n = manifold.dimension();
  const Matrix Z = curve.position(t);
  Matrix geodesic(n, count);
  Matrix R(n, n * count);
  manifold.acceleration(Z, curve.velocity(t), geodesic, ws);
  manifold.factor(Z, R, ws);
  const Matrix difference = curve.acceleration(t) - geodesic;
  double sum = 0;
  for (int k = 0; k < count; ++k) sum += (R.middleCols(n * k, n) * difference.col(k)).squaredNorm();
  return std::sqrt(sum / count) / (length * length);
}

}  // namespace

Certificate measure_certificate(const Manifold& manifold, const Curve& curve, const ConstVectorRef& from,
                                const ConstVectorRef& to, Workspace& ws, const CertificateLimits& limits) {
  Certificate out;
  out.smooth = manifold.smooth();
  const Matrix ends = curve.position(Vector{{0.0, 1.0}});
  out.endpoint_error = std::max((ends.col(0) - from).norm(), (ends.col(1) - to).norm());
  if (out.endpoint_error <= kEndTolerance * (from.norm() + to.norm())) out.endpoint_error = 0;
  const Measurement measured = measure(manifold, curve, ws);
  out.length = measured.length;
  out.length_error = measured.length_error;
  out.energy = measured.energy;
  out.metric_length = measured.metric_length;
  out.speed_variation = measured.speed_variation;
  const Matrix factor = measure_variation(manifold, curve, limits, out, ws);
  if (factor.size() > 0) {
    measure_condition(manifold, curve, factor, limits, out.condition, ws);
  } else {
    out.condition = {kNan, kNan, true, 1, {}};
  }
  out.residual = measure_residual(manifold, curve, out.length, ws);
  return out;
}

Verdict judge(const Certificate& c, Termination claim, const std::string& message, const CertificateLimits& limits) {
  if (!std::isfinite(c.length)) {
    return {Termination::kNumericalFailure, message + "; the curve leaves the domain of the metric"};
  }
  if (claim != Termination::kConverged) return {claim, message};
  if (c.endpoint_error > 0) {
    return {Termination::kStalled, fmt::format("the curve misses its end points by {:.2g}", c.endpoint_error)};
  }
  if (!(std::abs(c.metric_length - c.length) <= limits.metric_length * c.length)) {
    return {Termination::kDegenerate,
            fmt::format("the Jacobian does not see what the generator does: ambient length {:.6g}, integral of the "
                        "speed {:.6g} (a jump, or a wrong Jacobian)",
                        c.length, c.metric_length)};
  }
  if (c.condition.degenerate_fraction > kDegenerateShare) {
    return {
        Termination::kDegenerate,
        fmt::format("the metric is numerically singular on {:.0f} % of the curve, which is one of many of this length",
                    100 * c.condition.degenerate_fraction)};
  }
  if (c.smooth && !(c.turning <= limits.turning)) {
    return {Termination::kStalled,
            fmt::format("{}, but the curve turns by {:.2g} radians within {:.2g} of its length: too sharply for its "
                        "second variation to be measured",
                        message, c.turning, 2.0 / kMostChords)};
  }
  if (!(c.excess <= limits.excess)) {
    return {Termination::kStalled,
            fmt::format("{}, but the certificate finds the curve about {:.2g} (relative) longer than a geodesic nearby",
                        message, c.excess)};
  }
  if (!(c.second_variation - c.second_variation_error > limits.second_variation * kFlat)) {
    const std::string where =
        c.conjugate_point ? fmt::format("; first conjugate point at t = {:.4f}", *c.conjugate_point) : "";
    return {Termination::kStationary,
            fmt::format("a geodesic, but not certainly a local minimum: smallest eigenvalue of the second variation "
                        "{:.3g} ± {:.1g}{}",
                        c.second_variation, c.second_variation_error, where)};
  }
  if (c.shorter_known) {
    return {Termination::kConverged, fmt::format("{}; a shorter curve is known ({:.6g})", message, *c.shorter_known)};
  }
  return {Termination::kConverged, message};
}

}  // namespace pullback
