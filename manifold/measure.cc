#include "pullback/manifold/measure.h"

#include <Eigen/SVD>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "pullback/generators/stop.h"

namespace pullback {
namespace {

constexpr int kSamplePoints = 1001;  // what length_error promises to whoever samples the curve
constexpr double kRounding = 1.001;  // whoever adds in another order still finds the length within the error
constexpr int kFirstChords = 512;    // of the finest polyline to begin with
constexpr int kMostChords = 1 << 15;
constexpr double kRelativeTarget = 1e-9;  // no refinement beyond this estimated error, of a value that is better
constexpr int kQuadratureIntervals = 48;
// Quadrature is refined, up to 4³ times, while it differs from the ambient length by more than this fraction: over
// kinks it converges slowly, at steps never.
constexpr double kQuadratureAgreement = 1e-4;
constexpr int kQuadratureRefinements = 3;

struct Refined {
  double value;
  double error;
};

// Three values of a sum with spacings 4h, 2h, h and an error series in h²: Romberg where they behave like that, else
// the finest one, for curves over kinks and steps.
Refined extrapolate(double coarse, double middle, double fine) {
  const double first = middle - coarse;
  const double second = fine - middle;
  const double rounding = 1e-14 * std::abs(fine);
  const bool regular = std::abs(first) <= rounding || (second / first > 0.15 && second / first < 0.4);
  if (!regular) return {fine, std::abs(second) + rounding};
  const double once_coarse = middle + first / 3;
  const double once_fine = fine + second / 3;
  return {once_fine + (once_fine - once_coarse) / 15, std::abs(once_fine - once_coarse) + rounding};
}

// Times with `per_piece` equal steps in every piece, so that every piece is smooth between them.
Vector piecewise_times(const Curve& curve, int per_piece) {
  Vector t(curve.pieces() * per_piece + 1);
  for (int i = 0; i < curve.pieces(); ++i) {
    const double h = (curve.times()(i + 1) - curve.times()(i)) / per_piece;
    for (int j = 0; j < per_piece; ++j) t(i * per_piece + j) = curve.times()(i) + j * h;
  }
  t(t.size() - 1) = 1;
  return t;
}

// Length and energy of the polyline through every `stride`-th of the points that lie at times t.
void polyline(const Manifold& manifold, const Matrix& points, const Vector& t, int stride, double& length,
              double& energy, Workspace& ws) {
  const Eigen::Index chords = (points.cols() - 1) / stride;
  Matrix nodes(points.rows(), chords + 1);
  for (Eigen::Index i = 0; i <= chords; ++i) nodes.col(i) = points.col(i * stride);
  Vector d(chords);
  manifold.chords(nodes, d, ws);
  length = d.sum();
  energy = 0;
  for (Eigen::Index i = 0; i < chords; ++i) {
    energy += 0.5 * d(i) * d(i) / (t((i + 1) * stride) - t(i * stride));
  }
}

void refine(const Manifold& manifold, const Curve& curve, Measurement& out, Workspace& ws) {
  int per_piece = curve.pieces() % 2 == 0 ? 2 : 4;  // the coarsest polyline has a quarter of the chords
  while (per_piece * curve.pieces() < kFirstChords) per_piece *= 2;
  std::array<double, 3> lengths{};
  std::array<double, 3> energies{};
  for (int first = 0;; per_piece *= 2, first = 2) {
    const Vector t = piecewise_times(curve, per_piece);
    const Matrix points = curve.position(t);
    // From the second time on, only the finest polyline is new.
    for (int level = first; level < 3; ++level)
      polyline(manifold, points, t, 4 >> level, lengths[level], energies[level], ws);
    const Refined length = extrapolate(lengths[0], lengths[1], lengths[2]);
    out.length = length.value;
    out.length_error = length.error;
    out.energy = extrapolate(energies[0], energies[1], energies[2]).value;
    const bool last = 2 * per_piece * curve.pieces() > kMostChords;
    if (last || !std::isfinite(out.length) || length.error <= kRelativeTarget * out.length) return;
    std::rotate(lengths.begin(), lengths.begin() + 1, lengths.end());
    std::rotate(energies.begin(), energies.begin() + 1, energies.end());
  }
}

// Three-point Gauss quadrature of the speed, and its largest deviation from the mean.
void integrate_speed(const Manifold& manifold, const Curve& curve, int least_intervals, Measurement& out,
                     Workspace& ws) {
  constexpr std::array<double, 3> kNodes{-0.774596669241483377, 0, 0.774596669241483377};
  constexpr std::array<double, 3> kWeights{5.0 / 9, 8.0 / 9, 5.0 / 9};
  const int per_piece = (least_intervals + curve.pieces() - 1) / curve.pieces();
  const Vector ends = piecewise_times(curve, per_piece);
  const Eigen::Index intervals = ends.size() - 1;
  Vector t(3 * intervals);
  for (Eigen::Index i = 0; i < intervals; ++i) {
    for (Eigen::Index g = 0; g < 3; ++g) {
      t(3 * i + g) = 0.5 * (ends(i) + ends(i + 1)) + 0.5 * kNodes[g] * (ends(i + 1) - ends(i));
    }
  }
  const Eigen::Index n = manifold.dimension();
  const Matrix V = curve.velocity(t);
  Matrix R(n, n * t.size());
  manifold.factor(curve.position(t), R, ws);
  Vector speed(t.size());
  double length = 0;
  for (Eigen::Index k = 0; k < t.size(); ++k) {
    speed(k) = (R.middleCols(n * k, n) * V.col(k)).norm();
    length += 0.5 * kWeights[k % 3] * (ends(k / 3 + 1) - ends(k / 3)) * speed(k);
  }
  out.metric_length = length;
  out.speed_variation = length > 0 ? (speed.array() - length).abs().maxCoeff() / length : 0;
}

}  // namespace

Measurement measure(const Manifold& manifold, const Curve& curve, Workspace& ws) {
  Measurement out;
  refine(manifold, curve, out, ws);
  Vector d(kSamplePoints - 1);
  manifold.chords(curve.position(uniform_times(kSamplePoints)), d, ws);
  out.length_error = std::max(out.length_error, kRounding * std::abs(d.sum() - out.length));
  int intervals = kQuadratureIntervals;
  for (int i = 0; i <= kQuadratureRefinements; ++i, intervals *= 4) {
    integrate_speed(manifold, curve, intervals, out, ws);
    if (!(std::abs(out.metric_length - out.length) > kQuadratureAgreement * out.length)) break;
  }
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
