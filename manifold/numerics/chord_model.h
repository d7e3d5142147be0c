// The least-squares model of one chord's energy.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/manifold/numerics/block_tridiagonal.h"

namespace pullback {

// Rows whose square is a positive semidefinite model of a chord's Hessian and whose product with the residual is its
// gradient g: row 2n is g/s with the residual s, rows 0 … 2n−1 are the root of what is left of the Hessian without its
// negative part.
//   gradient: 2n.  hessian: 2n×2n, symmetric.  s = √(2e) for the energy e ≥ 0.  residual: 2n+1.  jacobian: (2n+1)×2n.
// Undefined where an argument is not finite. Cost: the eigenvectors of a 2n×2n matrix. Thread safety: a pure function.
// Reference: Teran et al. (2005), doi:10.1145/1073368.1073394 (the Hessian without its negative part).
PULLBACK_EXPORT void compress_chord(const ConstVectorRef& gradient, Matrix hessian, double s, VectorRef residual,
                                    MatrixRef jacobian);

// The normal equations of Manifold::segments over a whole curve of K chords: JᵀJ over its K−1 interior nodes, and Jᵀr.
//   residual: (2n+1)×K.  jacobian: (2n+1)×(2nK).
// Cost: O(K n³). Thread safety: a pure function.
struct PULLBACK_EXPORT NormalEquations {
  BlockTridiagonal hessian;
  Matrix gradient;  // n×(K−1)
};
PULLBACK_EXPORT NormalEquations normal_equations(const ConstMatrixRef& residual, const ConstMatrixRef& jacobian);

}  // namespace pullback
