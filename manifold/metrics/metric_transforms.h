// Metrics made from another one: what can be done about a model's geometry after it was trained.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// All of these take any manifold and compose in any order. If the manifold is the pullback of a generator, a chart,
// damping and smoothing give a pullback again, whose generator has derivatives as exact as before. A floor gives a
// metric given directly, and so does smoothing after it.
//
// Errors: std::invalid_argument for a null manifold, and as said below. Thread safety: as the manifold.

// The manifold in the chart w of z = Aw: M_w = AᵀM(Aw)A. A: n×n.
// Errors: an A of another size, not finite or, without a generator, singular. Cost: that of the manifold.
PULLBACK_EXPORT std::shared_ptr<const Manifold> in_linear_chart(const std::shared_ptr<const Manifold>& manifold,
                                                                const Matrix& A);

// A = (mean of M over the points)^(−1/2), symmetric: in the chart z = Aw the mean metric is the identity, which is as
// near to an isometry as a linear chart comes. From the QR factors of a stack of Jacobians, so that κ is not squared; a
// direction in which the metric vanishes everywhere keeps a finite, arbitrary scale.
//   points: n×K, K ≥ 1; those where the metric is not finite are left out.  Cost: K factors.
PULLBACK_EXPORT Matrix isometrising_chart(const Manifold& manifold, const ConstMatrixRef& points, Workspace& ws);

// M(z) + εI, the pullback by z ↦ (f(z), √ε z): nowhere singular, with singular values √(σ² + ε).
// Errors: ε negative or not finite. Cost: that of the manifold.
PULLBACK_EXPORT std::shared_ptr<const Manifold> damped(const std::shared_ptr<const Manifold>& manifold, double epsilon);

// The mean of M over a Gaussian of covariance LLᵀ around z, by the 2n points z ± √n Le_i with equal weights, which is
// exact where M is a polynomial of degree 3:
//
//   M̄(z) = 1/2n Σ_i M(z + √n Le_i) + M(z − √n Le_i),  the pullback by z ↦ (f(z + δ_1), …, f(z + δ_2n))/√(2n).
//
//   L: n×n. Errors: an L of another size or not finite. Cost: 2n times that of the manifold.
// Reference for the points: the third-degree spherical-radial rule, Arasaratnam and Haykin, Cubature Kalman filters,
// IEEE Transactions on Automatic Control 54(6), 2009, doi:10.1109/TAC.2009.2019800.
PULLBACK_EXPORT std::shared_ptr<const Manifold> smoothed(const std::shared_ptr<const Manifold>& manifold,
                                                         const Matrix& L);

// The metric whose small singular values are raised to about τ:
//
//   M = V diag(λ) Vᵀ  ↦  V diag(τ² φ(λ/τ²)) Vᵀ,
//   φ(x) = 1 for x ≤ 1/4,  φ(x) = x for x ≥ 7/4,  three times continuously differentiable between, φ(x) ≥ max(1, x),
//
// so that singular values σ = √λ below τ/2 become τ, those from 1.33 τ stay, and the metric is as smooth in z as M was,
// also where singular values cross. A metric given directly (metric_manifold.h), whose derivatives are differenced with
// steps that suit it. Errors: τ not positive or not finite. Cost: an acceleration 6n+2 factors of the manifold.
PULLBACK_EXPORT std::shared_ptr<const Manifold> floored(const std::shared_ptr<const Manifold>& manifold, double tau);

// φ(x) of the floor, for x ≥ 0.
PULLBACK_EXPORT double floor_function(double x);

// By what factors the lengths of tangent vectors change from one metric to another, point by point.
struct PULLBACK_EXPORT LengthFactors {
  Vector smallest;
  Vector largest;  // infinite where a vector had no length before, NaN where a metric is not finite
};

// Square roots of the extreme eigenvalues of M_before⁻¹ M_after, from factors.
//   points: n×K, in the chart of both. Errors: manifolds of different dimensions. Cost: K factors of each.
PULLBACK_EXPORT LengthFactors length_factors(const Manifold& before, const Manifold& after,
                                             const ConstMatrixRef& points, Workspace& ws);

}  // namespace pullback
