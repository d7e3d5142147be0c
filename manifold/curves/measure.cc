#include "pullback/manifold/curves/measure.h"

#include <Eigen/Cholesky>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "pullback/base/stop.h"
#include "pullback/manifold/curves/arc_length.h"
#include "pullback/manifold/numerics/lanczos.h"

namespace pullback {
namespace {

constexpr int kSamplePoints = 1001;       // what length_error promises to whoever samples the curve
constexpr double kWidest = 1.0 / 250;     // another spacing that says what that one's polyline deviates by:
constexpr double kLikeliness = 1.1;       // so many times as far beside its square,
constexpr double kLikelinessOfSplit = 2;  // or as far as that one where it did not resolve the curve
constexpr double kRounding = 1.001;       // whoever adds in another order still finds the length within the error
constexpr double kResolved = 0.01;        // of a polyline that says something about the curve
// Polylines drown in rounding where it may change their length by more than this fraction.
constexpr double kDrowned = 1e-10;

// Two lengths that differ by more than this fraction contradict each other; polylines that change by less than this
// fraction of the difference have settled.
constexpr double kWrongDerivative = 1e-3;
constexpr double kSettled = 0.1;
// A length that is uncertain by more than this fraction is not known at all.
constexpr double kUnresolved = 0.05;
// Both ways of measuring a part agree to this share of the accuracy; one of this size needs half as many parts.
constexpr double kOfAccuracy = 1e-2;
constexpr double kRough = 0.99e-5;
// Of extreme singular values; from which dimension on they are those of a Cholesky factor, up to which condition.
constexpr double kExtremeTolerance = 1e-6;
constexpr Eigen::Index kCholeskyDimension = 128;
constexpr double kCholeskyCondition = 1e5;

double sampled_length(const Manifold& manifold, const Curve& curve, Workspace& ws) {
  Vector d(kSamplePoints - 1);
  manifold.chords(curve.position(uniform_times(kSamplePoints)), d, ws);
  return d.sum();
}

// What is added up over the arcs.
Measurement add_up(const Arcs& arcs) {
  Measurement out;
  double chords = 0;
  double rounding = arcs.rounding_at_ends;
  double cancellation = 0;
  for (const Arc& arc : arcs.parts) {
    chords += arc.chords;
    out.metric_length += arc.integral;
    out.energy += arc.energy;
    rounding += arc.rounding;
    cancellation += arc.cancellation;
    out.refinement += std::max(arc.chords_error, arc.hidden);
    const double apart = std::abs(arc.chords - arc.integral);
    out.disagreement += std::isfinite(apart) ? std::max(0.0, apart - arc.uncertainty()) : apart;
  }
  const bool drowned = rounding > kDrowned * chords && cancellation < rounding;
  out.length = drowned ? out.metric_length : chords;
  out.numerical_error = drowned ? cancellation : out.refinement + rounding;
  // Where values have settled and derivatives say something else altogether, these are wrong: a step is no part of ċ.
  const double apart = std::abs(chords - out.metric_length);
  const bool settled = apart > kWrongDerivative * chords && out.refinement < kSettled * apart;
  if (!settled) out.numerical_error += apart;
  // Of a curve that no division resolves the parts that were not seen may have any length.
  if (out.numerical_error > kUnresolved * out.length) out.numerical_error = std::numeric_limits<double>::infinity();
  return out;
}

// By how much the polyline through points uniform in t is longer than the curve: from the chords of the parts, if these
// are all alike. Where small features made the length split some of them, from those that it began with: either
// polyline may pass over such features.
std::optional<double> excess_of_samples(const Manifold& manifold, const Arcs& arcs, double length) {
  if (!manifold.smooth()) return std::nullopt;
  const Polyline line = polyline_of(arcs.parts);
  if (line.spacing > 0 && line.spacing <= kWidest) {
    const double finer = 1.0 / (kSamplePoints - 1) / line.spacing;
    return kLikeliness * (line.length - length) * finer * finer;
  }
  if (!(arcs.first.spacing > 0) || arcs.first.spacing > kWidest) return std::nullopt;
  const double finer = std::max(1.0, 1.0 / (kSamplePoints - 1) / arcs.first.spacing);
  return kLikelinessOfSplit * (arcs.first.length - length) * finer * finer;
}

// Raises the errors by what the polyline through points uniform in t says otherwise.
void sample(const Manifold& manifold, const Curve& curve, const Arcs& arcs, Measurement& out, Workspace& ws) {
  const std::optional<double> known = excess_of_samples(manifold, arcs, out.length);
  const double longer = known ? *known : sampled_length(manifold, curve, ws) - out.length;
  // No polyline in an ambient space is longer than its curve: the arcs have missed something.
  if (manifold.generator() != nullptr && longer > out.numerical_error) out.numerical_error = longer;
  out.length_error = out.numerical_error;
  if (-longer < kResolved * out.length) out.length_error = std::max(out.length_error, kRounding * std::abs(longer));
}

// Where the parts meet, their chords and their factors.
void keep_parts(const Arcs& arcs, Eigen::Index n, Measurement& out) {
  const auto parts = static_cast<Eigen::Index>(arcs.parts.size());
  out.times.resize(parts + 1);
  out.chord_times.resize(8 * parts + 1);
  out.chord_lengths.resize(8 * parts);
  out.times(0) = out.chord_times(0) = 0;
  if (arcs.parts.front().factor.size() > 0) out.factors.resize(n, n * parts);
  for (Eigen::Index a = 0; a < parts; ++a) {
    const Arc& arc = arcs.parts[static_cast<std::size_t>(a)];
    out.times(a + 1) = arc.to;
    for (Eigen::Index i = 0; i < 8; ++i) {
      const double share = static_cast<double>(i + 1) / 8;
      out.chord_times(8 * a + i + 1) = i == 7 ? arc.to : arc.from + share * (arc.to - arc.from);
      out.chord_lengths(8 * a + i) = arc.finest[static_cast<std::size_t>(i)];
    }
    if (out.factors.size() > 0) out.factors.middleCols(n * a, n) = arc.factor;
  }
}

// A curve that stays where it is has no length, whatever rounding makes of the map.
bool stays(const Curve& curve) {
  const Matrix& z = curve.positions();
  return (z.colwise() - z.col(0)).isZero(0) && curve.velocities().isZero(0) && curve.accelerations().isZero(0);
}

}  // namespace

Measurement measure(const Manifold& manifold, const Curve& curve, Workspace& ws, double accuracy) {
  ArcOptions options;
  options.relative_tolerance = kOfAccuracy * accuracy;
  if (accuracy >= kRough && manifold.smooth()) options.least /= 2;
  const Arcs arcs = measure_arcs(manifold, curve, ws, options);
  Measurement out = add_up(arcs);
  keep_parts(arcs, manifold.dimension(), out);
  for (const Arc& arc : arcs.parts) {
    out.turning = std::max(out.turning, arc.turning);
    const double off = std::max(arc.fastest - out.length, out.length - arc.slowest);
    if (out.length > 0) out.speed_variation = std::max(out.speed_variation, off / out.length);
  }
  sample(manifold, curve, arcs, out, ws);
  if (stays(curve) && out.length == 0) out.length_error = out.numerical_error = 0;
  return out;
}

Matrix singular_values(const Manifold& manifold, const ConstMatrixRef& Z, Workspace& ws) {
  Matrix R(manifold.dimension(), manifold.dimension() * Z.cols());
  manifold.factor(Z, R, ws);
  return factor_singular_values(R);
}

Matrix factor_singular_values(const ConstMatrixRef& R) {
  const Eigen::Index n = R.rows();
  Matrix out(n, R.cols() / n);
  for (Eigen::Index k = 0; k < out.cols(); ++k) {
    const auto block = R.middleCols(n * k, n);
    throw_if_stopped();
    if (block.allFinite()) {
      out.col(k) = Matrix(block).jacobiSvd().singularValues();
    } else {
      out.col(k).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
  }
  return out;
}

namespace {

// The largest σ² of R, by Lanczos on −RᵀR or −(RᵀR)⁻¹.
double largest_eigenvalue(const std::function<Vector(const Vector&)>& minus, Eigen::Index n) {
  return -lowest_eigenpair(minus, n, kExtremeTolerance).value;
}

Vector extremes_of(const Matrix& R) {
  const auto upper = R.triangularView<Eigen::Upper>();
  const auto lower = R.transpose().triangularView<Eigen::Lower>();
  const double largest =
      largest_eigenvalue([&](const Vector& x) -> Vector { return -(lower * (upper * x)); }, R.rows());
  double smallest = 0;
  if (R.diagonal().minCoeff() > 0) {
    smallest =
        1 / largest_eigenvalue([&](const Vector& x) -> Vector { return -upper.solve(lower.solve(x)); }, R.rows());
  }
  return Vector{{std::sqrt(largest), std::sqrt(smallest)}};
}

}  // namespace

Matrix extreme_singular_values(const Manifold& manifold, const ConstMatrixRef& Z, Workspace& ws) {
  const Eigen::Index n = manifold.dimension();
  Matrix out(2, Z.cols());
  Matrix R(n, n);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    throw_if_stopped();
    if (manifold.prefers_products() && n > kCholeskyDimension) {
      manifold.metric(Z.col(k), R, ws);
      const Eigen::LLT<Matrix> factor(R);
      if (factor.info() == Eigen::Success) {
        out.col(k) = extremes_of(factor.matrixU());
        if (out(0, k) < kCholeskyCondition * out(1, k)) continue;
      }
    }
    manifold.factor(Z.col(k), R, ws);
    if (R.allFinite()) {
      out.col(k) = extremes_of(R);
    } else {
      out.col(k).setConstant(std::numeric_limits<double>::quiet_NaN());
    }
  }
  return out;
}

Vector condition_number(const ConstMatrixRef& singular_values) {
  Vector kappa(singular_values.cols());
  for (Eigen::Index k = 0; k < kappa.size(); ++k) {
    const double smallest = singular_values(singular_values.rows() - 1, k);
    kappa(k) = smallest > 0 ? singular_values(0, k) / smallest : std::numeric_limits<double>::infinity();
  }
  return kappa;
}

Vector log_magnification(const ConstMatrixRef& singular_values) {
  return singular_values.array().log().colwise().sum().transpose();
}

}  // namespace pullback
