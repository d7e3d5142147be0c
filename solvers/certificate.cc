#include "pullback/solvers/certificate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "pullback/manifold/curves/bump_moves.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/solvers/second_variation.h"

namespace pullback {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int kMostResidualPoints = 128;
// Half of ∫e′² in units of r²h³: see measure_residual.
constexpr double kWiggle = 0.01;
// Below it an eigenvalue says nothing about how much a wrong equation lengthens a curve.
constexpr double kLeastEigenvalue = 0.1;
constexpr int kExtentPoints = 129;
// Of a piece of the curve: four parts or more see how it wiggles.
constexpr double kShortPart = 0.26;
// Ends off by less than this fraction of the problem's size are rounding.
constexpr double kEndTolerance = 4e-16;

// Largest distance of a point of the curve from its start, in latent space.
double extent(const Matrix& Z) { return (Z.colwise() - Z.col(0)).colwise().stableNorm().maxCoeff(); }

// At which points the metric vanishes, in some direction beside the others there, or in all beside what the curve
// needs: a way as long as the whole curve in latent space would have next to no length. Scales that differ between the
// points of the curve are no singularity, as those of the hyperbolic half-plane do.
Eigen::Array<bool, 1, Eigen::Dynamic> singular_points(const Matrix& sigma, double needed, double singular) {
  const auto largest = sigma.row(0).array();
  return sigma.bottomRows(1).array() <= singular * largest || largest <= singular * needed;
}

// σ at points of the curve: n×K, or where products are preferred the largest and the smallest, 2×K.
struct CurveSingularValues {
  Matrix by_length;  // at nodes at equal distances
  Matrix by_time;    // of parts of the curve in t
  Vector durations;  // of these
};

// Where the metric vanishes there is no distance, so that the share of singular points is counted in t.
void measure_condition(const CurveSingularValues& sigma, const CertificateLimits& limits, double way, double length,
                       Condition& out) {
  out.kappa_max = std::max(condition_number(sigma.by_length).maxCoeff(), condition_number(sigma.by_time).maxCoeff());
  out.sigma_min = std::min(sigma.by_length.bottomRows(1).minCoeff(), sigma.by_time.bottomRows(1).minCoeff());
  const double needed = way > 0 ? length / way : 0;
  const auto singular = singular_points(sigma.by_time, needed, limits.singular);
  out.degenerate = singular.any() || singular_points(sigma.by_length, needed, limits.singular).any();
  out.degenerate_fraction = singular.select(sigma.durations.transpose().array(), 0).sum();
}

// At how many points of a curve singular values are looked at: a factor costs O(n³).
int condition_points(int n) { return n <= 32 ? 33 : n <= 128 ? 17 : n <= 256 ? 5 : 3; }

CurveSingularValues singular_values_of(const Manifold& manifold, const Curve& curve, const Measurement& measured,
                                       const Matrix& factors, Workspace& ws) {
  if (!manifold.prefers_products()) {
    const Eigen::Index parts = measured.times.size() - 1;
    return {factor_singular_values(factors), factor_singular_values(measured.factors),
            measured.times.tail(parts) - measured.times.head(parts)};
  }
  const int count = condition_points(manifold.dimension());
  const Matrix by_time = extreme_singular_values(manifold, curve.position(uniform_times(count)), ws);
  return {by_time, by_time, Vector::Constant(count, 1.0 / count)};
}

// Where the residual is measured: middles of pieces, or of parts of them, as at the nodes a quintic curve satisfies the
// equation by construction; and how long those pieces last.
struct ResidualPoints {
  Vector times;
  Vector durations;
};

ResidualPoints residual_points(const Curve& curve) {
  const int count = std::clamp(curve.pieces(), 64, kMostResidualPoints);
  ResidualPoints out{Vector(count), Vector(count)};
  for (int k = 0; k < count; ++k) {
    const double place = (k + 0.5) * curve.pieces() / count;
    const auto piece = std::min(static_cast<int>(place), curve.pieces() - 1);
    const double fraction = curve.pieces() >= count ? 0.5 : place - piece;
    const double duration = curve.times()(piece + 1) - curve.times()(piece);
    out.times(k) = curve.times()(piece) + fraction * duration;
    out.durations(k) = std::min(duration, curve.pieces() * duration / count);
  }
  return out;
}

double root_mean_square(const ConstVectorRef& x) { return x.stableNorm() / std::sqrt(static_cast<double>(x.size())); }

// The covariant acceleration at some times of the curve, in orthonormal frames.
struct Residuals {
  Matrix total;
  Matrix across;  // without its part along the curve, which does not change its length
};

Residuals residuals_at(const Manifold& manifold, const Curve& curve, const Matrix& Z, const Matrix& V,
                       const Vector& times, Workspace& ws) {
  const Eigen::Index n = Z.rows();
  const Eigen::Index count = Z.cols();
  const bool products = manifold.prefers_products();
  Matrix geodesic(n, count);
  Residuals out{Matrix(products ? manifold.frame_dimension() : n, count), {}};
  Matrix along(out.total.rows(), count);
  if (products) {
    manifold.acceleration(Z, V, geodesic, ws);
    manifold.push_forward(Z, curve.acceleration(times) - geodesic, out.total, ws);
    manifold.push_forward(Z, V, along, ws);
  } else {
    Matrix R(n, n * count);
    manifold.acceleration_and_factor(Z, V, geodesic, R, ws);
    const Matrix difference = curve.acceleration(times) - geodesic;
    for (Eigen::Index k = 0; k < count; ++k) {
      out.total.col(k) = R.middleCols(n * k, n) * difference.col(k);
      along.col(k) = R.middleCols(n * k, n) * V.col(k);
    }
  }
  out.across = out.total;
  for (Eigen::Index k = 0; k < count; ++k) {
    const Vector tangent = along.col(k).stableNormalized();
    out.across.col(k) -= tangent * tangent.dot(out.total.col(k));
  }
  return out;
}

// Root mean squares of the covariant acceleration, and of what differenced derivatives may have changed it by. Between
// the nodes of the second variation a piece of duration h whose acceleration is off by r in its middle wiggles: as much
// as a Hermite piece between exact ends does, ∫e′² = 0.019 r²h³ (cubic; 0.009 for quintic ones), half of which the
// curve is longer by.
void measure_residual(const Manifold& manifold, const Curve& curve, Certificate& out, Workspace& ws) {
  out.residual = out.derivative_error = 0;
  if (!(out.length > 0)) return;
  const ResidualPoints points = residual_points(curve);
  const Eigen::Index count = points.times.size();
  const Matrix Z = curve.position(points.times);
  const Matrix V = curve.velocity(points.times);
  const Residuals off = residuals_at(manifold, curve, Z, V, points.times, ws);
  Vector norms(count);
  double wiggle = 0;
  for (Eigen::Index k = 0; k < count; ++k) {
    norms(k) = off.total.col(k).stableNorm() / out.length;
    const double aside = off.across.col(k).stableNorm() / out.length;
    wiggle += kWiggle * aside * aside * std::pow(points.durations(k), 3);
  }
  out.residual = root_mean_square(norms) / out.length;
  if (out.smooth) out.relative_excess = std::max(out.relative_excess, wiggle);
  manifold.acceleration_error(Z, V, norms, ws);
  out.derivative_error = root_mean_square(norms) / out.length / out.length;
}

double piece_duration(const Curve& curve, double t) {
  const Vector& times = curve.times();
  const auto* const next = std::upper_bound(times.data() + 1, times.data() + times.size() - 1, t);
  return *next - *(next - 1);
}

// Middles of the parts that are short beside the pieces of the curve.
ResidualPoints short_parts(const Curve& curve, const Vector& times) {
  std::vector<double> middles;
  std::vector<double> durations;
  for (Eigen::Index k = 0; k + 1 < times.size(); ++k) {
    const double middle = 0.5 * (times(k) + times(k + 1));
    const double duration = times(k + 1) - times(k);
    if (duration > kShortPart * piece_duration(curve, middle)) continue;
    middles.push_back(middle);
    durations.push_back(duration);
  }
  const auto count = static_cast<Eigen::Index>(middles.size());
  return {Eigen::Map<const Vector>(middles.data(), count), Eigen::Map<const Vector>(durations.data(), count)};
}

// What small features of the map, which the parts of the length were made short for, let a geodesic nearby gain: the
// decrement ½ ∫∫ f(s) G(s,t) f(t) of one Newton step of a flat metric, G(s,t) = s(1−t) for s ≤ t its Green's function,
// f the residual across the curve, where the parts are short beside the pieces of the curve: longer ones would take how
// a piece wiggles between its nodes for a force. The chords of the second variation are all of one length, and pass
// over them.
double decrement_of_parts(const Manifold& manifold, const Curve& curve, const Vector& times, double length,
                          Workspace& ws) {
  const ResidualPoints parts = short_parts(curve, times);
  const Eigen::Index count = parts.times.size();
  if (count == 0) return 0;
  const Matrix Z = curve.position(parts.times);
  const Matrix V = curve.velocity(parts.times);
  const Matrix f =
      residuals_at(manifold, curve, Z, V, parts.times, ws).across * (parts.durations / length).asDiagonal();
  // −η″ = f by its Green's function: η(t) = (1−t) ∫₀ᵗ s f + t ∫ₜ¹ (1−s) f.
  Vector before = Vector::Zero(f.rows());
  Vector after = f * (1 - parts.times.array()).matrix();
  double sum = 0;
  for (Eigen::Index k = 0; k < count; ++k) {
    const double t = parts.times(k);
    after -= (1 - t) * f.col(k);
    sum += f.col(k).dot((1 - t) * before + t * after + t * (1 - t) * f.col(k));
    before += t * f.col(k);
  }
  return 0.5 * sum;
}

// A curve that solves an equation wrong by η in units of the residual is longer by about ½(ηL)²/λ than a geodesic, λ
// the smallest eigenvalue of the second variation.
void allow_for_derivatives(Certificate& out) {
  if (out.derivative_error == 0) return;
  const double off = out.derivative_error * out.length;
  const double longer = 0.5 * off * off / std::clamp(out.second_variation, kLeastEigenvalue, kFlatSecondVariation);
  out.relative_excess += longer;
  out.numerical_error += longer * out.length;
  out.length_error += longer * out.length;
}

Measurement measure_length(const Manifold& manifold, const Curve& curve, double accuracy, Certificate& out,
                           Workspace& ws) {
  Measurement measured = measure(manifold, curve, ws, accuracy);
  out.length = measured.length;
  out.length_error = measured.length_error;
  out.numerical_error = measured.numerical_error;
  out.energy = measured.energy;
  out.metric_length = measured.metric_length;
  out.disagreement = measured.disagreement;
  out.refinement = measured.refinement;
  out.speed_variation = measured.speed_variation;
  return measured;
}

}  // namespace

CertificateLimits limits_for(double accuracy) {
  CertificateLimits out;
  out.relative_excess *= accuracy / out.accuracy;
  out.accuracy = accuracy;
  return out;
}

Certificate unmeasured_certificate() {
  Certificate out;
  for (double* number :
       {&out.length, &out.length_error, &out.numerical_error, &out.energy, &out.metric_length, &out.disagreement,
        &out.refinement, &out.endpoint_error, &out.speed_variation, &out.residual, &out.derivative_error,
        &out.relative_excess, &out.second_variation, &out.second_variation_error, &out.max_turning_angle,
        &out.condition.kappa_max, &out.condition.sigma_min, &out.condition.degenerate_fraction}) {
    *number = kNan;
  }
  return out;
}

void measure_certificate(const Manifold& manifold, const Curve& curve, const ConstVectorRef& from,
                         const ConstVectorRef& to, Workspace& ws, Certificate& out, const CertificateLimits& limits) {
  out = unmeasured_certificate();
  out.smooth = manifold.smooth();
  out.first_derivative = manifold.first_derivative();
  out.second_derivative = manifold.second_derivative();
  out.has_generator = manifold.generator() != nullptr;
  const Matrix ends = curve.position(Vector{{0.0, 1.0}});
  out.endpoint_error = std::max((ends.col(0) - from).stableNorm(), (ends.col(1) - to).stableNorm());
  if (out.endpoint_error <= kEndTolerance * (from.stableNorm() + to.stableNorm())) out.endpoint_error = 0;
  const Measurement measured = measure_length(manifold, curve, limits.accuracy, out, ws);
  const std::optional<Matrix> factors = measure_second_variation(manifold, curve, measured, limits, out, ws);
  if (factors) {
    const double way = extent(curve.position(uniform_times(kExtentPoints)));
    measure_condition(singular_values_of(manifold, curve, measured, *factors, ws), limits, way, out.length,
                      out.condition);
  } else {
    out.condition = {kNan, kNan, true, 1, {}};
  }
  measure_residual(manifold, curve, out, ws);
  if (out.smooth && out.length > 0 && std::isfinite(out.length)) {
    out.relative_excess =
        std::max(out.relative_excess, decrement_of_parts(manifold, curve, measured.times, out.length, ws));
  }
  allow_for_derivatives(out);
  if (!out.smooth && std::isfinite(out.length))
    out.shortening = internal::shortening_by_bumps(manifold, curve, out.length, ws);
  out.complete = true;
}

Certificate measure_certificate(const Manifold& manifold, const Curve& curve, const ConstVectorRef& from,
                                const ConstVectorRef& to, Workspace& ws, const CertificateLimits& limits) {
  Certificate out;
  measure_certificate(manifold, curve, from, to, ws, out, limits);
  return out;
}

}  // namespace pullback
