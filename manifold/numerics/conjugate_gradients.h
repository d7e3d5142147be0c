// Conjugate gradients that notice negative curvature.
#pragma once

#include <functional>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

struct PULLBACK_EXPORT ConjugateGradientsOptions {
  // Ends when √(rᵀP⁻¹r) ≤ tolerance · √(bᵀP⁻¹b).
  double tolerance = 1e-3;
  int max_iterations = 500;
};

struct PULLBACK_EXPORT ConjugateGradientsResult {
  Matrix x;
  bool negative_curvature = false;  // a direction with dᵀAd ≤ 0 was met: x is what was found before it
  bool converged = false;
  int iterations = 0;
};

// Solves A X = B, A and P symmetric, P positive definite, with X and B taken as one long vector each:
// preconditioned conjugate gradients. Every x on the way satisfies bᵀx = xᵀAx, so that ½ bᵀx is what the quadratic
// model gains by it. Where the first direction already has negative curvature x = P⁻¹B.
//
// Undefined: x is not finite where A or B is not. Cost: a product with A and one with P⁻¹ an iteration. Errors:
// StopRequested (stop.h).
// Reference: Steihaug (1983), doi:10.1137/0720042, for the end at negative curvature.
PULLBACK_EXPORT ConjugateGradientsResult conjugate_gradients(const std::function<Matrix(const Matrix&)>& A,
                                                             const std::function<Matrix(const Matrix&)>& inverse_P,
                                                             const Matrix& B,
                                                             const ConjugateGradientsOptions& options = {});

}  // namespace pullback
