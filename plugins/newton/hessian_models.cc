#include "pullback/plugins/newton/hessian_models.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

// The eigenvectors of blocks of this size take long enough to ask whether to stop at each.
constexpr int kLargeBlock = 8;

// The matrix without its negative part.
Matrix positive_part(const Matrix& A) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(A);
  return eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(0).asDiagonal() * eigen.eigenvectors().transpose();
}

}  // namespace

BlockTridiagonal gauss_newton_part(const BlockTridiagonal& H) {
  const int n = H.block_size();
  const int m = H.blocks();
  const double K = m + 1;
  BlockTridiagonal out = H;
  throw_if_stopped();
  for (int i = 0; i < m; ++i) {
    if (n >= kLargeBlock) throw_if_stopped();
    out.diagonal_block(i).setZero();
    out.diagonal_block(i).diagonal().setConstant(2 * K);
    if (i + 1 == m) continue;
    auto C = out.upper_block(i);
    const Matrix square = C * C.transpose();
    const double norm = std::sqrt(
        std::max(0.0, Eigen::SelfAdjointEigenSolver<Matrix>(square, Eigen::EigenvaluesOnly).eigenvalues()(n - 1)));
    if (norm > K) C *= K / norm;  // a metric without a map: its differences need not be those of vectors
  }
  return out;
}

BlockTridiagonal projected(const BlockTridiagonal& H) {
  const int n = H.block_size();
  const int m = H.blocks();
  BlockTridiagonal out = H;
  out.diagonal.setZero();
  out.diagonal_block(0) += positive_part(0.5 * H.diagonal_block(0));
  out.diagonal_block(m - 1) += positive_part(0.5 * H.diagonal_block(m - 1));
  Matrix chord(2 * n, 2 * n);
  throw_if_stopped();
  for (int i = 0; i + 1 < m; ++i) {
    if (n >= kLargeBlock) throw_if_stopped();
    chord.topLeftCorner(n, n) = 0.5 * H.diagonal_block(i);
    chord.bottomRightCorner(n, n) = 0.5 * H.diagonal_block(i + 1);
    chord.topRightCorner(n, n) = H.upper_block(i);
    chord.bottomLeftCorner(n, n) = H.upper_block(i).transpose();
    const Matrix positive = positive_part(chord);
    out.diagonal_block(i) += positive.topLeftCorner(n, n);
    out.diagonal_block(i + 1) += positive.bottomRightCorner(n, n);
    out.upper_block(i) = positive.topRightCorner(n, n);
  }
  return out;
}

BlockTridiagonal sum(const BlockTridiagonal& A, double b, const BlockTridiagonal& B) {
  return {A.diagonal + b * B.diagonal, A.upper + b * B.upper};
}

}  // namespace pullback
