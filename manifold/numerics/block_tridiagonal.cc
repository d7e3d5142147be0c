#include "pullback/manifold/numerics/block_tridiagonal.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/base/stop.h"

namespace pullback {
namespace {

// Inverse iteration stops when the Rayleigh quotient moves by less than this; bisection at this width.
constexpr double kRelativeWidth = 1e-9;
constexpr int kMaxInverseIterations = 500;
// The eigenvector is sought from this fraction below its eigenvalue; a few iterations then leave nothing else.
constexpr double kShift = 1e-6;
constexpr int kModeIterations = 8;
// The elimination of blocks of this size takes long enough to ask whether to stop at each.
constexpr int kLargeBlock = 8;

// A lower bound of the spectrum, by Gershgorin's discs.
double spectrum_lower_bound(const BlockTridiagonal& H) {
  const int m = H.blocks();
  double lowest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < m; ++i) {
    const auto D = H.diagonal_block(i);
    for (Eigen::Index a = 0; a < D.rows(); ++a) {
      double radius = D.row(a).cwiseAbs().sum() - std::abs(D(a, a));
      if (i + 1 < m) radius += H.upper_block(i).row(a).cwiseAbs().sum();
      if (i > 0) radius += H.upper_block(i - 1).col(a).cwiseAbs().sum();
      lowest = std::min(lowest, D(a, a) - radius);
    }
  }
  return lowest;
}

// The flat second variation's first mode, different in every component so that none is missed.
Matrix first_guess(int n, int m) {
  Matrix x(n, m);
  for (int i = 0; i < m; ++i) {
    for (int a = 0; a < n; ++a)
      x(a, i) = std::sin(M_PI * (i + 1) / (m + 1)) * (1 + 0.1 * a) + 1e-3 * std::cos(i * 7.0 + a);
  }
  return x / x.norm();
}

double smallest_by_inverse_iteration(const BlockTridiagonalFactor& factor, int n, int m) {
  Matrix x = first_guess(n, m);
  double previous = 0;
  for (int iteration = 0; iteration < kMaxInverseIterations; ++iteration) {
    throw_if_stopped();
    const Matrix y = factor.solve(x);
    const double quotient = 1 / (x.cwiseProduct(y)).sum();
    x = y / y.norm();
    if (std::abs(quotient - previous) <= kRelativeWidth * std::abs(quotient)) return quotient;
    previous = quotient;
  }
  return previous;
}

double smallest_by_bisection(const BlockTridiagonal& H) {
  double low = spectrum_lower_bound(H);
  double high = 0;
  const double width = kRelativeWidth * std::max(1.0, std::abs(low));
  while (high - low > width) {
    const double middle = 0.5 * (low + high);
    (BlockTridiagonalFactor(H, middle).negative_eigenvalues() == 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace

BlockTridiagonalFactor::BlockTridiagonalFactor(const BlockTridiagonal& H, double shift)
    : inverse_pivot_(H.diagonal.rows(), H.diagonal.cols()), upper_(H.upper), smallest_pivot_(H.blocks()) {
  const int n = H.block_size();
  Matrix pivot(n, n);
  throw_if_stopped();
  for (int i = 0; i < H.blocks(); ++i) {
    if (n >= kLargeBlock) throw_if_stopped();
    pivot = H.diagonal_block(i);
    pivot.diagonal().array() -= shift;
    if (i > 0) {
      const auto U = H.upper_block(i - 1);
      pivot.noalias() -= U.transpose() * inverse_pivot_.middleCols(n * (i - 1), n) * U;
    }
    const Eigen::SelfAdjointEigenSolver<Matrix> eigen(0.5 * (pivot + pivot.transpose()));
    const auto& values = eigen.eigenvalues();
    smallest_pivot_(i) = values(0);
    negative_ += static_cast<int>((values.array() < 0).count());
    singular_ = singular_ || !(values.cwiseAbs().minCoeff() > 0);
    if (!first_indefinite_ && !(values(0) > 0)) first_indefinite_ = i;
    inverse_pivot_.middleCols(n * i, n).noalias() =
        eigen.eigenvectors() * values.cwiseInverse().asDiagonal() * eigen.eigenvectors().transpose();
  }
}

Matrix BlockTridiagonalFactor::solve(const ConstMatrixRef& B) const {
  const Eigen::Index n = inverse_pivot_.rows();
  const Eigen::Index m = B.cols();
  Matrix X = B;
  throw_if_stopped();
  for (Eigen::Index i = 1; i < m; ++i) {
    X.col(i) -=
        upper_.middleCols(n * (i - 1), n).transpose() * (inverse_pivot_.middleCols(n * (i - 1), n) * X.col(i - 1));
  }
  for (Eigen::Index i = m - 1; i >= 0; --i) {
    if (i + 1 < m) X.col(i) -= upper_.middleCols(n * i, n) * X.col(i + 1);
    X.col(i) = (inverse_pivot_.middleCols(n * i, n) * X.col(i)).eval();
  }
  return X;
}

double smallest_eigenvalue(const BlockTridiagonal& H) {
  if (!H.diagonal.allFinite() || !H.upper.allFinite()) return std::numeric_limits<double>::quiet_NaN();
  const BlockTridiagonalFactor factor(H);
  if (factor.positive_definite()) return smallest_by_inverse_iteration(factor, H.block_size(), H.blocks());
  return smallest_by_bisection(H);
}

Matrix lowest_mode(const BlockTridiagonal& H, double smallest) {
  const BlockTridiagonalFactor factor(H, smallest - kShift * std::abs(smallest));
  Matrix x = first_guess(H.block_size(), H.blocks());
  for (int i = 0; i < kModeIterations; ++i) {
    x = factor.solve(x);
    x /= x.norm();
  }
  return x;
}

}  // namespace pullback
