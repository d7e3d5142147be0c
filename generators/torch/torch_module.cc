#include "pullback/generators/torch/torch_module.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <algorithm>
#include <random>
#include <string_view>
#include <utility>

#include "pullback/generators/torch/archive.h"
#include "pullback/generators/torch/opening_limits.h"

namespace pullback::internal {
namespace {

constexpr int kLargestProbed = 512;
constexpr int kProbes = 3;

// How far the same row may differ between batches: the sums of a matrix product are ordered by its size.
double batch_tolerance(bool single) { return single ? 1e-5 : 1e-10; }

std::string shape_text(const at::Tensor& t) {
  std::string text = "[";
  for (std::int64_t i = 0; i < t.dim(); ++i) text += fmt::format("{}{}", i == 0 ? "" : ", ", t.size(i));
  return text + "]";
}

void convert_weights(torch::jit::Module& module, at::ScalarType precision) {
  for (const at::Tensor& parameter : module.parameters()) {
    if (parameter.is_floating_point() && !at::isfinite(parameter).all().item<bool>()) {
      throw TorchFailure("a weight is NaN or infinite");
    }
  }
  for (const auto& attribute : module.named_attributes()) {
    if (!attribute.value.isTensor()) continue;
    at::Tensor tensor = attribute.value.toTensor();
    if (!tensor.defined() || !tensor.is_floating_point()) continue;
    tensor.set_requires_grad(false);
    tensor.set_data(tensor.detach().to(precision));
  }
}

// Tensors written in the code, which are no attributes.
void convert_constants(torch::jit::Block& block, at::ScalarType precision) {
  for (torch::jit::Node* node : block.nodes()) {
    for (torch::jit::Block* inner : node->blocks()) convert_constants(*inner, precision);
    if (node->kind() != c10::prim::Constant) continue;
    const auto value = torch::jit::toIValue(node->output());
    if (!value || !value->isTensor() || !value->toTensor().is_floating_point()) continue;
    node->t_(c10::attr::value, value->toTensor().detach().to(precision));
  }
}

std::vector<c10::IValue> default_arguments(const c10::FunctionSchema& schema) {
  const auto& arguments = schema.arguments();  // the module itself comes first
  std::size_t required = 0;
  std::vector<c10::IValue> defaults;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].default_value() || i == 1) {
      ++required;
    } else {
      defaults.push_back(*arguments[i].default_value());
    }
  }
  if (required != 1) {
    throw TorchFailure(fmt::format("its forward takes {} arguments; expected one, a tensor [K, n]", required));
  }
  if (!c10::TensorType::get()->isSubtypeOf(*arguments[1].type())) {
    throw TorchFailure(
        fmt::format("its forward takes a {}; expected a tensor [K, n]", arguments[1].type()->annotation_str()));
  }
  return defaults;
}

std::optional<int> declared_latent_dimension(const torch::jit::Module& module) {
  for (const char* name : {"latent_dimension", "latent_dim"}) {
    if (module.hasattr(name) && module.attr(name).isInt()) return static_cast<int>(module.attr(name).toInt());
  }
  return std::nullopt;
}

double largest(const at::Tensor& t) { return t.numel() == 0 ? 0 : t.abs().max().item<double>(); }

}  // namespace

std::string torch_message(const std::exception& error) {
  const auto* own = dynamic_cast<const c10::Error*>(&error);
  const std::string text = own != nullptr ? own->what_without_backtrace() : error.what();
  // The interpreter puts a traceback of the script before what happened.
  constexpr std::string_view kLabel = "RuntimeError: ";
  const auto label = text.rfind(kLabel);
  auto begin = label == std::string::npos ? text.find_first_not_of(" \n") : label + kLabel.size();
  if (begin == std::string::npos) return "unknown failure in LibTorch";
  return text.substr(begin, text.find('\n', begin) - begin);
}

bool is_type_failure(const std::exception& error) {
  const std::string message = torch_message(error);
  return message.find("type") != std::string::npos;
}

at::Tensor probe_points(int points, int latent_dimension, unsigned seed) {
  at::Tensor Z = at::empty({points, latent_dimension}, at::kDouble);
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  double* data = Z.data_ptr<double>();
  for (std::int64_t i = 0; i < Z.numel(); ++i) data[i] = normal(random);
  return Z;
}

std::string operation_name(const torch::jit::Node& node) {
  std::string name = node.kind().toQualString();
  if (name.ends_with('_') && !name.ends_with("__")) name.pop_back();
  return name;
}

bool has_operation(const torch::jit::Block& block, bool (*is_kind)(const std::string& kind)) {
  for (const torch::jit::Node* node : block.nodes()) {
    if (is_kind(operation_name(*node))) return true;
    for (const torch::jit::Block* inner : node->blocks()) {
      if (has_operation(*inner, is_kind)) return true;
    }
  }
  return false;
}

std::optional<at::Tensor> constant_tensor(const torch::jit::Value& value) {
  const torch::jit::Node& node = *value.node();
  const std::string name = operation_name(node);
  if (name == "aten::t" || name == "aten::numpy_T") {
    const auto inner = constant_tensor(*node.input(0));
    return inner && inner->dim() == 2 ? std::optional(inner->t()) : std::nullopt;
  }
  const auto constant = torch::jit::toIValue(&value);
  if (!constant || !constant->isTensor()) return std::nullopt;
  return constant->toTensor();
}

TorchModule::TorchModule(const std::filesystem::path& path, at::ScalarType precision) : precision_(precision) {
  std::error_code ignored;
  const OpeningLimits limits(std::filesystem::file_size(path, ignored));
  torch::jit::Module module = load_torchscript(path);
  if (!module.find_method("forward")) throw TorchFailure("the module has no forward method");
  module.eval();
  defaults_ = default_arguments(module.get_method("forward").function().getSchema());
  declared_ = declared_latent_dimension(module);
  convert_weights(module, precision);
  const at::AutoGradMode no_graph(false);
  const torch::jit::Module frozen = torch::jit::freeze(module);
  graph_ = frozen.get_method("forward").graph()->copy();
  torch::jit::Inline(*graph_);
  convert_constants(*graph_->block(), precision);
  limit_loops(*graph_);
  if (has_operation(*graph_->block(), [](const std::string& kind) { return kind == "prim::SetAttr"; })) {
    throw TorchFailure("the module changes its own attributes when it is evaluated");
  }
  code_ = torch::jit::Code(graph_, "forward");
  self_ = frozen._ivalue();
  latent_ = find_latent_dimension();
  require_function_of_rows();
}

at::Tensor TorchModule::raw(const at::Tensor& Z) const {
  torch::jit::Stack stack{self_, Z.to(precision_)};
  stack.insert(stack.end(), defaults_.begin(), defaults_.end());
  const LoopLimit limit;
  torch::jit::InterpreterState(code_).run(stack);
  if (stack.size() != 1 || !stack[0].isTensor()) {
    throw TorchFailure(
        fmt::format("its forward returns {}; expected a tensor", stack.empty() ? "nothing" : stack[0].tagKind()));
  }
  at::Tensor X = stack[0].toTensor();
  if (!X.is_floating_point()) {
    throw TorchFailure(
        fmt::format("its output is of type {}; expected floating point", c10::toString(X.scalar_type())));
  }
  if (X.dim() < 1 || X.size(0) != Z.size(0) || X.numel() == 0) {
    throw TorchFailure(
        fmt::format("its forward maps a tensor {} to {}; expected [{}, ...]", shape_text(Z), shape_text(X), Z.size(0)));
  }
  return X;
}

at::Tensor TorchModule::run(const at::Tensor& Z) const {
  const at::Tensor X = raw(Z);
  return X.reshape({Z.size(0), X.numel() / Z.size(0)}).to(at::kDouble);
}

// Whether the module runs on [3, n] and its output depends on each of the n coordinates.
bool TorchModule::accepts(int latent_dimension) const {
  const at::AutoGradMode graph(true);
  try {
    const at::Tensor Z = probe_points(kProbes, latent_dimension, 1).set_requires_grad(true);
    const at::Tensor X = run(Z);
    if (!X.requires_grad()) return false;
    const at::Tensor W = probe_points(kProbes, static_cast<int>(X.size(1)), 2);
    const at::Tensor G = torch::autograd::grad({X}, {Z}, {W}, c10::nullopt, false, true)[0];
    return G.defined() && G.ne(0).any(0).all().item<bool>();
  } catch (const std::exception&) {
    return false;
  }
}

// Whether the module runs on [3, n]. Errors: TorchFailure, where no other n would help.
bool TorchModule::runs(int latent_dimension) const {
  const at::AutoGradMode no_graph(false);
  try {
    run(probe_points(kProbes, latent_dimension, 1));
    return true;
  } catch (const TorchFailure&) {
    throw;
  } catch (const std::exception& error) {
    if (is_type_failure(error)) throw;
    return false;
  }
}

std::optional<int> TorchModule::first_weight_columns() const {
  for (const torch::jit::Node* node : graph_->nodes()) {
    const std::string kind = operation_name(*node);
    if (kind == "aten::linear") {
      const auto W = constant_tensor(*node->input(1));
      if (W && W->dim() == 2) return static_cast<int>(W->size(1));
    } else if (kind == "aten::addmm" || kind == "aten::matmul" || kind == "aten::mm") {
      const auto W = constant_tensor(*node->input(kind == "aten::addmm" ? 2 : 1));
      if (W && W->dim() == 2) return static_cast<int>(W->size(0));
    }
  }
  return std::nullopt;
}

int TorchModule::find_latent_dimension() const {
  if (declared_) {
    if (*declared_ < 1) throw TorchFailure(fmt::format("its latent dimension is said to be {}", *declared_));
    return *declared_;
  }
  const auto columns = first_weight_columns();
  if (columns && runs(*columns)) return *columns;
  // What comes before the first linear layer computes features, of which there are at least as many as coordinates.
  const int most = std::min(kLargestProbed, columns.value_or(kLargestProbed));
  int found = 0;
  for (int n = 1; n <= most; ++n) {
    if (!accepts(n)) continue;
    if (found != 0) {
      throw TorchFailure(fmt::format(
          "it takes points of {} and of {} coordinates: give the module an integer attribute latent_dimension", found,
          n));
    }
    found = n;
  }
  // Where nothing is accepted, the failure at the likeliest dimension says why.
  return found != 0 ? found : columns.value_or(2);
}

void TorchModule::require_function_of_rows() {
  const at::AutoGradMode no_graph(false);
  const at::Tensor Z = probe_points(kProbes, latent_, 1);
  const at::Tensor X = run(Z);
  ambient_ = static_cast<int>(X.size(1));
  single_ = precision_ == at::kFloat || raw(Z).scalar_type() != at::kDouble;
  if (!at::equal(at::nan_to_num(X), at::nan_to_num(run(Z)))) {
    throw TorchFailure("it is random: two evaluations of the same points differ");
  }
  for (int k = 0; k < kProbes; ++k) {
    const at::Tensor alone = run(Z.slice(0, k, k + 1));
    const at::Tensor row = X.slice(0, k, k + 1);
    if (alone.sizes() != row.sizes() ||
        largest(at::nan_to_num(alone - row)) > batch_tolerance(single_) * largest(at::nan_to_num(row))) {
      throw TorchFailure("the rows of a batch influence one another");
    }
  }
}

}  // namespace pullback::internal
