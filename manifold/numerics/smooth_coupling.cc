#include "pullback/manifold/numerics/smooth_coupling.h"

#include <cstddef>

#include "pullback/manifold/numerics/nodal_differences.h"

namespace pullback {
namespace {

using Eigen::Index;

constexpr Index kWidth = 8;  // blocks of a row: the points of the longest stencil

// visit(i, s, j, weight) for the blocks that are not zero.
template <class Visit>
void for_each_block(Index K, Visit visit) {
  for (Index i = 1; i < K; ++i) {
    const NodalDifference stencil = second_difference(i, K, DifferenceOrder::kSixth);
    for (Index s = 0; s < stencil.count; ++s) {
      const Index j = stencil.first + s;
      if (j > 0 && j < K) visit(i, s, j, stencil.weights[static_cast<std::size_t>(s)]);
    }
  }
}

}  // namespace

void SmoothCoupling::each(const std::function<void(Index, Index, double, MatrixRef)>& visit) {
  if (!known()) return;
  const Index n = blocks.rows();
  const Index K = blocks.cols() / (kWidth * n) + 1;
  for_each_block(K, [&](Index i, Index s, Index j, double weight) {
    visit(i, j, -static_cast<double>(K) * weight, blocks.middleCols(n * (kWidth * (i - 1) + s), n));
  });
}

Matrix SmoothCoupling::times(const ConstMatrixRef& step) const {
  const Index n = step.rows();
  Matrix out = Matrix::Zero(n, step.cols());
  for_each_block(step.cols() + 1, [&](Index i, Index s, Index j, double /*weight*/) {
    out.col(i - 1).noalias() += blocks.middleCols(n * (kWidth * (i - 1) + s), n) * step.col(j - 1);
  });
  return out;
}

}  // namespace pullback
