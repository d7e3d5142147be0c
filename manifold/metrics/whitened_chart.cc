#include "pullback/manifold/metrics/whitened_chart.h"

#include <Eigen/QR>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

constexpr int kCurvePoints = 33;  // by which the metric along a curve and its extent are judged
// Generators are fastest on batches of about this many points, and the Jacobians of thousands would fill the memory.
constexpr Eigen::Index kBatch = 64;

const Manifold& require(const std::shared_ptr<const Manifold>& manifold) {
  if (!manifold) throw std::invalid_argument("WhitenedChart: the manifold is null");
  return *manifold;
}

}  // namespace

Matrix mean_factor(const Manifold& manifold, const Curve& curve, Workspace& ws) {
  return mean_factor(manifold, curve.position(uniform_times(kCurvePoints)), ws);
}

Matrix mean_factor(const Manifold& manifold, const ConstMatrixRef& points, Workspace& ws) {
  const Eigen::Index n = manifold.dimension();
  Matrix R(n, n * points.cols());
  for (Eigen::Index k = 0; k < points.cols(); k += kBatch) {
    const Eigen::Index count = std::min(kBatch, points.cols() - k);
    manifold.factor(points.middleCols(k, count), R.middleCols(n * k, n * count), ws);
  }
  Matrix stacked = Matrix::Zero(n * points.cols(), n);
  Eigen::Index used = 0;
  for (Eigen::Index k = 0; k < points.cols(); ++k) {
    const auto block = R.middleCols(n * k, n);
    if (block.allFinite()) stacked.middleRows(n * used++, n) = block;
  }
  if (used == 0) return Matrix::Identity(n, n);
  const Eigen::HouseholderQR<Matrix> qr(stacked / std::sqrt(static_cast<double>(used)));
  Matrix W = qr.matrixQR().topRows(n).triangularView<Eigen::Upper>();
  for (Eigen::Index j = 0; j < n; ++j) {
    if (W(j, j) < 0) W.row(j) = -W.row(j);
  }
  floor_diagonal(W);
  return W;
}

WhitenedChart::WhitenedChart(std::shared_ptr<const Manifold> manifold, const Curve& curve, Workspace& ws)
    : manifold_(std::move(manifold)), origin_(curve.positions().col(0)) {
  const Matrix Z = curve.position(uniform_times(kCurvePoints));
  whitening_ = mean_factor(require(manifold_), Z, ws);
  const Vector largest = Z.cwiseAbs().rowwise().maxCoeff();
  rounding_ = std::numeric_limits<double>::epsilon() *
              std::max((whitening_ * largest.asDiagonal()).norm(), to_chart(Z).colwise().norm().maxCoeff());
}

WhitenedChart::WhitenedChart(std::shared_ptr<const Manifold> manifold, const Vector& origin, Workspace& ws)
    : manifold_(std::move(manifold)), origin_(origin), whitening_(mean_factor(require(manifold_), origin_, ws)) {}

Matrix WhitenedChart::inverse() const {
  return whitening_.triangularView<Eigen::Upper>().solve(Matrix::Identity(dimension(), dimension()));
}

std::shared_ptr<const AffineChart> WhitenedChart::manifold() const {
  return std::make_shared<AffineChart>(manifold_, inverse(), origin_);
}

Matrix WhitenedChart::to_chart(const ConstMatrixRef& Z) const {
  return whitening_.triangularView<Eigen::Upper>() * (Z.colwise() - origin_);
}

Matrix WhitenedChart::from_chart(const ConstMatrixRef& Y) const {
  Matrix Z = whitening_.triangularView<Eigen::Upper>().solve(Y);
  Z.colwise() += origin_;
  return Z;
}

// Not Curve::transformed, whose W c − W z_0 cancels where the chart is sheared.
Curve WhitenedChart::to_chart(const Curve& curve) const {
  const auto W = whitening_.triangularView<Eigen::Upper>();
  Matrix positions = to_chart(curve.positions());
  Matrix velocities = W * curve.velocities();
  if (!curve.quintic()) return {curve.times(), std::move(positions), std::move(velocities)};
  return {curve.times(), std::move(positions), std::move(velocities), Matrix(W * curve.accelerations())};
}

Curve WhitenedChart::from_chart(const Curve& curve, const ConstVectorRef& from, const ConstVectorRef& to) const {
  const auto W = whitening_.triangularView<Eigen::Upper>();
  Matrix positions = from_chart(curve.positions());
  positions.col(0) = from;
  positions.rightCols(1) = to;
  Matrix velocities = W.solve(curve.velocities());
  if (!curve.quintic()) return {curve.times(), std::move(positions), std::move(velocities)};
  return {curve.times(), std::move(positions), std::move(velocities), Matrix(W.solve(curve.accelerations()))};
}

void WhitenedChart::acceleration(const ConstMatrixRef& Y, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const {
  const auto W = whitening_.triangularView<Eigen::Upper>();
  const Matrix Z = from_chart(Y);
  const Matrix velocities = W.solve(V);
  for (Eigen::Index k = 0; k < Y.cols(); k += kBatch) {
    const Eigen::Index count = std::min(kBatch, Y.cols() - k);
    manifold_->acceleration(Z.middleCols(k, count), velocities.middleCols(k, count), A.middleCols(k, count), ws);
  }
  A = (W * A).eval();
}

Matrix WhitenedChart::factor(const ConstMatrixRef& Y, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Matrix Z = from_chart(Y);
  Matrix R(n, n * Z.cols());
  manifold_->factor(Z, R, ws);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    throw_if_stopped();
    auto block = R.middleCols(n * k, n);
    block = whitening_.triangularView<Eigen::Upper>().solve<Eigen::OnTheRight>(block).eval();
    block.triangularView<Eigen::StrictlyLower>().setZero();
  }
  floor_diagonal(R);
  return R;
}

Vector WhitenedChart::residuals(const Curve& curve, Workspace& ws) const {
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
