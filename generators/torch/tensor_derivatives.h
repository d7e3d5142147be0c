// Derivatives of functions of tensors, row by row; private to generators/torch.
//
// F maps [K, n] to [K, N], row k of the result depending on row k of the argument alone. All tensors are double.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <utility>

namespace pullback::internal {

using TensorFunction = std::function<at::Tensor(const at::Tensor&)>;

// (F(Z), rows J(z_k)v_k) by forward mode, in one evaluation. Throws what LibTorch throws where an operation has none.
// Thread safety: calls from several threads run side by side.
std::pair<at::Tensor, at::Tensor> forward_tangents(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V);

// The same by reverse mode: g(u) = J(z)ᵀu is linear in u, and the derivative of ⟨g(u), v⟩ with respect to u is J(z)v.
// Two reverse sweeps, however many rows.
std::pair<at::Tensor, at::Tensor> reverse_tangents(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V);

// Rows d²F(z_k)[v_k, v_k]: q(u) = ⟨∇_z⟨J(z)ᵀu, v⟩, v⟩ is linear in u, and its derivative is what is wanted. Three
// reverse sweeps, of which only the first two differentiate with respect to z: LibTorch's formula for the second
// derivative of a normalisation is right, but takes the mean and the deviation in it for constants, so that
// differentiating it again with respect to z is wrong.
at::Tensor second_by_products(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V);

// The same as the derivative of J(z)v along v, reverse_tangents applied to itself: four reverse sweeps.
at::Tensor second_tangents(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V);

// Rows J(z_k)ᵀw_k.
at::Tensor cotangents(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& W);

// Rows Σ_m w_km ∇²F_m(z_k) v_k.
at::Tensor hessian_products(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& W, const at::Tensor& V);

}  // namespace pullback::internal
