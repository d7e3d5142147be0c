#include "pullback/manifold/metrics/damped_manifold.h"

#include <fmt/format.h>

#include <Eigen/QR>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/numerics/nodal_differences.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

const Manifold& require(const std::shared_ptr<const Manifold>& inner) {
  if (!inner) throw std::invalid_argument("DampedManifold: the manifold is null");
  return *inner;
}

}  // namespace

DampedManifold::DampedManifold(std::shared_ptr<const Manifold> inner, double lambda, const ConstMatrixRef& W)
    : Manifold{require(inner).dimension(), inner->name(), inner->smooth()},  // in this order
      inner_(std::move(inner)) {
  const int n = dimension();
  if (!(lambda >= 0) || !std::isfinite(lambda)) {
    throw std::invalid_argument(fmt::format("DampedManifold: lambda must be finite and at least 0, got {}", lambda));
  }
  if (W.rows() != n || W.cols() != n) {
    throw std::invalid_argument(fmt::format("DampedManifold: W must be {0}×{0}, got {1}×{2}", n, W.rows(), W.cols()));
  }
  root_ = std::sqrt(lambda) * W;
  set_derivatives(inner_->first_derivative(), inner_->second_derivative());
}

Matrix DampedManifold::damp_factors(MatrixRef R) const {
  const Eigen::Index n = dimension();
  Matrix Q(2 * n, R.cols());
  for (Eigen::Index k = 0; k < R.cols() / n; ++k) {
    Q.block(0, n * k, n, n) = R.middleCols(n * k, n);
    Q.block(n, n * k, n, n) = root_;
  }
  orthonormalise(Q, static_cast<int>(n), R);
  return Q;
}

void DampedManifold::do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const {
  inner_->metric(Z, M, ws);
  const Eigen::Index n = dimension();
  const Matrix flat = root_.transpose() * root_;
  for (Eigen::Index k = 0; k < Z.cols(); ++k) M.middleCols(n * k, n) += flat;
}

void DampedManifold::do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const {
  inner_->factor(Z, R, ws);
  damp_factors(R);
}

void DampedManifold::do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A,
                                     Workspace& ws) const {
  const Eigen::Index n = dimension();
  inner_->acceleration(Z, V, A, ws);
  Matrix R(n, n * Z.cols());
  inner_->factor(Z, R, ws);
  const Matrix inner_factors = R;
  const Matrix Q = damp_factors(R);
  floor_diagonal(R);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const Vector force = Q.block(0, n * k, n, n).transpose() * (inner_factors.middleCols(n * k, n) * A.col(k));
    A.col(k) = R.middleCols(n * k, n).triangularView<Eigen::Upper>().solve(force);
  }
}

// ‖Δa_λ‖_λ ≤ ‖Δa‖, as (M + λWᵀW) Δa_λ = M Δa.
void DampedManifold::do_acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e,
                                           Workspace& ws) const {
  inner_->acceleration_error(Z, V, e, ws);
}

void DampedManifold::do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const {
  inner_->chords(Z, d, ws);
  for (Eigen::Index i = 0; i < d.size(); ++i) {
    d(i) = std::hypot(d(i), (root_ * (Z.col(i + 1) - Z.col(i))).norm());
  }
}

// The rows of the flat part, √K √λ W(z_{i+1} − z_i), below those of the inner chord, compressed by a QR of all.
void DampedManifold::do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual,
                                 MatrixRef jacobian, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index K = Z.cols() - 1;
  const double scale = std::sqrt(static_cast<double>(K));
  inner_->segments(Z, model, R, residual, jacobian, ws);
  const Matrix Q = damp_factors(R);
  floor_diagonal(R);
  Matrix rows(3 * n + 1, 2 * n + 1);
  for (Eigen::Index i = 0; i < K; ++i) {
    for (Eigen::Index side = 0; side < 2; ++side) {
      const auto frame = Q.middleCols(n * (i + side), n);
      const auto block = jacobian.middleCols(2 * n * i + n * side, n);
      rows.block(0, n * side, 2 * n + 1, n) = block * frame.topRows(n);
      rows.block(2 * n + 1, n * side, n, n) = (side == 0 ? -scale : scale) * frame.bottomRows(n);
    }
    rows.col(2 * n).head(2 * n + 1) = residual.col(i);
    rows.col(2 * n).tail(n) = scale * (root_ * (Z.col(i + 1) - Z.col(i)));
    const Eigen::HouseholderQR<Matrix> qr(rows);
    const Matrix compressed = qr.matrixQR().topRows(2 * n + 1).triangularView<Eigen::Upper>();
    jacobian.middleCols(2 * n * i, 2 * n) = compressed.leftCols(2 * n);
    residual.col(i) = compressed.col(2 * n);
  }
}

Variation DampedManifold::do_variation(const ConstMatrixRef& Z, Workspace& ws) const {
  const Eigen::Index n = dimension();
  const Eigen::Index K = Z.cols() - 1;
  const auto scale = static_cast<double>(K);
  Variation out = inner_->variation(Z, ws);
  const Matrix Q = damp_factors(out.factor);
  const auto inside = [&](Eigen::Index node) { return Q.block(0, n * node, n, n); };
  const auto flat = [&](Eigen::Index node) { return Q.block(n, n * node, n, n); };
  const Matrix root = root_ * (Z.rightCols(K) - Z.leftCols(K));  // √λ Wδ
  out.energy += 0.5 * scale * root.squaredNorm();
  out.coupling.each([&](Eigen::Index i, Eigen::Index j, double weight, MatrixRef block) {
    block = (inside(i).transpose() * block * inside(j) + weight * flat(i).transpose() * flat(j)).eval();
  });
  const DifferenceOrder order = out.coupling.known() ? DifferenceOrder::kSixth : DifferenceOrder::kFourth;
  for (Eigen::Index i = 1; i < K; ++i) {
    const NodalDifference stencil = second_difference(i, K, order);
    Vector bend = Vector::Zero(n);
    for (Eigen::Index s = 0; s < stencil.count; ++s) bend -= scale * stencil.weights[s] * Z.col(stencil.first + s);
    const auto damped = [&](const Vector& inner, const Vector& outer) {
      return Vector(inside(i).transpose() * inner + flat(i).transpose() * outer);
    };
    out.gradient.col(i - 1) = damped(out.gradient.col(i - 1), root_ * bend);
    out.chord_gradient.col(i - 1) = damped(out.chord_gradient.col(i - 1), scale * (root.col(i - 1) - root.col(i)));
    const int block = static_cast<int>(i) - 1;
    auto diagonal = out.hessian.diagonal_block(block);
    diagonal = (inside(i).transpose() * diagonal * inside(i) + 2 * scale * flat(i).transpose() * flat(i)).eval();
    if (i == K - 1) continue;
    auto upper = out.hessian.upper_block(block);
    upper = (inside(i).transpose() * upper * inside(i + 1) - scale * flat(i).transpose() * flat(i + 1)).eval();
  }
  return out;
}

}  // namespace pullback
