// Several decoders of one latent space as one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/combine/stack.h"
#include "pullback/generators/generator.h"

namespace pullback {

// z ↦ (f_1(z), …, f_m(z))/√m, whose metric is the mean of the members' metrics:
//
//   M = (1/m) Σ_i J_iᵀJ_i,
//
// the expected metric of a decoder drawn from the ensemble, and E‖f(b) − f(a)‖² its squared chord. Members that agree
// give the metric of one of them; what they disagree about in their Jacobians is added to that of the mean.
//
// Undefined and errors: as Stacked. Cost: one evaluation of the same kind of each member. Thread safety: as the
// members. Reference: arXiv 2408.07507 (ensembles of decoders as their uncertainty).
class PULLBACK_EXPORT Ensemble final : public Generator {
 public:
  // An empty name stands for "ensemble of M NAME".
  explicit Ensemble(std::vector<std::shared_ptr<const Generator>> members, std::string name = {});

  const std::vector<std::shared_ptr<const Generator>>& members() const { return stack_->parts(); }

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

  Ensemble(std::shared_ptr<const Stacked> stack, std::string name);

  std::shared_ptr<const Stacked> stack_;
  double weight_;  // 1/√m
};

}  // namespace pullback
