#include "pullback/manifold/numerics/whitening.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/base/stop.h"
#include "pullback/manifold/numerics/dense_kernels.h"

namespace pullback {
namespace {

// Below this fraction of its own length, what Gram–Schmidt leaves of a column is rounding.
constexpr double kDependent = 8 * std::numeric_limits<double>::epsilon();
constexpr double kDiagonalFloor = 1e-14;
// Blocks of so many columns take long enough to ask whether to stop at each.
constexpr int kLargeBlock = 8;

void orthonormalise_block(Eigen::Ref<Matrix> J, Eigen::Ref<Matrix> R) {
  const auto rows = static_cast<std::size_t>(J.rows());
  R.setZero();
  for (Eigen::Index j = 0; j < J.cols(); ++j) {
    double* column = J.col(j).data();
    const double before = std::sqrt(kernels::dot(column, column, rows));
    for (int pass = 0; pass < 2; ++pass) {
      for (Eigen::Index i = 0; i < j; ++i) {
        const double projection = kernels::dot(J.col(i).data(), column, rows);
        kernels::axpy(-projection, J.col(i).data(), column, rows);
        R(i, j) += projection;
      }
    }
    const double after = std::sqrt(kernels::dot(column, column, rows));
    if (after <= kDependent * before) {
      J.col(j).setZero();
    } else {
      R(j, j) = after;
      J.col(j) *= 1 / after;
    }
  }
}

}  // namespace

void orthonormalise(MatrixRef J, int n, MatrixRef R) {
  for (Eigen::Index k = 0; k < J.cols() / n; ++k) {
    if (n >= kLargeBlock) throw_if_stopped();
    orthonormalise_block(J.middleCols(n * k, n), R.middleCols(n * k, n));
  }
}

void floor_diagonal(MatrixRef R) {
  const Eigen::Index n = R.rows();
  for (Eigen::Index k = 0; k < R.cols() / n; ++k) {
    auto block = R.middleCols(n * k, n);
    const double largest = block.colwise().norm().maxCoeff();
    const double floor = largest > 0 ? kDiagonalFloor * largest : 1;
    for (Eigen::Index j = 0; j < n; ++j) block(j, j) = std::max(block(j, j), floor);
  }
}

Matrix square_root_factor(const ConstMatrixRef& M) {
  const Eigen::LLT<Matrix> cholesky(M);
  if (cholesky.info() == Eigen::Success) return cholesky.matrixU();
  if (!M.allFinite()) return Matrix::Constant(M.rows(), M.cols(), std::numeric_limits<double>::quiet_NaN());
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(M);
  const Vector roots = eigen.eigenvalues().cwiseMax(0).cwiseSqrt();
  return frame_factor(roots.asDiagonal() * eigen.eigenvectors().transpose());
}

Matrix frame_factor(const ConstMatrixRef& W) {
  const Eigen::Index n = W.cols();
  if (!W.allFinite()) return Matrix::Constant(n, n, std::numeric_limits<double>::quiet_NaN());
  const double largest = W.cwiseAbs().maxCoeff();
  if (!(largest > 0)) return Matrix::Zero(n, n);
  Matrix rows = Matrix::Zero(std::max(n, W.rows()), n);
  rows.topRows(W.rows()) = W / largest;
  const Eigen::HouseholderQR<Matrix> qr(rows);
  Matrix R = qr.matrixQR().topRows(n).triangularView<Eigen::Upper>();
  for (Eigen::Index i = 0; i < n; ++i) {
    if (R(i, i) < 0) R.row(i) *= -1;
  }
  return largest * R;
}

Matrix block_inverses(const ConstMatrixRef& R) {
  const Eigen::Index n = R.rows();
  Matrix inverse(n, R.cols());
  for (Eigen::Index k = 0; k < R.cols() / n; ++k) {
    throw_if_stopped();
    inverse.middleCols(n * k, n) = R.middleCols(n * k, n).triangularView<Eigen::Upper>().solve(Matrix::Identity(n, n));
  }
  return inverse;
}

}  // namespace pullback
