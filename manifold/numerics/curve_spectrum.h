// The smallest eigenvalue of the second variation of a discrete curve, by products.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/numerics/flat_preconditioner.h"
#include "pullback/manifold/numerics/variation_products.h"

namespace pullback {

struct PULLBACK_EXPORT CurveSpectrum {
  // min vᵀHv / vᵀPv, P the flat Laplacian: positive exactly where H is positive definite; 1 for a flat metric.
  double relative;
  double relative_error;
  // K times the quotient vᵀHv / Σ v_iᵀM_iv_i of the lowest mode: K times the smallest eigenvalue of the whitened
  // Hessian, π² for a flat metric. An upper estimate, which would come down by about `error` or less.
  double value;
  double error;
  Matrix mode;  // n×(K−1), latent coordinates
};

// By Lanczos on L⁻¹HL⁻ᵀ, P = LLᵀ, for the sign; from the mode found then by conjugate gradients for the quotient. NaN
// where nothing converged.
//
//   start: a mode to begin with in place of Lanczos, n×(K−1), where the sign is known; `relative` and its error are
//   then NaN and infinite. Empty: none.
// Cost: 20 to 100 Hessian products for the sign, 10 to 60 for the value. Thread safety: one workspace per thread.
// Reference: Knyazev (2001), doi:10.1137/S1064827500366124.
PULLBACK_EXPORT CurveSpectrum lowest_of_curve(const VariationProducts& products, const FlatPreconditioner& flat,
                                              Workspace& ws, const Matrix& start = {});

}  // namespace pullback
