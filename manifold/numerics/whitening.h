// Orthonormal frames of Jacobians: J = Q R.
//
// In steps of R z instead of z a metric RᵀR is the identity, whatever κ(J). A batch of K blocks of n columns is stored
// side by side: J is N×(nK), R is n×(nK), block k belonging to point k.
// Thread safety: pure functions of their arguments.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// Replaces each N×n block of J by Q and writes R (n×n, upper triangular, diagonal ≥ 0), J = Q R, by Gram–Schmidt done
// twice, which keeps Q orthonormal to rounding for every κ(J) that double precision can tell from infinity. A column
// that depends on those before it gives a zero column of Q and R_jj = 0.
//   J: N×(nK), in and out.  R: n×(nK).  Cost: 4 N n² K operations.
PULLBACK_EXPORT void orthonormalise(MatrixRef J, int n, MatrixRef R);

// R with diagonal entries below 1e-14 of the block's largest column norm raised to it (to 1 when all is zero), so that
// R⁻¹ exists: directions in which the metric vanishes get a finite, arbitrary scale.
//   R: n×(nK), in and out.
PULLBACK_EXPORT void floor_diagonal(MatrixRef R);

// Upper triangular R with RᵀR = M, diagonal ≥ 0, for a positive semidefinite M: Cholesky, or the QR of its square root.
// NaN where M is not finite.
//   M: n×n.  Cost: O(n³).
PULLBACK_EXPORT Matrix square_root_factor(const ConstMatrixRef& M);

// Upper triangular R with RᵀR = WᵀW, diagonal ≥ 0, for any W of n columns, by a QR of W over its largest entry, so that
// no square of an entry overflows. NaN where W is not finite.
//   W: m×n.  returns n×n.  Cost: O(m n²).
PULLBACK_EXPORT Matrix frame_factor(const ConstMatrixRef& W);

// R⁻¹ of every n×n block of R, n×(nK), upper triangular. Undefined where a diagonal has a zero (see floor_diagonal).
// Cost: O(n³ K).
PULLBACK_EXPORT Matrix block_inverses(const ConstMatrixRef& R);

}  // namespace pullback
