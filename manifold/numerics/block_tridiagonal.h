// Symmetric block-tridiagonal matrices: the second variation of a discrete curve.
#pragma once

#include <optional>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// A symmetric matrix of m×m blocks of size n×n, with blocks on the diagonal and beside it.
//
//   diagonal: n×(nm), block i being H_ii (symmetric).  upper: n×(n(m−1)), block i being H_{i,i+1}; H_{i+1,i} is its
//   transpose.
struct PULLBACK_EXPORT BlockTridiagonal {
  Matrix diagonal;
  Matrix upper;

  int block_size() const { return static_cast<int>(diagonal.rows()); }
  int blocks() const { return diagonal.rows() == 0 ? 0 : static_cast<int>(diagonal.cols() / diagonal.rows()); }
  auto diagonal_block(int i) { return diagonal.middleCols(diagonal.rows() * i, diagonal.rows()); }
  auto diagonal_block(int i) const { return diagonal.middleCols(diagonal.rows() * i, diagonal.rows()); }
  auto upper_block(int i) { return upper.middleCols(upper.rows() * i, upper.rows()); }
  auto upper_block(int i) const { return upper.middleCols(upper.rows() * i, upper.rows()); }
};

// The block LDLᵀ factorisation of H − shift·I, in m steps without pivoting between blocks.
//
// Cost: O(m n³). Thread safety: const methods are safe from several threads.
class PULLBACK_EXPORT BlockTridiagonalFactor {
 public:
  explicit BlockTridiagonalFactor(const BlockTridiagonal& H, double shift = 0);

  // Number of negative eigenvalues of H − shift·I (Sylvester's law of inertia).
  int negative_eigenvalues() const { return negative_; }
  bool positive_definite() const { return negative_ == 0 && !singular_; }
  // The first block i at which the leading principal submatrix of blocks 0 … i is not positive definite.
  std::optional<int> first_indefinite() const { return first_indefinite_; }
  // Smallest eigenvalue of pivot block i; used to find where it passes through zero.
  double smallest_pivot(int i) const { return smallest_pivot_(i); }

  // X = (H − shift·I)⁻¹ B; B is n×m, column i belonging to block i. Undefined when a pivot block is singular.
  Matrix solve(const ConstMatrixRef& B) const;

 private:
  Matrix inverse_pivot_;  // n×(nm)
  Matrix upper_;
  Vector smallest_pivot_;
  int negative_ = 0;
  bool singular_ = false;
  std::optional<int> first_indefinite_;
};

// The smallest eigenvalue of H, to relative 1e-8 of the spectral scale near it.
//
// Cost: a few factorisations and solves, O(m n³) each.
PULLBACK_EXPORT double smallest_eigenvalue(const BlockTridiagonal& H);

// The eigenvector, n×m of norm 1, that belongs to the smallest eigenvalue `smallest` of H. Undefined where H is not
// finite.
//
// Cost: a factorisation and a few solves, O(m n³).
PULLBACK_EXPORT Matrix lowest_mode(const BlockTridiagonal& H, double smallest);

}  // namespace pullback
