#include "pullback/generators/combine/ensemble.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace pullback {
namespace {

GeneratorTraits traits_of(const Stacked& stack, std::string name) {
  GeneratorTraits traits = stack.traits();
  traits.stochastic = true;
  traits.name = name.empty() ? fmt::format("ensemble of {} {}", stack.parts().size(), stack.parts()[0]->traits().name)
                             : std::move(name);
  return traits;
}

}  // namespace

Ensemble::Ensemble(std::vector<std::shared_ptr<const Generator>> members, std::string name)
    : Ensemble(std::make_shared<Stacked>(std::move(members), true), std::move(name)) {}

Ensemble::Ensemble(std::shared_ptr<const Stacked> stack, std::string name)
    : Generator(stack->latent_dimension(), stack->ambient_dimension(), traits_of(*stack, std::move(name))),
      stack_(std::move(stack)),
      weight_(1 / std::sqrt(static_cast<double>(stack_->parts().size()))) {}

void Ensemble::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const {
  stack_->value(Z, X, ws);
  X *= weight_;
}

void Ensemble::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const {
  stack_->value_and_jacobian(Z, X, J, ws);
  X *= weight_;
  J *= weight_;
}

void Ensemble::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                     Workspace& ws) const {
  stack_->second_directional(Z, V, D, ws);
  D *= weight_;
}

void Ensemble::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  stack_->vjp(Z, W, G, ws);
  G *= weight_;
}

void Ensemble::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const {
  stack_->weighted_hessian(Z, W, H, ws);
  H *= weight_;
}

void Ensemble::do_jvp(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef T, Workspace& ws) const {
  stack_->jvp(Z, V, X, T, ws);
  X *= weight_;
  T *= weight_;
}

void Ensemble::do_hessian_product(const ConstMatrixRef& Z, const ConstMatrixRef& W, const ConstMatrixRef& V,
                                  const ConstMatrixRef& U, MatrixRef P, Workspace& ws) const {
  stack_->hessian_product(Z, W, V, U, P, ws);
  P *= weight_;
}

void Ensemble::do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                               Workspace& ws) const {
  stack_->second_order(Z, V, X, J, D, ws);
  X *= weight_;
  J *= weight_;
  D *= weight_;
}

}  // namespace pullback
