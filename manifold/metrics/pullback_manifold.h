// The metric that a generator pulls back from a Euclidean ambient space.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// M(z) = J(z)ᵀJ(z), with d(a, b) = ‖f(b) − f(a)‖ for chords.
//
// The geodesic acceleration solves J a = −d²f[v,v] in the least-squares sense by a rank-revealing QR of J, never
// through JᵀJ.  Cost: acceleration one Jacobian and one second derivative per point; where products are preferred, that
// of conjugate gradients for the same least squares, about ten products of each kind. Errors: std::invalid_argument for
// a null generator.
class PULLBACK_EXPORT PullbackManifold : public Manifold {
 public:
  // Whether to work with products instead of Jacobians and Hessians (Manifold::prefers_products).
  enum class Products { kWhereCheaper, kAlways, kNever };

  explicit PullbackManifold(std::shared_ptr<const Generator> generator, Products products = Products::kWhereCheaper);

 private:
  void do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const override;
  void do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const override;
  void do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const override;
  void do_acceleration_and_factor(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, MatrixRef R,
                                  Workspace& ws) const override;
  void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const override;
  void do_chords_between(const ConstMatrixRef& Z, std::span<const Pair> pairs, VectorRef d,
                         Workspace& ws) const override;
  void do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                   Workspace& ws) const override;
  Variation do_variation(const ConstMatrixRef& Z, Workspace& ws) const override;
  NestedVariations do_nested_variations(const ConstMatrixRef& Z, Workspace& ws) const override;
  std::unique_ptr<const VariationProducts> do_variation_products(const ConstMatrixRef& Z, Workspace& ws) const override;
  int do_frame_dimension() const override;
  void do_push_forward(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef T, Workspace& ws) const override;

  void dense_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, MatrixRef R,
                          Workspace& ws) const;
};

}  // namespace pullback
