// A manifold in another chart.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// The manifold seen in the chart y of z = Ay + b:
//
//   M_y = AᵀM(z)A,   a_y(y, v) = A⁻¹a(z, Av),   the same chords, lengths and geodesics.
//
//   A: n×n, invertible.  b: n.  generator() is the composition f(Ay + b), where the inner manifold has one.
// Errors: std::invalid_argument for a null manifold, wrong sizes, or an A that is singular or not finite.
// Cost: that of the inner manifold, and O(n³) a point. Thread safety: as the inner manifold.
class PULLBACK_EXPORT AffineChart final : public Manifold {
 public:
  AffineChart(std::shared_ptr<const Manifold> inner, Matrix A, Vector b);

  const Manifold& inner() const { return *inner_; }
  // y of z and z of y, n×K, and curves alike.
  Matrix to_chart(const ConstMatrixRef& Z) const;
  Matrix from_chart(const ConstMatrixRef& Y) const { return (A_ * Y).colwise() + b_; }
  Curve to_chart(const Curve& curve) const;
  Curve from_chart(const Curve& curve) const { return curve.transformed(A_, b_); }

 private:
  void do_metric(const ConstMatrixRef& Y, MatrixRef M, Workspace& ws) const override;
  void do_factor(const ConstMatrixRef& Y, MatrixRef R, Workspace& ws) const override;
  void do_acceleration(const ConstMatrixRef& Y, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const override;
  void do_acceleration_error(const ConstMatrixRef& Y, const ConstMatrixRef& V, VectorRef e,
                             Workspace& ws) const override;
  void do_chords(const ConstMatrixRef& Y, VectorRef d, Workspace& ws) const override;
  void do_segments(const ConstMatrixRef& Y, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                   Workspace& ws) const override;
  Variation do_variation(const ConstMatrixRef& Y, Workspace& ws) const override;

  // Replaces the inner factors R_z by those of this chart, R_y, and returns the rotations Q with R_z A = Q R_y, n×(nK).
  Matrix rotate_factors(MatrixRef R) const;

  std::shared_ptr<const Manifold> inner_;
  Matrix A_;
  Matrix inverse_;
  Vector b_;
};

}  // namespace pullback
