// Which of LibTorch's ways to differentiate is right for a module; private to generators/torch.
#pragma once

#include <limits>

#include "pullback/generators/torch/tensor_derivatives.h"
#include "pullback/generators/torch/torch_module.h"

namespace pullback::internal {

// How each derivative comes about, and what the values are off by.
struct TorchMethods {
  enum class Second { kProducts, kTangents, kDifferences };

  bool first_exact = true;  // else differences of values, and nothing below matters
  bool forward = true;      // forward mode for the Jacobian, else reverse mode
  bool vjp = true;          // a reverse sweep, else from the Jacobian
  bool hessian = true;      // reverse sweeps, else from second directional derivatives
  Second second = Second::kProducts;
  double noise = std::numeric_limits<double>::epsilon();  // relative to the largest component

  bool second_exact() const { return second != Second::kDifferences; }
};

// Rows d²F(z_k)[v_k, v_k] in one of the two exact ways.
at::Tensor second_derivatives(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V,
                              TorchMethods::Second how);

// The first way to each derivative that agrees with differences at every probe (slope_check.h). Errors: TorchFailure
// where the first derivatives contradict the values, or where nothing can be told of them at any probe.
TorchMethods find_methods(const TorchModule& module);

// Whether the graph has an operation that is not twice differentiable everywhere.
bool has_kink(const torch::jit::Graph& graph);

}  // namespace pullback::internal
