// Several generators of the same point as one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"

namespace pullback {

// z ↦ (f_1(z), …, f_p(z)), the outputs one below the other.
//
// The metric of the stack is the sum of its parts' metrics. So with a mean μ and a standard deviation σ the stack (μ,
// σ) has the expected metric JμᵀJμ + JσᵀJσ of the stochastic generator x = μ(z) + σ(z) ⊙ ε, and a stack of an
// ensemble's p decoders has p times its mean metric.
//
// Smooth, and differentiated exactly, if all parts are. `stochastic` says whether the stack is a mean with its
// deviation.
// Undefined: as for the parts. Errors: std::invalid_argument for fewer than two parts, a null part, or parts of
// different latent dimensions. Cost: one evaluation of the same kind of each part. Thread safety: as the parts.
// Reference: Arvanitidis, Hansen and Hauberg, Latent space oddity, ICLR 2018 (the expected metric).
class PULLBACK_EXPORT Stacked final : public Generator {
 public:
  // An empty name stands for "(NAME, NAME, …)".
  explicit Stacked(std::vector<std::shared_ptr<const Generator>> parts, bool stochastic = false, std::string name = {});

  const std::vector<std::shared_ptr<const Generator>>& parts() const { return parts_; }

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

  std::vector<std::shared_ptr<const Generator>> parts_;
};

}  // namespace pullback
