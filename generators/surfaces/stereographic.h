// The unit sphere in the stereographic chart.
#pragma once

#include "pullback/generators/generator.h"

namespace pullback {

// f(z) = (1 − |z|², 2z)/(1 + |z|²), Rᵈ → Sᵈ ⊂ Rᵈ⁺¹, with M = 4/(1 + |z|²)² I.
//
// Cost of a point: O(d) for all but Jacobians and Hessians, which are O(d²). Thread safety: all methods.
class StereographicSphere final : public Generator {
 public:
  explicit StereographicSphere(int dimension);

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override;
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override;
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& ws) const override;
  void do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const override;
  void do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const override;
  void do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T, Workspace& ws) const override;
  void do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                          const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const override;
};

}  // namespace pullback
