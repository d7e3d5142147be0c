#include "pullback/generators/torch/tensor_derivatives.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdint>
#include <mutex>

namespace pullback::internal {
namespace {

// LibTorch 1.13 has one level of forward mode for the whole process and refuses to enter it twice. Its bookkeeping may
// be used from several threads at a time, so all that are inside share the level, and the last one leaves it.
class ForwardLevel {
 public:
  ForwardLevel() {
    const std::lock_guard lock(mutex_);
    if (users_ == 0) level_ = torch::autograd::forward_ad::enter_dual_level();
    ++users_;
  }
  ~ForwardLevel() {
    const std::lock_guard lock(mutex_);
    if (--users_ == 0) torch::autograd::forward_ad::exit_dual_level(level_);
  }
  ForwardLevel(const ForwardLevel&) = delete;
  ForwardLevel& operator=(const ForwardLevel&) = delete;

  static std::int64_t index() { return static_cast<std::int64_t>(level_); }

 private:
  static inline std::mutex mutex_;
  static inline int users_ = 0;
  static inline std::uint64_t level_ = 0;
};

at::Tensor leaf(const at::Tensor& Z) { return Z.detach().set_requires_grad(true); }

// d⟨Y, W⟩/dZ, zero where Y does not depend on Z.
at::Tensor gradient(const at::Tensor& Y, const at::Tensor& Z, const at::Tensor& W, bool differentiable) {
  if (!Y.requires_grad()) return at::zeros_like(Z);
  const at::Tensor G = torch::autograd::grad({Y}, {Z}, {W}, /*retain_graph=*/true, differentiable,
                                             /*allow_unused=*/true)[0];
  return G.defined() ? G : at::zeros_like(Z);
}

// As reverse_tangents; with Z in a graph, the result can be differentiated with respect to it.
std::pair<at::Tensor, at::Tensor> tangents_in_graph(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V,
                                                    bool differentiable) {
  const at::Tensor Y = F(Z);
  const at::Tensor U = at::zeros_like(Y).detach().set_requires_grad(true);
  const at::Tensor G = gradient(Y, Z, U, true);
  return {Y, gradient((G * V).sum(), U, at::ones({}, Y.options()), differentiable)};
}

}  // namespace

std::pair<at::Tensor, at::Tensor> forward_tangents(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V) {
  const at::AutoGradMode no_graph(false);
  const ForwardLevel level;
  // Detached, because LibTorch would otherwise keep the tangent in Z itself.
  const at::Tensor Y = F(at::_make_dual(Z.detach(), V, ForwardLevel::index()));
  auto [primal, tangent] = at::_unpack_dual(Y, ForwardLevel::index());
  if (!tangent.defined()) tangent = at::zeros_like(primal);
  // Copies, which no longer belong to the level.
  return {primal.detach().clone(), tangent.detach().clone()};
}

std::pair<at::Tensor, at::Tensor> reverse_tangents(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V) {
  const at::AutoGradMode graph(true);
  const auto [Y, T] = tangents_in_graph(F, leaf(Z), V, false);
  return {Y.detach(), T.detach()};
}

at::Tensor second_by_products(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V) {
  const at::AutoGradMode graph(true);
  const at::Tensor z = leaf(Z);
  const at::Tensor Y = F(z);
  const at::Tensor U = at::zeros_like(Y).detach().set_requires_grad(true);
  const at::Tensor product = gradient(gradient(Y, z, U, true), z, V, true);
  return gradient((product * V).sum(), U, at::ones({}, Y.options()), false).detach();
}

at::Tensor second_tangents(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V) {
  const at::AutoGradMode graph(true);
  const auto along_v = [&](const at::Tensor& at_z) { return tangents_in_graph(F, at_z, V, true).second; };
  return tangents_in_graph(along_v, leaf(Z), V, false).second.detach();
}

at::Tensor cotangents(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& W) {
  const at::AutoGradMode graph(true);
  const at::Tensor z = leaf(Z);
  return gradient(F(z), z, W, false).detach();
}

at::Tensor hessian_products(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& W, const at::Tensor& V) {
  const at::AutoGradMode graph(true);
  const at::Tensor z = leaf(Z);
  const at::Tensor G = gradient(F(z), z, W, true);
  return gradient(G, z, V, false).detach();
}

}  // namespace pullback::internal
