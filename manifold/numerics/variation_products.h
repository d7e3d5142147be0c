// The energy of a discrete curve to second order, as products with its Hessian.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"

namespace pullback {

// What Variation holds (manifold.h), for dimensions in which blocks of n×n are too dear. Nothing is whitened: gradients
// and products are in latent coordinates.
//
//   (Hv)_i = J_iᵀ K(2J_iv_i − J_{i−1}v_{i−1} − J_{i+1}v_{i+1}) + (Σ w ∂²f) v_i,  w = −K δ²f,  i = 1 … K−1,
//
// of which gauss_newton() leaves the second term out, and metric() gives M_i v_i.
// Shapes: gradients, V and products n×(K−1), at the interior nodes.
// Cost: a Hessian product is two products of the generator, the others one of each kind. Memory: linear in nodes times
// (latent + ambient) dimension. Thread safety: const methods, one workspace per thread.
class PULLBACK_EXPORT VariationProducts {
 public:
  virtual ~VariationProducts() = default;
  VariationProducts(const VariationProducts&) = delete;
  VariationProducts& operator=(const VariationProducts&) = delete;

  double energy() const { return energy_; }                         // E_K
  const Matrix& gradient() const { return gradient_; }              // of the smooth energy, to O(K⁻⁴)
  const Matrix& chord_gradient() const { return chord_gradient_; }  // of E_K
  bool finite() const;

  virtual Matrix hessian(const ConstMatrixRef& V, Workspace& ws) const = 0;
  virtual Matrix gauss_newton(const ConstMatrixRef& V, Workspace& ws) const = 0;
  virtual Matrix metric(const ConstMatrixRef& V, Workspace& ws) const = 0;

 protected:
  VariationProducts() = default;

  double energy_ = 0;
  Matrix gradient_;
  Matrix chord_gradient_;
};

}  // namespace pullback
