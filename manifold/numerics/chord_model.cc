#include "pullback/manifold/numerics/chord_model.h"

#include <Eigen/Eigenvalues>
#include <algorithm>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

// The eigenvectors of chords of so many rows take long enough to ask whether to stop at each.
constexpr Eigen::Index kLargeChord = 16;

}  // namespace

void compress_chord(const ConstVectorRef& gradient, Matrix hessian, double s, VectorRef residual, MatrixRef jacobian) {
  const Eigen::Index rows = gradient.size();
  if (rows >= kLargeChord) throw_if_stopped();
  residual.setZero();
  jacobian.setZero();
  if (s > 0) {
    residual(rows) = s;
    jacobian.row(rows) = gradient.transpose() / s;
    hessian -= jacobian.row(rows).transpose() * jacobian.row(rows);
  }
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(hessian);
  jacobian.topRows(rows) = eigen.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() * eigen.eigenvectors().transpose();
}

NormalEquations normal_equations(const ConstMatrixRef& residual, const ConstMatrixRef& jacobian) {
  const Eigen::Index n = (residual.rows() - 1) / 2;
  const Eigen::Index K = residual.cols();
  const auto left = [&](Eigen::Index i) { return jacobian.middleCols(2 * n * i, n); };
  const auto right = [&](Eigen::Index i) { return jacobian.middleCols(2 * n * i + n, n); };
  NormalEquations out;
  out.hessian.diagonal.resize(n, n * (K - 1));
  out.hessian.upper.resize(n, n * std::max<Eigen::Index>(K - 2, 0));
  out.gradient.resize(n, K - 1);
  for (Eigen::Index i = 1; i < K; ++i) {
    if (n >= kLargeChord) throw_if_stopped();
    out.hessian.diagonal.middleCols(n * (i - 1), n) =
        right(i - 1).transpose() * right(i - 1) + left(i).transpose() * left(i);
    if (i + 1 < K) out.hessian.upper.middleCols(n * (i - 1), n) = left(i).transpose() * right(i);
    out.gradient.col(i - 1) = right(i - 1).transpose() * residual.col(i - 1) + left(i).transpose() * residual.col(i);
  }
  return out;
}

}  // namespace pullback
