// A metric with a flat one added.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// M_λ(z) = M(z) + λWᵀW: nowhere singular, and better conditioned the larger λ is.
//
//   chords √(d(a, b)² + λ‖W(b − a)‖²),   (M + λWᵀW) a_λ(z, v) = M(z) a(z, v).
//
// For the pullback by f it is the pullback by z ↦ (f(z), √λ Wz); everything is computed from QR factors of [R; √λW], so
// that κ is not squared. It has no generator of its own.
//
//   λ ≥ 0.  W: n×n, invertible where M may be singular.
// Errors: std::invalid_argument for a null manifold, a negative or infinite λ, or wrong sizes.
// Cost: that of the inner manifold, and O(n³) a point. Thread safety: as the inner manifold.
class PULLBACK_EXPORT DampedManifold final : public Manifold {
 public:
  DampedManifold(std::shared_ptr<const Manifold> inner, double lambda, const ConstMatrixRef& W);

  const Manifold& inner() const { return *inner_; }

 private:
  void do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const override;
  void do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const override;
  void do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const override;
  void do_acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e,
                             Workspace& ws) const override;
  void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const override;
  void do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                   Workspace& ws) const override;
  Variation do_variation(const ConstMatrixRef& Z, Workspace& ws) const override;

  // Replaces the inner factors R by R_λ, and returns the frames Q with [R; √λW] = Q R_λ, 2n×(nK).
  Matrix damp_factors(MatrixRef R) const;

  std::shared_ptr<const Manifold> inner_;
  Matrix root_;  // √λ W
};

}  // namespace pullback
