// A TorchScript module as a function of tensors; private to generators/torch.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>

#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace pullback::internal {

// Something that LibTorch refused or that a module did wrong: one line without a path.
class TorchFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The module takes points of several dimensions, and says nothing of which.
class DimensionNotSaid : public TorchFailure {
 public:
  using TorchFailure::TorchFailure;
};

// One line that says what was wrong, from LibTorch's message, with the line of the module's code that it points at.
std::string torch_message(const std::exception& error);

// Whether the message is about number types, which another precision may mend, rather than about shapes.
bool is_type_failure(const std::exception& error);

// K×n normally distributed numbers, the same for every call with the same arguments.
at::Tensor probe_points(int points, int latent_dimension, unsigned seed);

// A module in evaluation mode, frozen, with all calls inlined. It is interpreted operation by operation rather than by
// LibTorch's profiling executor, whose fused operations have no forward mode and differ from run to run.
class TorchModule {
 public:
  // Reads the file and converts the weights to `precision` (double or float). `likely`: the latent dimension of a
  // module that takes points of any number of coordinates, 0 where it is not known. Errors: TorchFailure.
  TorchModule(const std::filesystem::path& path, at::ScalarType precision, int likely);

  // [K, n] → [K, N], both double, whatever the precision inside. Errors: TorchFailure and what LibTorch throws.
  at::Tensor run(const at::Tensor& Z) const;

  int latent_dimension() const { return latent_; }
  int ambient_dimension() const { return ambient_; }
  bool single_precision() const { return single_; }
  const torch::jit::Graph& graph() const { return *graph_; }

 private:
  at::Tensor raw(const at::Tensor& Z) const;
  bool accepts(int latent_dimension) const;
  std::optional<int> first_weight_columns() const;
  int find_latent_dimension(int likely) const;
  std::vector<int> accepted(const std::set<int>& candidates) const;
  void require_function_of_rows();

  at::ScalarType precision_;
  std::shared_ptr<torch::jit::Graph> graph_;
  torch::jit::Code code_;
  c10::IValue self_;
  std::vector<c10::IValue> defaults_;  // of the arguments after the first
  std::optional<int> declared_;
  int latent_ = 0;
  int ambient_ = 0;
  bool single_ = false;
};

// The name of the first operation, in the graph with all its blocks, that is of some kind.
std::optional<std::string> find_operation(const torch::jit::Block& block,
                                          bool (*is_kind)(const torch::jit::Node& node));
// "aten::relu" for aten::relu_ and aten::relu.
std::string operation_name(const torch::jit::Node& node);
// The tensor that the value always has.
std::optional<at::Tensor> constant_tensor(const torch::jit::Value& value);

}  // namespace pullback::internal
