#include "pullback/manifold/metrics/affine_chart.h"

#include <fmt/format.h>

#include <Eigen/LU>
#include <Eigen/QR>
#include <stdexcept>
#include <string>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/generators/combine/compose.h"

namespace pullback {
namespace {

const Manifold& require(const std::shared_ptr<const Manifold>& inner) {
  if (!inner) throw std::invalid_argument("AffineChart: the manifold is null");
  return *inner;
}

std::shared_ptr<const Generator> composed(const Manifold& inner, const Matrix& A, const Vector& b) {
  const int n = inner.dimension();
  if (A.rows() != n || A.cols() != n || b.size() != n) {
    throw std::invalid_argument(fmt::format("AffineChart: A must be {0}×{0} and b of size {0}, got {1}×{2} and {3}", n,
                                            A.rows(), A.cols(), b.size()));
  }
  if (!A.allFinite() || !b.allFinite()) throw std::invalid_argument("AffineChart: A and b must be finite");
  if (!inner.generator()) return nullptr;
  return std::make_shared<AffineInput>(inner.shared_generator(), A, b, inner.name());
}

// R ≥ 0 on the diagonal with QR = block; block becomes R.
Matrix rotate(Eigen::Ref<Matrix> block) {
  const Eigen::HouseholderQR<Matrix> qr(block);
  Matrix Q = qr.householderQ();
  Matrix R = qr.matrixQR().triangularView<Eigen::Upper>();
  for (Eigen::Index j = 0; j < R.rows(); ++j) {
    if (R(j, j) >= 0) continue;
    R.row(j) = -R.row(j);
    Q.col(j) = -Q.col(j);
  }
  block = R;
  return Q;
}

}  // namespace

AffineChart::AffineChart(std::shared_ptr<const Manifold> inner, Matrix A, Vector b)
    : Manifold{require(inner).dimension(), inner->name(), inner->smooth(), composed(*inner, A, b)},  // in this order
      inner_(std::move(inner)),
      A_(std::move(A)),
      inverse_(A_.inverse()),
      b_(std::move(b)) {
  if (!inverse_.allFinite()) throw std::invalid_argument("AffineChart: A is singular");
  set_derivatives(inner_->first_derivative(), inner_->second_derivative());
}

Matrix AffineChart::to_chart(const ConstMatrixRef& Z) const {
  if (Z.cols() == 0) return Matrix(dimension(), 0);  // no points, which may have no rows either
  return inverse_ * (Z.colwise() - b_);
}

Curve AffineChart::to_chart(const Curve& curve) const {
  // Shifted first: b and the curve may be far from the origin and near each other.
  return curve.transformed(Matrix::Identity(dimension(), dimension()), -b_)
      .transformed(inverse_, Vector::Zero(dimension()));
}

Matrix AffineChart::rotate_factors(MatrixRef R) const {
  const Eigen::Index n = dimension();
  Matrix Q(n, R.cols());
  for (Eigen::Index k = 0; k < R.cols() / n; ++k) {
    throw_if_stopped();
    auto block = R.middleCols(n * k, n);
    block *= A_;
    Q.middleCols(n * k, n) = rotate(block);
  }
  return Q;
}

// From factors: AᵀMA would lose to rounding what is small in the other chart, squared.
void AffineChart::do_metric(const ConstMatrixRef& Y, MatrixRef M, Workspace& ws) const {
  do_factor(Y, M, ws);
  const Eigen::Index n = dimension();
  for (Eigen::Index k = 0; k < Y.cols(); ++k) {
    const Matrix R = M.middleCols(n * k, n);
    M.middleCols(n * k, n).noalias() = R.transpose() * R;
  }
}

void AffineChart::do_factor(const ConstMatrixRef& Y, MatrixRef R, Workspace& ws) const {
  inner_->factor(from_chart(Y), R, ws);
  rotate_factors(R);
}

void AffineChart::do_acceleration(const ConstMatrixRef& Y, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const {
  inner_->acceleration(from_chart(Y), A_ * V, A, ws);
  A = (inverse_ * A).eval();
}

void AffineChart::do_acceleration_error(const ConstMatrixRef& Y, const ConstMatrixRef& V, VectorRef e,
                                        Workspace& ws) const {
  inner_->acceleration_error(from_chart(Y), A_ * V, e, ws);
}

void AffineChart::do_chords(const ConstMatrixRef& Y, VectorRef d, Workspace& ws) const {
  inner_->chords(from_chart(Y), d, ws);
}

void AffineChart::do_segments(const ConstMatrixRef& Y, HessianModel model, MatrixRef R, MatrixRef residual,
                              MatrixRef jacobian, Workspace& ws) const {
  inner_->segments(from_chart(Y), model, R, residual, jacobian, ws);
  const Eigen::Index n = dimension();
  const Matrix Q = rotate_factors(R);
  for (Eigen::Index i = 0; i + 1 < Y.cols(); ++i) {
    throw_if_stopped();
    for (Eigen::Index side = 0; side < 2; ++side) {
      auto block = jacobian.middleCols(2 * n * i + n * side, n);
      block *= Q.middleCols(n * (i + side), n);
    }
  }
}

Variation AffineChart::do_variation(const ConstMatrixRef& Y, Workspace& ws) const {
  Variation out = inner_->variation(from_chart(Y), ws);
  const Eigen::Index n = dimension();
  const Matrix Q = rotate_factors(out.factor);
  const auto rotation = [&](Eigen::Index node) { return Q.middleCols(n * node, n); };
  out.coupling.each([&](Eigen::Index i, Eigen::Index j, double /*weight*/, MatrixRef block) {
    block = (rotation(i).transpose() * block * rotation(j)).eval();
  });
  for (int i = 0; i < out.hessian.blocks(); ++i) {
    throw_if_stopped();
    out.gradient.col(i) = (rotation(i + 1).transpose() * out.gradient.col(i)).eval();
    out.chord_gradient.col(i) = (rotation(i + 1).transpose() * out.chord_gradient.col(i)).eval();
    out.hessian.diagonal_block(i) =
        (rotation(i + 1).transpose() * out.hessian.diagonal_block(i) * rotation(i + 1)).eval();
    if (i + 1 < out.hessian.blocks()) {
      out.hessian.upper_block(i) = (rotation(i + 1).transpose() * out.hessian.upper_block(i) * rotation(i + 2)).eval();
    }
  }
  return out;
}

}  // namespace pullback
