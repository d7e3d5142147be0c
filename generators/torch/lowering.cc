#include "pullback/generators/torch/lowering.h"

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/constants.h>

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "pullback/generators/torch/torch_module.h"

namespace pullback::internal {
namespace {

using torch::jit::Node;
using torch::jit::Value;

// A layer made only to hold a scaling or a second activation is a square matrix: beyond this it costs more than it
// saves.
constexpr Eigen::Index kLargestDiagonal = 1024;

Matrix to_matrix(const at::Tensor& tensor) {
  const at::Tensor t = tensor.detach().to(at::kDouble).contiguous();
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(t.data_ptr<double>(), t.size(0), t.size(1));
}

Vector to_vector(const at::Tensor& tensor) {
  const at::Tensor t = tensor.detach().to(at::kDouble).contiguous();
  return Eigen::Map<const Vector>(t.data_ptr<double>(), t.numel());
}

std::optional<double> number(const Value& value) {
  const auto constant = torch::jit::toIValue(&value);
  if (!constant) return std::nullopt;
  if (constant->isScalar() || constant->isBool()) return constant->toScalar().toDouble();
  if (constant->isTensor() && constant->toTensor().numel() == 1) return constant->toTensor().item<double>();
  return std::nullopt;
}

bool is_number(const Value& value, double wanted) { return number(value) == wanted; }

bool is_none(const Value& value) {
  const auto constant = torch::jit::toIValue(&value);
  return constant && constant->isNone();
}

// Operations that only make the arguments of others.
bool is_bookkeeping(const std::string& kind) {
  static const std::set<std::string> kinds = {
      "prim::Constant", "prim::ListConstruct",  "prim::NumToTensor", "aten::size",    "aten::dim",    "aten::len",
      "aten::Int",      "aten::ScalarImplicit", "aten::t",           "aten::numpy_T", "prim::device", "prim::dtype"};
  return kinds.contains(kind);
}

// Follows the value that started as the input. What has been read but is in no layer yet is the affine map x ↦ Wx + b.
class Chain {
 public:
  explicit Chain(const torch::jit::Graph& graph, int latent_dimension)
      : current_(graph.inputs().at(1)), width_(latent_dimension) {}

  bool follow(const Node& node);
  bool is_at(const Value& value) const { return &value == current_; }
  std::vector<Layer> finish();

 private:
  bool linear(const Node& node, const std::string& kind);
  bool multiply(const at::Tensor& weight, const Vector& bias);
  bool elementwise(const Node& node, const std::string& kind);
  bool scale_and_shift(const Vector& scale, const Vector& shift);
  bool batch_norm(const Node& node);
  bool reshape(const Node& node, const std::string& kind);
  bool activate(ActivationKind kind, double parameter = 0);
  bool activation(const Node& node, const std::string& kind);
  bool activation_with_parameter(const Node& node, const std::string& kind);
  std::optional<Vector> per_component(const Value& value) const;
  bool ensure_affine();

  const Value* current_;
  Eigen::Index width_;
  bool flat_ = true;  // the current value is [K, width]
  bool pending_ = false;
  Matrix weight_;
  Vector bias_;
  std::vector<Layer> layers_;
};

bool Chain::follow(const Node& node) {
  const std::string kind = operation_name(node);
  if (is_bookkeeping(kind)) return true;
  if (node.outputs().size() != 1 || !node.blocks().empty()) return false;
  const bool known = linear(node, kind) || elementwise(node, kind) || reshape(node, kind) || activation(node, kind) ||
                     activation_with_parameter(node, kind);
  current_ = node.output();
  return known;
}

bool Chain::ensure_affine() {
  if (pending_) return true;
  if (width_ > kLargestDiagonal) return false;
  weight_ = Matrix::Identity(width_, width_);
  bias_ = Vector::Zero(width_);
  return pending_ = true;
}

// x ↦ weight·x + bias, weight [out, in].
bool Chain::multiply(const at::Tensor& weight, const Vector& bias) {
  if (!flat_ || weight.dim() != 2 || weight.size(1) != width_ || bias.size() != weight.size(0)) return false;
  const Matrix W = to_matrix(weight);
  bias_ = pending_ ? Vector(W * bias_ + bias) : bias;
  weight_ = pending_ ? Matrix(W * weight_) : W;
  width_ = W.rows();
  return pending_ = true;
}

bool Chain::linear(const Node& node, const std::string& kind) {
  if (kind == "aten::linear") {
    const auto W = constant_tensor(*node.input(1));
    const auto b = constant_tensor(*node.input(2));
    if (!is_at(*node.input(0)) || !W || W->dim() != 2 || (!b && !is_none(*node.input(2)))) return false;
    return multiply(*W, b ? to_vector(*b) : Vector::Zero(W->size(0)));
  }
  if (kind == "aten::addmm") {
    const auto b = constant_tensor(*node.input(0));
    const auto W = constant_tensor(*node.input(2));
    if (!is_at(*node.input(1)) || !W || W->dim() != 2 || !b) return false;
    if (!is_number(*node.input(3), 1) || !is_number(*node.input(4), 1)) return false;
    return multiply(W->t(), to_vector(*b));
  }
  if (kind == "aten::matmul" || kind == "aten::mm") {
    const auto W = constant_tensor(*node.input(1));
    if (!is_at(*node.input(0)) || !W || W->dim() != 2) return false;
    return multiply(W->t(), Vector::Zero(W->size(1)));
  }
  return kind == "aten::batch_norm" && batch_norm(node);
}

bool Chain::scale_and_shift(const Vector& scale, const Vector& shift) {
  if (scale.size() != width_ || shift.size() != width_ || !ensure_affine()) return false;
  weight_ = scale.asDiagonal() * weight_;
  bias_ = scale.cwiseProduct(bias_) + shift;
  return true;
}

// batch_norm(x, weight, bias, mean, variance, training, momentum, eps, cudnn)
bool Chain::batch_norm(const Node& node) {
  const auto weight = constant_tensor(*node.input(1));
  const auto bias = constant_tensor(*node.input(2));
  const auto mean = constant_tensor(*node.input(3));
  const auto variance = constant_tensor(*node.input(4));
  const auto eps = number(*node.input(7));
  if (!is_at(*node.input(0)) || !flat_ || !mean || !variance || !eps || !is_number(*node.input(5), 0)) return false;
  Vector scale = (to_vector(*variance).array() + *eps).rsqrt();
  if (weight) scale.array() *= to_vector(*weight).array();
  Vector shift = -scale.cwiseProduct(to_vector(*mean));
  if (bias) shift += to_vector(*bias);
  return scale_and_shift(scale, shift);
}

// A constant as a vector that has one number for each component.
std::optional<Vector> Chain::per_component(const Value& value) const {
  if (const auto x = number(value)) return Vector(Vector::Constant(width_, *x));
  const auto tensor = constant_tensor(value);
  if (!tensor || !flat_ || tensor->dim() < 1 || tensor->dim() > 2) return std::nullopt;
  if (tensor->numel() != width_ || tensor->size(-1) != width_) return std::nullopt;
  return to_vector(*tensor);
}

// Adding or multiplying by what does not depend on the input.
bool Chain::elementwise(const Node& node, const std::string& kind) {
  const bool sum = kind == "aten::add" || kind == "aten::sub";
  if (!sum && kind != "aten::mul" && kind != "aten::div") return false;
  if (node.inputs().size() != (sum ? 3U : 2U)) return false;
  const bool commutes = kind == "aten::add" || kind == "aten::mul";
  const bool second = commutes && is_at(*node.input(1));
  if (!second && !is_at(*node.input(0))) return false;
  if (sum && !is_number(*node.input(2), 1)) return false;
  const auto constant = per_component(*node.input(second ? 0 : 1));
  if (!constant) return false;
  if (sum) return scale_and_shift(Vector::Ones(width_), kind == "aten::add" ? *constant : Vector(-*constant));
  return scale_and_shift(kind == "aten::mul" ? *constant : Vector(constant->cwiseInverse()), Vector::Zero(width_));
}

// What keeps the order of the components within a row, checked by comparing the result with the module.
bool Chain::reshape(const Node& node, const std::string& kind) {
  static const std::set<std::string> shaping = {"aten::view", "aten::reshape", "aten::unflatten", "aten::squeeze",
                                                "aten::unsqueeze"};
  if (node.inputs().empty() || !is_at(*node.input(0))) return false;
  if (kind == "aten::contiguous" || kind == "aten::alias") return true;
  if (kind == "aten::dropout" || kind == "aten::feature_dropout") return is_number(*node.input(2), 0);
  if (kind == "aten::flatten") {
    flat_ = flat_ || (is_number(*node.input(1), 1) && is_number(*node.input(2), -1));
    return true;
  }
  if (!shaping.contains(kind)) return false;
  flat_ = false;
  return true;
}

bool Chain::activate(ActivationKind kind, double parameter) {
  if (!ensure_affine()) return false;
  layers_.push_back({std::move(weight_), std::move(bias_), {kind, parameter}});
  pending_ = false;
  return true;
}

bool Chain::activation(const Node& node, const std::string& kind) {
  if (node.inputs().empty() || !is_at(*node.input(0))) return false;
  if (kind == "aten::tanh") return activate(ActivationKind::kTanh);
  if (kind == "aten::sigmoid") return activate(ActivationKind::kSigmoid);
  if (kind == "aten::relu") return activate(ActivationKind::kRelu);
  if (kind == "aten::silu") return activate(ActivationKind::kSilu);
  return false;
}

bool Chain::activation_with_parameter(const Node& node, const std::string& kind) {
  if (node.inputs().size() < 2 || !is_at(*node.input(0))) return false;
  if (kind == "aten::gelu") {
    const auto approximate = torch::jit::toIValue(node.input(1));
    if (!approximate || !approximate->isString()) return false;
    const bool tanh = approximate->toStringRef() == "tanh";
    return activate(tanh ? ActivationKind::kGeluTanh : ActivationKind::kGelu);
  }
  const auto parameter = number(*node.input(1));
  if (!parameter) return false;
  if (kind == "aten::leaky_relu") return activate(ActivationKind::kLeakyRelu, *parameter);
  if (kind == "aten::elu") {  // elu(x, alpha, scale, input_scale)
    const bool plain = is_number(*node.input(2), 1) && is_number(*node.input(3), 1);
    return plain && activate(ActivationKind::kElu, *parameter);
  }
  if (kind == "aten::softplus") {
    // Beyond the threshold LibTorch takes x for log(1 + eᵝˣ)/β; from 20 on that is no difference worth keeping.
    const auto threshold = number(*node.input(2));
    return *parameter > 0 && threshold >= 20.0 && activate(ActivationKind::kSoftplus, *parameter);
  }
  return false;
}

std::vector<Layer> Chain::finish() {
  if ((pending_ || layers_.empty()) && ensure_affine()) activate(ActivationKind::kIdentity);
  return std::move(layers_);
}

}  // namespace

std::optional<std::vector<Layer>> lower(const torch::jit::Graph& graph, int latent_dimension) {
  if (graph.inputs().size() < 2 || graph.outputs().size() != 1) return std::nullopt;
  Chain chain(graph, latent_dimension);
  for (const Node* node : graph.nodes()) {
    if (!chain.follow(*node)) return std::nullopt;
  }
  if (!chain.is_at(*graph.outputs()[0])) return std::nullopt;
  std::vector<Layer> layers = chain.finish();
  if (layers.empty()) return std::nullopt;
  return layers;
}

}  // namespace pullback::internal
