// Fully connected networks, evaluated natively.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"

namespace pullback {

class NetworkSweeps;

enum class ActivationKind {
  kIdentity,   // x
  kTanh,       // tanh x
  kSigmoid,    // 1/(1 + e⁻ˣ)
  kRelu,       // max(x, 0)
  kLeakyRelu,  // x for x > 0, else px                         p: slope
  kElu,        // x for x > 0, else p(eˣ − 1)                  p: alpha
  kSoftplus,   // log(1 + eᵖˣ)/p                               p: beta, not 0
  kSilu,       // x/(1 + e⁻ˣ)
  kGelu,       // xΦ(x), Φ the normal distribution function
  kGeluTanh    // ½x(1 + tanh(√(2/π)(x + 0.044715x³))), an approximation of the former
};

// A function applied to each component, with its parameter p where it has one.
struct PULLBACK_EXPORT Activation {
  ActivationKind kind = ActivationKind::kIdentity;
  double parameter = 0;
};

// "tanh", "leaky_relu", …
PULLBACK_EXPORT std::string_view activation_name(ActivationKind kind);
PULLBACK_EXPORT std::vector<std::string_view> activation_names();
PULLBACK_EXPORT bool has_parameter(ActivationKind kind);

// The activation of that name; a parameter that is not given is PyTorch's default (slope 0.01, alpha 1, beta 1).
// Errors: std::invalid_argument for an unknown name, with the valid ones; for a parameter that is not finite, is given
// to an activation without one, or is a beta that is not positive.
PULLBACK_EXPORT Activation parse_activation(std::string_view name, std::optional<double> parameter = std::nullopt);

// x ↦ σ(Wx + b), W out×in, b out.
struct PULLBACK_EXPORT Layer {
  Matrix weight;
  Vector bias;
  Activation activation;
};

// A chain of layers, f = layer_L ∘ … ∘ layer_1, with exact derivatives.
//
// The value, the tangents and the second-order term of a point go through each layer side by side, in one matrix
// product:
//   a = Wx + b, u_i = Wt_i, s' = Ws:   x ← σ(a), t_i ← σ'(a) u_i, s ← σ'(a) s' + σ''(a) (Σ v_i u_i)².
// vjp is a reverse sweep; hessian_product is one with its tangent (forward over reverse); the weighted Hessian is the
// sum over layers Σ_l U_lᵀ diag(σ''(a_l) g_l) U_l, U_l the tangents before the activation and g_l the adjoint after it:
// n tangents forward and one adjoint back.
//
// Undefined: where ReLU, leaky ReLU or ELU have their kink, derivatives are those of x ≤ 0. A network with one of these
// (ELU too: its second derivative jumps) says traits().smooth = false.
// Cost: with P the products of all weights, value P, Jacobian (n+1)P, second_directional 3P, second_order (n+2)P,
// jvp and vjp 2P, hessian_product 4P, weighted_hessian (n+2)P, recorded_hessian P for each point. A point costs least
// in batches of 32 and more. A batch gives bit by bit what its points give one by one, on one instruction set. Memory:
// three times the weights. Thread safety: const, as Generator says.
class PULLBACK_EXPORT Network final : public Generator {
 public:
  // Errors: std::invalid_argument, naming the layer, if there is none, one is empty, shapes do not fit one another, a
  // weight is NaN or infinite, or a parameter has no meaning; and as active_instruction_set().
  explicit Network(std::vector<Layer> layers, const std::string& name = "network");
  ~Network() override;

  const std::vector<Layer>& layers() const { return layers_; }
  // Which of the compiled variants runs: "baseline", "avx2" or "avx512".
  std::string_view instruction_set() const;

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
  Eigen::Index record_size() const override;
  void do_record(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, MatrixRef record, Workspace& ws) const override;
  void do_recorded_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& record, const ConstMatrixRef& W, MatrixRef H,
                           Workspace& ws) const override;
  bool asks_to_stop() const override { return true; }  // at every chunk of a batch
  void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                       Workspace& ws) const override;

  std::vector<Layer> layers_;
  Matrix identity_;  // of Rⁿ: the tangents at the input
  std::unique_ptr<const NetworkSweeps> sweeps_;
};

// The instruction set that networks made now will run on: the widest that this processor has, or the one named by the
// environment variable PULLBACK_ISA.
// Errors: std::invalid_argument if PULLBACK_ISA names none, or one that this processor lacks; with the valid ones.
PULLBACK_EXPORT std::string_view active_instruction_set();
// Those that this build and this processor have, from narrow to wide.
PULLBACK_EXPORT std::vector<std::string_view> available_instruction_sets();

}  // namespace pullback
