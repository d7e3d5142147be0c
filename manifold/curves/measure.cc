#include "pullback/manifold/curves/measure.h"

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/base/stop.h"
#include "pullback/manifold/curves/arc_length.h"

namespace pullback {
namespace {

constexpr int kSamplePoints = 1001;  // what length_error promises to whoever samples the curve
constexpr double kRounding = 1.001;  // whoever adds in another order still finds the length within the error
constexpr double kResolved = 0.01;   // of a polyline that says something about the curve
// Polylines drown in rounding where it may change their length by more than this fraction.
constexpr double kDrowned = 1e-10;

// Two lengths that differ by more than this fraction contradict each other; polylines that change by less than this
// fraction of the difference have settled.
constexpr double kWrongDerivative = 1e-3;
constexpr double kSettled = 0.1;
// A length that is uncertain by more than this fraction is not known at all.
constexpr double kUnresolved = 0.05;

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

// Raises the errors by what the polyline through points uniform in t says otherwise.
void sample(const Manifold& manifold, const Curve& curve, Measurement& out, Workspace& ws) {
  Vector d(kSamplePoints - 1);
  manifold.chords(curve.position(uniform_times(kSamplePoints)), d, ws);
  const double longer = d.sum() - out.length;
  // No polyline in an ambient space is longer than its curve: the arcs have missed something.
  if (manifold.generator() != nullptr && longer > out.numerical_error) out.numerical_error = longer;
  out.length_error = out.numerical_error;
  if (-longer < kResolved * out.length) out.length_error = std::max(out.length_error, kRounding * std::abs(longer));
}

Vector times_of(const Arcs& arcs) {
  Vector out(static_cast<Eigen::Index>(arcs.parts.size()) + 1);
  out(0) = 0;
  for (std::size_t i = 0; i < arcs.parts.size(); ++i) out(static_cast<Eigen::Index>(i) + 1) = arcs.parts[i].to;
  return out;
}

// A curve that stays where it is has no length, whatever rounding makes of the map.
bool stays(const Curve& curve) {
  const Matrix& z = curve.positions();
  return (z.colwise() - z.col(0)).isZero(0) && curve.velocities().isZero(0) && curve.accelerations().isZero(0);
}

}  // namespace

Measurement measure(const Manifold& manifold, const Curve& curve, Workspace& ws) {
  const Arcs arcs = measure_arcs(manifold, curve, ws);
  Measurement out = add_up(arcs);
  out.times = times_of(arcs);
  for (const Arc& arc : arcs.parts) {
    const double off = std::max(arc.fastest - out.length, out.length - arc.slowest);
    if (out.length > 0) out.speed_variation = std::max(out.speed_variation, off / out.length);
  }
  sample(manifold, curve, out, ws);
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
