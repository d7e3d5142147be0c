// What PullbackManifold does by products with derivatives of its generator instead of Jacobians.
#pragma once

#include <memory>
#include <vector>

#include "pullback/generators/generator.h"
#include "pullback/manifold/numerics/variation_products.h"

namespace pullback::internal {

// f must outlive the result.
std::unique_ptr<const VariationProducts> pullback_products(const Generator& f, const ConstMatrixRef& Z, Workspace& ws);

// The geodesic accelerations, the least squares J a = −d²f[v,v], by conjugate gradients on every point at the same time
// (CGLS), with the factor U of a metric nearby, M = UᵀU, as preconditioner.
// Returns the points for which they did not converge; their columns of A are undefined.
// Reference: Björck (1996), Numerical Methods for Least Squares Problems, section 7.4.
std::vector<Eigen::Index> acceleration_by_products(const Generator& f, const Matrix& U, const ConstMatrixRef& Z,
                                                   const ConstMatrixRef& V, MatrixRef A, Workspace& ws);

}  // namespace pullback::internal
