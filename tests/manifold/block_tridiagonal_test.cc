#include "pullback/manifold/numerics/block_tridiagonal.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

namespace pullback {
namespace {

// Diagonal blocks `level`·I plus a fixed symmetric pattern; the dense twin is built from the same blocks.
BlockTridiagonal example(int n, int m, double level) {
  BlockTridiagonal H;
  H.diagonal.resize(n, n * m);
  H.upper.resize(n, n * (m - 1));
  for (int i = 0; i < m; ++i) {
    for (int a = 0; a < n; ++a) {
      for (int b = 0; b < n; ++b) {
        H.diagonal(a, n * i + b) = std::cos(i + a * b) + (a == b ? level : 0);
        if (i + 1 < m) H.upper(a, n * i + b) = std::sin(1.0 + i + 2 * a - b);
      }
    }
  }
  return H;
}

Matrix dense(const BlockTridiagonal& H) {
  const int n = H.block_size();
  Matrix out = Matrix::Zero(n * H.blocks(), n * H.blocks());
  for (int i = 0; i < H.blocks(); ++i) {
    out.block(n * i, n * i, n, n) = H.diagonal_block(i);
    if (i + 1 == H.blocks()) continue;
    out.block(n * i, n * (i + 1), n, n) = H.upper_block(i);
    out.block(n * (i + 1), n * i, n, n) = H.upper_block(i).transpose();
  }
  return out;
}

TEST(BlockTridiagonalTest, SolvesLikeADenseMatrix) {
  const BlockTridiagonal H = example(3, 7, 8);
  const Matrix B = Matrix::Random(3, 7);
  const Matrix X = BlockTridiagonalFactor(H).solve(B);
  const Vector expected = dense(H).lu().solve(B.reshaped());
  EXPECT_LE((X.reshaped() - expected).norm(), 1e-12 * expected.norm());
}

TEST(BlockTridiagonalTest, CountsNegativeEigenvaluesOfEveryShift) {
  const BlockTridiagonal H = example(2, 9, 1);
  const Vector eigenvalues = dense(H).selfadjointView<Eigen::Lower>().eigenvalues();
  for (const double shift : {-3.0, -0.7, 0.3, 1.1, 2.9, 6.0}) {
    EXPECT_EQ(BlockTridiagonalFactor(H, shift).negative_eigenvalues(), (eigenvalues.array() < shift).count()) << shift;
  }
}

TEST(BlockTridiagonalTest, FindsTheSmallestEigenvalueOfEitherSign) {
  for (const double level : {-4.0, 1.0, 2.5, 8.0}) {
    const BlockTridiagonal H = example(2, 9, level);
    const double expected = dense(H).selfadjointView<Eigen::Lower>().eigenvalues()(0);
    EXPECT_NEAR(smallest_eigenvalue(H), expected, 1e-7 * (1 + std::abs(expected))) << level;
  }
}

TEST(BlockTridiagonalTest, FindsTheLowestMode) {
  for (const double level : {-4.0, 1.0, 8.0}) {
    const BlockTridiagonal H = example(2, 9, level);
    const double smallest = smallest_eigenvalue(H);
    const Matrix mode = lowest_mode(H, smallest);
    EXPECT_NEAR(mode.norm(), 1, 1e-12);
    EXPECT_LE((dense(H) * mode.reshaped() - smallest * mode.reshaped()).norm(), 1e-5 * dense(H).norm()) << level;
  }
}

// tridiag(−1, 2 − c, −1) of m rows is positive definite iff m + 1 < π / (2 asin(√c / 2)).
TEST(BlockTridiagonalTest, TellsWhereDefinitenessEnds) {
  const double c = 0.01;
  BlockTridiagonal H;
  H.diagonal.setConstant(1, 60, 2 - c);
  H.upper.setConstant(1, 59, -1);
  const double limit = M_PI / (2 * std::asin(std::sqrt(c) / 2));
  const BlockTridiagonalFactor factor(H);
  ASSERT_TRUE(factor.first_indefinite().has_value());
  EXPECT_EQ(*factor.first_indefinite(), static_cast<int>(std::ceil(limit)) - 2);
  EXPECT_FALSE(factor.positive_definite());
}

}  // namespace
}  // namespace pullback
