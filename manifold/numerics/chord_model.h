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
PULLBACK_EXPORT void compress_chord(const ConstVectorRef& gradient, Matrix hessian, double s, VectorRef residual,
                                    MatrixRef jacobian);

// Of Manifold::segments over a whole curve: JᵀJ over the interior nodes, and Jᵀr.
struct PULLBACK_EXPORT NormalEquations {
  BlockTridiagonal hessian;
  Matrix gradient;  // n×(K−1)
};
PULLBACK_EXPORT NormalEquations normal_equations(const ConstMatrixRef& residual, const ConstMatrixRef& jacobian);

}  // namespace pullback
