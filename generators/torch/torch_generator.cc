#include "pullback/generators/torch/torch_generator.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "pullback/generators/error.h"
#include "pullback/generators/network.h"
#include "pullback/generators/torch/archive.h"
#include "pullback/generators/torch/lowering.h"
#include "pullback/generators/torch/tensor_derivatives.h"
#include "pullback/generators/torch/torch_module.h"

namespace pullback {
namespace {

using internal::TorchFailure;
using internal::TorchModule;

constexpr int kProbes = 3;
constexpr int kComparedPoints = 16;
// Rows of one evaluation: more cost memory and gain no speed.
constexpr Eigen::Index kRowsAtOnce = 1024;
// A derivative this far from a difference of values is not inexact but missing: the module detaches or rounds.
constexpr double kMissingDerivative = 0.1;

bool is_kink(const std::string& kind) {
  static const std::set<std::string> kinds = {
      "aten::relu",        "aten::relu6",       "aten::leaky_relu", "aten::elu",
      "aten::celu",        "aten::selu",        "aten::prelu",      "aten::rrelu",
      "aten::hardtanh",    "aten::hardsigmoid", "aten::hardswish",  "aten::hardshrink",
      "aten::softshrink",  "aten::threshold",   "aten::clamp",      "aten::clamp_min",
      "aten::clamp_max",   "aten::clip",        "aten::abs",        "aten::max",
      "aten::min",         "aten::maximum",     "aten::minimum",    "aten::amax",
      "aten::amin",        "aten::fmax",        "aten::fmin",       "aten::max_pool1d",
      "aten::max_pool2d",  "aten::max_pool3d",  "aten::where",      "aten::sign",
      "aten::floor",       "aten::ceil",        "aten::round",      "aten::frac",
      "aten::fmod",        "aten::remainder",   "aten::sort",       "aten::topk",
      "aten::median",      "aten::gt",          "aten::lt",         "aten::ge",
      "aten::le",          "aten::Bool",        "aten::item",       "aten::adaptive_max_pool2d",
      "aten::grid_sampler"};
  return kinds.contains(kind);
}

// Points are columns there and rows here; both are the same memory.
at::Tensor rows_of(const ConstMatrixRef& Z) {
  return at::from_blob(const_cast<double*>(Z.data()), {Z.cols(), Z.rows()}, {Z.outerStride(), 1}, at::kDouble);
}

void write_rows(const at::Tensor& rows, MatrixRef X) {
  at::from_blob(X.data(), {X.cols(), X.rows()}, {X.outerStride(), 1}, at::kDouble).copy_(rows);
}

// Each row n times, and the unit vectors e_1 … e_n over and over: all tangents of all points as one batch.
std::pair<at::Tensor, at::Tensor> all_directions(const at::Tensor& Z) {
  const auto n = Z.size(1);
  return {Z.repeat_interleave(n, 0), at::eye(n, at::kDouble).repeat({Z.size(0), 1})};
}

double largest(const at::Tensor& t) { return at::nan_to_num(t).abs().max().item<double>(); }

struct Methods {
  bool forward = true;       // forward mode for the Jacobian
  bool second_exact = true;  // reverse sweeps for second derivatives
};

// First derivatives by LibTorch, second ones by differences of them.
class TorchGenerator : public Generator {
 public:
  TorchGenerator(std::unique_ptr<const TorchModule> module, bool forward, GeneratorTraits traits)
      : Generator(module->latent_dimension(), module->ambient_dimension(), std::move(traits)),
        module_(std::move(module)),
        forward_(forward) {}

 protected:
  at::Tensor run(const at::Tensor& Z) const { return module_->run(Z); }

  // Calls evaluate(first, count) for parts of a batch of `points`, each of at most kRowsAtOnce rows.
  template <class Evaluate>
  void in_parts(Eigen::Index points, Eigen::Index rows_per_point, const Evaluate& evaluate) const {
    const Eigen::Index part = std::max<Eigen::Index>(1, kRowsAtOnce / rows_per_point);
    try {
      for (Eigen::Index k = 0; k < points; k += part) evaluate(k, std::min(part, points - k));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(fmt::format("{}: LibTorch failed: {}", traits().name, internal::torch_message(error)));
    }
  }

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override;
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override;
  void do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const override;

  std::unique_ptr<const TorchModule> module_;
  bool forward_;  // forward mode for the Jacobian
};

// Second derivatives by LibTorch too.
class TwiceTorchGenerator final : public TorchGenerator {
 public:
  using TorchGenerator::TorchGenerator;

 private:
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& ws) const override;
  void do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const override;
};

void TorchGenerator::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace&) const {
  in_parts(Z.cols(), 1, [&](Eigen::Index k, Eigen::Index count) {
    const at::AutoGradMode no_graph(false);
    write_rows(run(rows_of(Z.middleCols(k, count))), X.middleCols(k, count));
  });
}

void TorchGenerator::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace&) const {
  const int n = latent_dimension();
  in_parts(Z.cols(), n, [&](Eigen::Index k, Eigen::Index count) {
    const auto [points, directions] = all_directions(rows_of(Z.middleCols(k, count)));
    const auto F = [this](const at::Tensor& z) { return run(z); };
    const auto [Y, T] = forward_ ? internal::forward_tangents(F, points, directions)
                                 : internal::reverse_tangents(F, points, directions);
    write_rows(Y.slice(0, 0, c10::nullopt, n), X.middleCols(k, count));
    write_rows(T, J.middleCols(n * k, n * count));
  });
}

void TwiceTorchGenerator::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                                Workspace&) const {
  in_parts(Z.cols(), 1, [&](Eigen::Index k, Eigen::Index count) {
    const auto F = [this](const at::Tensor& z) { return run(z); };
    write_rows(internal::second_tangents(F, rows_of(Z.middleCols(k, count)), rows_of(V.middleCols(k, count))),
               D.middleCols(k, count));
  });
}

void TorchGenerator::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace&) const {
  in_parts(Z.cols(), 1, [&](Eigen::Index k, Eigen::Index count) {
    const auto F = [this](const at::Tensor& z) { return run(z); };
    write_rows(internal::cotangents(F, rows_of(Z.middleCols(k, count)), rows_of(W.middleCols(k, count))),
               G.middleCols(k, count));
  });
}

void TwiceTorchGenerator::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                                              Workspace&) const {
  const int n = latent_dimension();
  in_parts(Z.cols(), n, [&](Eigen::Index k, Eigen::Index count) {
    const auto [points, directions] = all_directions(rows_of(Z.middleCols(k, count)));
    const auto F = [this](const at::Tensor& z) { return run(z); };
    const at::Tensor weights = rows_of(W.middleCols(k, count)).repeat_interleave(n, 0);
    const at::Tensor products = internal::hessian_products(F, points, weights, directions);
    const at::Tensor blocks = products.reshape({count, n, n});
    write_rows(((blocks + blocks.transpose(1, 2)) / 2).reshape({count * n, n}), H.middleCols(n * k, n * count));
  });
}

// Whether a derivative is there at all, at one of the points at least: differences are too rough to ask for more.
bool is_plausible(const at::Tensor& derivative, const at::Tensor& difference, double noise) {
  for (std::int64_t k = 0; k < derivative.size(0); ++k) {
    const double size = std::max(largest(derivative[k]), largest(difference[k]));
    if (largest(derivative[k] - difference[k]) <= kMissingDerivative * size + noise) return true;
  }
  return false;
}

// What LibTorch can do for this module. Errors: TorchFailure if not even first derivatives are right.
Methods find_methods(const TorchModule& module) {
  const auto F = [&module](const at::Tensor& z) { return module.run(z); };
  const at::Tensor Z = internal::probe_points(kProbes, module.latent_dimension(), 3);
  const at::Tensor V = internal::probe_points(kProbes, module.latent_dimension(), 4);
  const double step = module.single_precision() ? 1e-3 : 1e-5;
  const double noise = module.single_precision() ? 1e-3 : 1e-8;
  const auto difference = [&](const internal::TensorFunction& f) {
    const at::AutoGradMode no_graph(false);
    return (f(Z + step * V) - f(Z - step * V)) / (2 * step);
  };
  Methods methods;
  const auto jvp = [&](const at::Tensor& z) {
    return (methods.forward ? internal::forward_tangents(F, z, V) : internal::reverse_tangents(F, z, V)).second;
  };
  const at::Tensor expected = difference(F);
  const double floor = noise * std::max(1.0, largest(module.run(Z)));
  try {
    methods.forward = is_plausible(jvp(Z), expected, floor);
  } catch (const std::exception&) {
    methods.forward = false;
  }
  if (!methods.forward && !is_plausible(jvp(Z), expected, floor)) {
    throw TorchFailure("its derivatives contradict its values: an operation in it is detached or rounds");
  }
  try {
    const at::Tensor W = internal::probe_points(kProbes, module.ambient_dimension(), 5);
    const at::Tensor D = internal::second_tangents(F, Z, V);
    const at::Tensor HV = internal::hessian_products(F, Z, W, V);
    const at::Tensor vDv = (W * D).sum(1, true);
    methods.second_exact = is_plausible(D, difference(jvp), noise * std::max(1.0, largest(jvp(Z)))) &&
                           is_plausible((HV * V).sum(1, true), vDv, noise * std::max(1.0, largest(vDv)));
  } catch (const std::exception&) {
    methods.second_exact = false;
  }
  return methods;
}

std::shared_ptr<const Generator> lowered(const TorchModule& module, const std::string& name) {
  auto layers = internal::lower(module.graph(), module.latent_dimension());
  if (!layers) return nullptr;
  // LibTorch's softplus leaves out log(1 + e⁻ˣ) ≤ 2.1e-9 beyond x = 20; otherwise both are right up to rounding.
  const bool softplus = std::ranges::any_of(
      *layers, [](const Layer& layer) { return layer.activation.kind == ActivationKind::kSoftplus; });
  const double tolerance = module.single_precision() ? 1e-5 : softplus ? 1e-7 : 1e-10;
  auto network = std::make_shared<const Network>(std::move(*layers), name);
  if (network->ambient_dimension() != module.ambient_dimension()) return nullptr;
  for (const double radius : {1.0, 4.0}) {
    const at::Tensor Z = radius * internal::probe_points(kComparedPoints, module.latent_dimension(), 6);
    const at::Tensor expected = module.run(Z);
    const Eigen::Map<const Matrix> points(Z.data_ptr<double>(), module.latent_dimension(), kComparedPoints);
    const Matrix got = network->value(points);
    if (!got.allFinite()) return nullptr;
    if (!(largest(rows_of(got) - expected) <= tolerance * largest(expected))) return nullptr;
  }
  return network;
}

// In double precision, or in single where the module does not run in double.
std::unique_ptr<const TorchModule> load(const std::filesystem::path& path) {
  try {
    return std::make_unique<const TorchModule>(path, at::kDouble);
  } catch (const std::exception& error) {
    if (!internal::is_type_failure(error)) throw;
    return std::make_unique<const TorchModule>(path, at::kFloat);
  }
}

}  // namespace

std::shared_ptr<const Generator> read_torchscript(const std::filesystem::path& path) {
  internal::require_torchscript_archive(path);
  try {
    auto module = load(path);
    const at::AutoGradMode no_graph(false);
    std::string name = path.stem().string();
    if (auto network = lowered(*module, name)) return network;
    const Methods methods = find_methods(*module);
    if (module->single_precision()) name += " (single precision)";
    GeneratorTraits traits{.name = name, .smooth = !internal::has_operation(*module->graph().block(), is_kink)};
    if (methods.second_exact) {
      return std::make_shared<const TwiceTorchGenerator>(std::move(module), methods.forward, std::move(traits));
    }
    traits.second = Derivative::kFiniteDifference;
    return std::make_shared<const TorchGenerator>(std::move(module), methods.forward, std::move(traits));
  } catch (const std::bad_alloc&) {
    throw Error(fmt::format("{}: not enough memory for this module", path.string()));
  } catch (const std::exception& error) {
    throw Error(fmt::format("{}: {}", path.string(), internal::torch_message(error)));
  }
}

}  // namespace pullback
