#include "pullback/manifold/metrics/mean_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/metrics/affine_chart.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

constexpr int kCurvePoints = 33;  // by which its extent is judged
// Generators are fastest on batches of about this many points.
constexpr Eigen::Index kBatch = 64;

}  // namespace

MeanChart::MeanChart(const Manifold& manifold, const Curve& curve, Workspace& ws)
    : manifold_(manifold), origin_(curve.positions().col(0)) {
  const Matrix Z = curve.position(uniform_times(kCurvePoints));
  whitening_ = mean_factor(manifold, curve, ws);
  const Vector largest = Z.cwiseAbs().rowwise().maxCoeff();
  rounding_ = std::numeric_limits<double>::epsilon() *
              std::max((whitening_ * largest.asDiagonal()).norm(), whiten(Z).colwise().norm().maxCoeff());
}

Matrix MeanChart::whiten(const ConstMatrixRef& Z) const {
  return whitening_.triangularView<Eigen::Upper>() * (Z.colwise() - origin_);
}

Matrix MeanChart::unwhiten(const ConstMatrixRef& Y) const {
  Matrix Z = whitening_.triangularView<Eigen::Upper>().solve(Y);
  Z.colwise() += origin_;
  return Z;
}

// Not Curve::transformed, whose W c − W z_0 cancels where the chart is sheared.
Curve MeanChart::whiten(const Curve& curve) const {
  const auto W = whitening_.triangularView<Eigen::Upper>();
  Matrix positions = whiten(curve.positions());
  Matrix velocities = W * curve.velocities();
  if (!curve.quintic()) return {curve.times(), std::move(positions), std::move(velocities)};
  return {curve.times(), std::move(positions), std::move(velocities), Matrix(W * curve.accelerations())};
}

Curve MeanChart::unwhiten(const Curve& curve, const ConstVectorRef& from, const ConstVectorRef& to) const {
  const auto W = whitening_.triangularView<Eigen::Upper>();
  Matrix positions = unwhiten(curve.positions());
  positions.col(0) = from;
  positions.rightCols(1) = to;
  Matrix velocities = W.solve(curve.velocities());
  if (!curve.quintic()) return {curve.times(), std::move(positions), std::move(velocities)};
  return {curve.times(), std::move(positions), std::move(velocities), Matrix(W.solve(curve.accelerations()))};
}

void MeanChart::acceleration(const ConstMatrixRef& Y, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const {
  const auto W = whitening_.triangularView<Eigen::Upper>();
  const Matrix Z = unwhiten(Y);
  const Matrix velocities = W.solve(V);
  for (Eigen::Index k = 0; k < Y.cols(); k += kBatch) {
    const Eigen::Index count = std::min(kBatch, Y.cols() - k);
    manifold_.acceleration(Z.middleCols(k, count), velocities.middleCols(k, count), A.middleCols(k, count), ws);
  }
  A = (W * A).eval();
}

Matrix MeanChart::factor(const ConstMatrixRef& Y, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Matrix Z = unwhiten(Y);
  Matrix R(n, n * Z.cols());
  manifold_.factor(Z, R, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    throw_if_stopped();
    auto block = R.middleCols(n * k, n);
    block = whitening_.triangularView<Eigen::Upper>().solve<Eigen::OnTheRight>(block).eval();
    block.triangularView<Eigen::StrictlyLower>().setZero();
  }
  floor_diagonal(R);
  return R;
}

Vector MeanChart::residuals(const Curve& curve, Workspace& ws) const {
  // Inner points of five-point Lobatto quadrature on [0,1], and their weights.
  const double offset = 0.5 * std::sqrt(3.0 / 7.0);
  const std::array<double, 3> places{0.5 - offset, 0.5, 0.5 + offset};
  const std::array<double, 3> weights{49.0 / 180, 64.0 / 180, 49.0 / 180};
  const Eigen::Index m = curve.pieces();
  const Eigen::Index n = curve.dimension();
  Vector t(3 * m);
  for (Eigen::Index k = 0; k < 3 * m; ++k) {
    const Eigen::Index i = k / 3;
    t(k) = curve.times()(i) + places[static_cast<std::size_t>(k % 3)] * (curve.times()(i + 1) - curve.times()(i));
  }
  const Matrix y = curve.position(t);
  Matrix geodesic(n, 3 * m);
  acceleration(y, curve.velocity(t), geodesic, ws);
  const Matrix difference = curve.acceleration(t) - geodesic;
  const Matrix R = factor(y, ws);
  Vector squares = Vector::Zero(m);
  for (Eigen::Index k = 0; k < 3 * m; ++k) {
    squares(k / 3) += weights[static_cast<std::size_t>(k % 3)] *
                      (R.middleCols(n * k, n).triangularView<Eigen::Upper>() * difference.col(k)).squaredNorm();
  }
  return squares.cwiseSqrt();
}

}  // namespace pullback
