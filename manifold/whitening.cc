#include "pullback/manifold/whitening.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/generators/stop.h"
#include "pullback/manifold/dense_kernels.h"

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

}  // namespace pullback
