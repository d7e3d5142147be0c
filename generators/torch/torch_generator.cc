#include "pullback/generators/torch/torch_generator.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "pullback/base/error.h"
#include "pullback/generators/check_derivatives.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/generators/network/network.h"
#include "pullback/generators/torch/archive.h"
#include "pullback/generators/torch/lowering.h"
#include "pullback/generators/torch/tensor_derivatives.h"
#include "pullback/generators/torch/torch_methods.h"
#include "pullback/generators/torch/torch_module.h"

namespace pullback {
namespace {

using internal::TorchMethods;
using internal::TorchModule;

constexpr int kComparedPoints = 16;
// Rows of one evaluation: more cost memory and gain no speed.
constexpr Eigen::Index kRowsAtOnce = 1024;
// Noise of the values above this, relative, is more than double precision accounts for.
constexpr double kNoisy = 1e-11;
// The rounding of half precision begins well above this, that of single precision ends well below.
constexpr double kHalfPrecision = 1e-5;

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

class TorchGenerator final : public Generator {
 public:
  TorchGenerator(std::shared_ptr<const TorchModule> module, const TorchMethods& methods, GeneratorTraits traits)
      : Generator(module->latent_dimension(), module->ambient_dimension(), std::move(traits)),
        module_(std::move(module)),
        methods_(methods),
        run_([this](const at::Tensor& z) { return module_->run(z); }) {}

 private:
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

  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override;
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override;
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& ws) const override;
  void do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const override;
  void do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const override;

  std::shared_ptr<const TorchModule> module_;
  TorchMethods methods_;
  internal::TensorFunction run_;
};

void TorchGenerator::do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace&) const {
  in_parts(Z.cols(), 1, [&](Eigen::Index k, Eigen::Index count) {
    const at::AutoGradMode no_graph(false);
    write_rows(run_(rows_of(Z.middleCols(k, count))), X.middleCols(k, count));
  });
}

void TorchGenerator::do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace&) const {
  const int n = latent_dimension();
  in_parts(Z.cols(), n, [&](Eigen::Index k, Eigen::Index count) {
    const auto [points, directions] = all_directions(rows_of(Z.middleCols(k, count)));
    const auto [Y, T] = methods_.forward ? internal::forward_tangents(run_, points, directions)
                                         : internal::reverse_tangents(run_, points, directions);
    write_rows(Y.slice(0, 0, c10::nullopt, n), X.middleCols(k, count));
    write_rows(T, J.middleCols(n * k, n * count));
  });
}

void TorchGenerator::do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                                           Workspace& ws) const {
  if (methods_.second == TorchMethods::Second::kDifferences) return Generator::do_second_directional(Z, V, D, ws);
  in_parts(Z.cols(), 1, [&](Eigen::Index k, Eigen::Index count) {
    write_rows(internal::second_derivatives(run_, rows_of(Z.middleCols(k, count)), rows_of(V.middleCols(k, count)),
                                            methods_.second),
               D.middleCols(k, count));
  });
}

void TorchGenerator::do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const {
  if (!methods_.vjp) return Generator::do_vjp(Z, W, G, ws);
  in_parts(Z.cols(), 1, [&](Eigen::Index k, Eigen::Index count) {
    write_rows(internal::cotangents(run_, rows_of(Z.middleCols(k, count)), rows_of(W.middleCols(k, count))),
               G.middleCols(k, count));
  });
}

void TorchGenerator::do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                                         Workspace& ws) const {
  if (!methods_.hessian) return Generator::do_weighted_hessian(Z, W, H, ws);
  const int n = latent_dimension();
  in_parts(Z.cols(), n, [&](Eigen::Index k, Eigen::Index count) {
    const auto [points, directions] = all_directions(rows_of(Z.middleCols(k, count)));
    const at::Tensor weights = rows_of(W.middleCols(k, count)).repeat_interleave(n, 0);
    const at::Tensor products = internal::hessian_products(run_, points, weights, directions);
    const at::Tensor blocks = products.reshape({count, n, n});
    write_rows(((blocks + blocks.transpose(1, 2)) / 2).reshape({count * n, n}), H.middleCols(n * k, n * count));
  });
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
std::shared_ptr<const TorchModule> load(const std::filesystem::path& path, int likely) {
  try {
    return std::make_shared<const TorchModule>(path, at::kDouble, likely);
  } catch (const std::exception& error) {
    if (!internal::is_type_failure(error)) throw;
    return std::make_shared<const TorchModule>(path, at::kFloat, likely);
  }
}

// The generator whose derivatives LibTorch computes in the ways that were found right.
std::shared_ptr<const Generator> in_libtorch(const std::shared_ptr<const TorchModule>& module, std::string name) {
  const TorchMethods found = internal::find_methods(*module);
  GeneratorTraits traits{.name = std::move(name), .smooth = !internal::has_kink(module->graph()), .noise = found.noise};
  if (found.noise > kNoisy) traits.name += found.noise < kHalfPrecision ? " (single precision)" : " (half precision)";
  if (!found.second_exact()) traits.second = Derivative::kFiniteDifference;
  const auto generator = std::make_shared<const TorchGenerator>(module, found, traits);
  if (found.first_exact) return generator;
  Callbacks callbacks;
  callbacks.value = [generator](const ConstMatrixRef& Z) { return generator->value(Z); };
  return std::make_shared<const CallbackGenerator>(generator->latent_dimension(), generator->ambient_dimension(),
                                                   std::move(callbacks), traits);
}

}  // namespace

std::shared_ptr<const Generator> read_torchscript(const std::filesystem::path& path, const OpenOptions& options) {
  internal::require_torchscript_archive(path);
  try {
    const auto module = load(path, options.dimension);
    const at::AutoGradMode no_graph(false);
    const std::string name = path.stem().string();
    if (auto network = lowered(*module, name)) return with_checked_derivatives(std::move(network), {});
    return in_libtorch(module, name);
  } catch (const std::bad_alloc&) {
    throw Error(fmt::format("{}: not enough memory for this module", path.string()));
  } catch (const internal::DimensionNotSaid& error) {
    throw UnknownDimension(fmt::format("{}: {}", path.string(), error.what()));
  } catch (const std::exception& error) {
    throw Error(fmt::format("{}: {}", path.string(), internal::torch_message(error)));
  }
}

}  // namespace pullback
