// A generator after a change of chart or of scale, and the linear map.
#pragma once

#include <memory>
#include <string>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"

namespace pullback {

// z ↦ f(Az + b), with
//
//   J = J_f A,  d²[v,v] = d²f[Av,Av],  Jᵀw = Aᵀ J_fᵀ w,  H = Aᵀ H_f A,  each at Az + b.
//
// A is m×n and b has m entries, where f takes m; the latent dimension is n. A may be singular or not square.
// Undefined: as for f. Errors: std::invalid_argument if f is null, A has no columns, or A or b do not have m rows.
// Cost: one evaluation of the same kind of f, and products with A. Thread safety: as f.
class PULLBACK_EXPORT AffineInput final : public Generator {
 public:
  // An empty name stands for "NAME(Az+b)".
  AffineInput(std::shared_ptr<const Generator> f, Matrix A, Vector b, std::string name = {});

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
  void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                       Workspace& ws) const override;

  std::shared_ptr<const Generator> f_;
  Matrix A_;
  Vector b_;
};

// z ↦ s f(z), whose metric is s² that of f.
//
// So a stack of scaled parts has any weighted sum of metrics: with s = 1/√p each, the mean metric of p decoders.
// Undefined: as for f. Errors: std::invalid_argument if f is null or s is not finite. Cost: one evaluation of the same
// kind of f. Thread safety: as f.
class PULLBACK_EXPORT ScaledOutput final : public Generator {
 public:
  // An empty name stands for "s NAME".
  ScaledOutput(std::shared_ptr<const Generator> f, double s, std::string name = {});

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
  void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                       Workspace& ws) const override;

  std::shared_ptr<const Generator> f_;
  double s_;
};

// z ↦ Az, with the flat metric AᵀA everywhere.
//
// A is N×n. Errors: std::invalid_argument if A has no rows or no columns, or is not finite. Cost: a product with A.
// Thread safety: all methods.
class PULLBACK_EXPORT LinearMap final : public Generator {
 public:
  explicit LinearMap(Matrix A, std::string name = "linear map");

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

  Matrix A_;
};

}  // namespace pullback
