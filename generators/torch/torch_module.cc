#include "pullback/generators/torch/torch_module.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/version.h>

#include <algorithm>
#include <random>
#include <regex>
#include <set>
#include <string_view>
#include <utility>

#include "pullback/generators/torch/archive.h"
#include "pullback/generators/torch/opening_limits.h"

namespace pullback::internal {
namespace {

constexpr int kLargestProbed = 64;
constexpr int kMostSizes = 16;
constexpr int kDependenceProbes = 40;  // enough for each coordinate to be the largest of a point somewhere
constexpr int kProbes = 3;
// Lines of a compiler's message that say which call it refused and why.
constexpr std::size_t kCauseLines = 3;

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

// The sizes of the tensors in the graph, of which one may be the latent dimension; not more than kMostSizes.
void add_sizes(const torch::jit::Block& block, std::set<int>& sizes) {
  constexpr std::int64_t kLargest = 1024;
  const std::size_t most = sizes.size() + kMostSizes;
  for (const torch::jit::Node* node : block.nodes()) {
    if (node->kind() != c10::prim::Constant) continue;
    const auto tensor = constant_tensor(*node->output());
    if (!tensor || !tensor->defined()) continue;
    for (const std::int64_t size : tensor->sizes()) {
      if (size <= kLargest && sizes.size() < most) sizes.insert(static_cast<int>(size));
    }
  }
}

// The attribute that the graph sets on the module itself or on one of its parts, if any. Objects that the graph makes,
// such as that of torch.no_grad(), are its own.
std::optional<std::string> changed_attribute(const torch::jit::Block& block) {
  for (const torch::jit::Node* node : block.nodes()) {
    if (node->kind() == c10::prim::SetAttr) {
      const torch::jit::Value* object = node->input(0);
      while (object->node()->kind() == c10::prim::GetAttr) object = object->node()->input(0);
      if (object->node()->kind() != c10::prim::CreateObject) return node->s(c10::attr::name);
    }
    for (const torch::jit::Block* inner : node->blocks()) {
      if (auto attribute = changed_attribute(*inner)) return attribute;
    }
  }
  return std::nullopt;
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

// The lines that are not empty, without the space around them.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (std::string line = trimmed(text.substr(0, end)); !line.empty()) lines.push_back(std::move(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string word_after(const std::string& text, std::string_view label) {
  const auto at = text.find(label);
  if (at == std::string::npos) return "";
  const auto begin = at + label.size();
  return text.substr(begin, text.find_first_of(" \n", begin) - begin);
}

// What is said after "RuntimeError: " or "builtins.ValueError: " at the start of a line.
std::optional<std::string> raised_message(const std::string& line) {
  static const std::regex raised(R"(^([A-Za-z_][A-Za-z_0-9.]*(Error|Exception)): (.+)$)");
  std::smatch match;
  if (!std::regex_match(line, match, raised)) return std::nullopt;
  return match[1] == "RuntimeError" ? match[3].str() : line;
}

// The line of the module's code that LibTorch points at, as it was written if the file says that, shortened.
std::string code_at_fault(const std::string& text) {
  constexpr std::string_view kArrow = "<--- HERE";
  constexpr std::size_t kLongest = 80;
  const auto arrow = text.rfind(kArrow);
  if (arrow == std::string::npos) return "";
  const auto marks = text.rfind('\n', arrow);  // the line of the tildes
  if (marks == std::string::npos || marks == 0) return "";
  const auto begin = text.rfind('\n', marks - 1);
  const auto start = begin == std::string::npos ? 0 : begin + 1;
  std::string code = trimmed(std::string_view(text).substr(start, marks - start));
  if (code.size() > kLongest) code = code.substr(0, kLongest) + "…";
  return code;
}

double largest(const at::Tensor& t) { return t.numel() == 0 ? 0 : t.abs().max().item<double>(); }

}  // namespace

std::string torch_message(const std::exception& error) {
  const auto* own = dynamic_cast<const c10::Error*>(&error);
  const std::string text = own != nullptr ? own->what_without_backtrace() : error.what();
  if (const std::string name = word_after(text, "Unknown builtin op: "); !name.empty()) {
    return fmt::format(
        "it uses the operator {}, which LibTorch {} does not have: save the module from a PyTorch of that age, or with "
        "that operator written out",
        name.substr(0, name.find_last_not_of('.') + 1), TORCH_VERSION);
  }
  // The interpreter puts a traceback of the script before what happened, and the compiler puts the code after it.
  const std::vector<std::string> lines = lines_of(text);
  std::string message;
  for (const std::string& line : lines) {
    if (const auto raised = raised_message(line)) message = *raised;
  }
  if (message.empty() && !lines.empty()) message = lines.front();
  if (message.empty()) return "unknown failure in LibTorch";
  while (message.ends_with(':') || message.ends_with('.')) message.pop_back();
  // Where the first line alone says nothing of what was wrong.
  if (message == lines.front() && message.find("not valid") != std::string::npos && lines.size() > 1) {
    for (std::size_t i = 1; i < std::min<std::size_t>(lines.size(), kCauseLines); ++i) message += "; " + lines[i];
  }
  const std::string code = code_at_fault(text);
  return code.empty() ? message : fmt::format("{}, in `{}`", message, code);
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

std::optional<std::string> find_operation(const torch::jit::Block& block,
                                          bool (*is_kind)(const torch::jit::Node& node)) {
  for (const torch::jit::Node* node : block.nodes()) {
    if (is_kind(*node)) return operation_name(*node);
    for (const torch::jit::Block* inner : node->blocks()) {
      if (auto found = find_operation(*inner, is_kind)) return found;
    }
  }
  return std::nullopt;
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

TorchModule::TorchModule(const std::filesystem::path& path, at::ScalarType precision, int likely)
    : precision_(precision) {
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
  if (const auto attribute = changed_attribute(*graph_->block())) {
    throw TorchFailure(fmt::format("the module changes its own attribute '{}' when it is evaluated", *attribute));
  }
  code_ = torch::jit::Code(graph_, "forward");
  self_ = frozen._ivalue();
  latent_ = find_latent_dimension(likely);
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

// Whether the module runs on [K, n] and its output depends on each of the n coordinates. Reverse mode finds all that a
// coordinate influences at one of many points in one sweep; a coordinate that it misses, since the module detaches it,
// is still seen in the values. Errors: a failure over number types, for which single precision is the remedy.
bool TorchModule::accepts(int latent_dimension) const {
  const at::AutoGradMode graph(true);
  try {
    const at::Tensor Z = probe_points(kDependenceProbes, latent_dimension, 1).set_requires_grad(true);
    const at::Tensor X = run(Z);
    at::Tensor missed = at::ones({latent_dimension}, at::kBool);
    if (X.requires_grad()) {
      const at::Tensor W = probe_points(kDependenceProbes, static_cast<int>(X.size(1)), 2);
      const at::Tensor G = torch::autograd::grad({X}, {Z}, {W}, c10::nullopt, false, true)[0];
      if (G.defined()) missed = G.eq(0).all(0);
    }
    if (!missed.any().item<bool>()) return true;
    const at::AutoGradMode no_graph(false);
    const at::Tensor other = at::where(missed, probe_points(kDependenceProbes, latent_dimension, 7), Z.detach());
    return !at::equal(at::nan_to_num(run(other)), at::nan_to_num(X.detach()));
  } catch (const std::exception& error) {
    if (precision_ == at::kDouble && is_type_failure(error)) throw;
    return false;
  }
}

// The columns of the first linear layer's weight, where that layer is given the points themselves: then no other number
// of coordinates fits it.
std::optional<int> TorchModule::first_weight_columns() const {
  static const std::set<std::string> same_width = {"aten::to", "aten::contiguous", "aten::dropout", "aten::clone",
                                                   "aten::flatten"};
  const torch::jit::Value* points = graph_->inputs().at(1);
  for (const torch::jit::Node* node : graph_->nodes()) {
    const std::string kind = operation_name(*node);
    if (same_width.contains(kind) && node->input(0) == points) points = node->output();
    std::optional<at::Tensor> W;
    if (kind == "aten::linear" && node->input(0) == points) {
      W = constant_tensor(*node->input(1));
      if (W && W->dim() == 2) return static_cast<int>(W->size(1));
    } else if ((kind == "aten::matmul" || kind == "aten::mm") && node->input(0) == points) {
      W = constant_tensor(*node->input(1));
    } else if (kind == "aten::addmm" && node->input(1) == points) {
      W = constant_tensor(*node->input(2));
    }
    if (W && W->dim() == 2) return static_cast<int>(W->size(0));
  }
  return std::nullopt;
}

int TorchModule::find_latent_dimension(int likely) const {
  if (declared_) {
    if (*declared_ < 1) throw TorchFailure(fmt::format("its latent dimension is said to be {}", *declared_));
    return *declared_;
  }
  if (const auto columns = first_weight_columns()) return *columns;
  if (likely > 0 && accepts(likely)) return likely;
  std::set<int> candidates = {1, 2, 3, 4, 5, 6, 7, 8};
  add_sizes(*graph_->block(), candidates);
  std::vector<int> found = accepted(candidates);
  // Every refusal costs LibTorch a traceback: other numbers are tried only where none of the likely ones will do.
  for (int n = 1; found.empty() && n <= kLargestProbed; ++n) {
    if (!candidates.contains(n)) found = accepted({n});
  }
  // Where nothing is accepted, the failure at the likeliest dimension says why.
  if (found.empty()) return likely > 0 ? likely : 2;
  if (found.size() == 1) return found[0];
  throw DimensionNotSaid(
      fmt::format("it takes points of {} and of {} coordinates, and does not say of how many: give the dimension as it "
                  "is opened, or the module an integer attribute latent_dimension",
                  found[0], found[1]));
}

// The first two of the candidates that the module accepts. Errors: a failure over number types, which is the same for
// all of them.
std::vector<int> TorchModule::accepted(const std::set<int>& candidates) const {
  std::vector<int> found;
  for (const int n : candidates) {
    if (accepts(n)) found.push_back(n);
    if (found.size() == 2) break;
  }
  return found;
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
