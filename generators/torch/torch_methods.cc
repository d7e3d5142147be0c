#include "pullback/generators/torch/torch_methods.h"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pullback/generators/slope_check.h"

namespace pullback::internal {
namespace {

// What differences can show of an exact derivative.
constexpr double kTolerance = 1e-6;
// Between a reverse sweep and the Jacobian there is only rounding.
constexpr double kSameTolerance = 1e-9;
constexpr double kNoiseFactor = 100;  // rounding that sums of many terms can amount to, in units of the values' noise
constexpr double kSinglePrecision = 6e-8;
constexpr std::size_t kStaircase =
    6;  // different values of a component at 12 points or more: more than a few jumps make
// Rows of one evaluation.
constexpr Eigen::Index kRowsAtOnce = 1024;

at::Tensor to_tensor(const ConstMatrixRef& Z) {
  return at::from_blob(const_cast<double*>(Z.data()), {Z.cols(), Z.rows()}, {Z.outerStride(), 1}, at::kDouble);
}

Matrix to_matrix(const at::Tensor& rows) {
  const at::Tensor t = rows.detach().to(at::kDouble).contiguous();
  return Eigen::Map<const Matrix>(t.data_ptr<double>(), t.size(1), t.size(0));
}

// A function of points and of what belongs to the probe that each point stands for: its direction, its weights.
using RowFunction = std::function<at::Tensor(const at::Tensor& Z, const at::Tensor& V, const at::Tensor& W)>;

class MethodSearch {
 public:
  explicit MethodSearch(const TorchModule& module)
      : module_(module),
        F_([&module](const at::Tensor& z) { return module.run(z); }),
        probes_(
            slope_probes(module.latent_dimension(), module.ambient_dimension(), Matrix(module.latent_dimension(), 0))),
        W_(random_directions(module.ambient_dimension(), probes_.Z.cols(), 5)) {}

  TorchMethods find();

 private:
  Matrix evaluate(const RowFunction& f) const {
    return to_matrix(f(to_tensor(probes_.Z), to_tensor(probes_.V), to_tensor(W_)));
  }
  Matrix tangents() const {
    return evaluate([&](const at::Tensor& Z, const at::Tensor& V, const at::Tensor&) {
      return (methods_.forward ? forward_tangents(F_, Z, V) : reverse_tangents(F_, Z, V)).second;
    });
  }
  // `f` at other points, in parts, each with the direction and the weights of its probe.
  DifferencedFunction around(const RowFunction& f) const;
  // Whether `derivative` is right by differences of `f` along the directions; nothing where LibTorch has none.
  std::optional<SlopeTally> judge(const RowFunction& derivative, const RowFunction& f) const;
  bool passes(const RowFunction& derivative, const RowFunction& f) const {
    const auto found = judge(derivative, f);
    return found && found->passes();
  }
  void find_first();
  void refuse_staircase() const;
  void find_products();
  void find_second();
  std::optional<std::string> cut() const;
  [[noreturn]] void fail(const SlopeTally& tally) const;

  const TorchModule& module_;
  TensorFunction F_;
  SlopeProbes probes_;
  Matrix W_;
  TorchMethods methods_;
};

DifferencedFunction MethodSearch::around(const RowFunction& f) const {
  return [this, f](const ConstMatrixRef& points, const std::vector<Eigen::Index>& owners, MatrixRef out) {
    for (Eigen::Index k = 0; k < points.cols(); k += kRowsAtOnce) {
      const Eigen::Index count = std::min(kRowsAtOnce, points.cols() - k);
      const std::vector<Eigen::Index> part(owners.begin() + k, owners.begin() + k + count);
      const Matrix V = probes_.V(Eigen::all, part);
      const Matrix W = W_(Eigen::all, part);
      out.middleCols(k, count) = to_matrix(f(to_tensor(points.middleCols(k, count)), to_tensor(V), to_tensor(W)));
    }
  };
}

std::optional<SlopeTally> MethodSearch::judge(const RowFunction& derivative, const RowFunction& f) const {
  Matrix got;
  try {
    got = evaluate(derivative);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  return tally(judge_slopes(around(f), probes_.Z, probes_.V, got, kTolerance, methods_.noise));
}

// An operation of the module that cuts derivatives off.
std::optional<std::string> MethodSearch::cut() const {
  return find_operation(*module_.graph().block(), [](const torch::jit::Node& node) {
    static const std::set<std::string> cutting = {"aten::detach",      "aten::round", "aten::floor", "aten::ceil",
                                                  "aten::trunc",       "aten::sign",  "aten::item",  "prim::data",
                                                  "aten::data",        "aten::frac",  "aten::fmod",  "aten::remainder",
                                                  "aten::floor_divide"};
    return cutting.contains(operation_name(node));
  });
}

void MethodSearch::fail(const SlopeTally& tally) const {
  const auto count = probes_.Z.cols();
  const auto cause = cut();
  if (tally.wrong > 0) {
    throw TorchFailure(
        fmt::format("its derivatives contradict its values at {} of {} probes: {} in its forward cuts "
                    "them off",
                    tally.wrong, count, cause.value_or("an operation")));
  }
  throw TorchFailure(fmt::format("nothing can be told of its derivatives at any of {} probes: its values are {} there",
                                 count, cause ? "not smooth (" + *cause + ")" : "not finite, or rounded too coarsely"));
}

// A component whose derivative is zero at every probe, but which has another value at most of them, is rounded finely:
// the derivative is right between its jumps and worth nothing. One jump, or a few, are another matter.
void MethodSearch::refuse_staircase() const {
  const Matrix X = evaluate([&](const at::Tensor& Z, const at::Tensor&, const at::Tensor&) { return F_(Z); });
  const Matrix T = tangents();
  for (Eigen::Index row = 0; row < X.rows(); ++row) {
    if ((T.row(row).array() != 0).any()) continue;
    std::set<double> levels;
    for (Eigen::Index m = 0; m < X.cols(); ++m) {
      if (std::isfinite(X(row, m))) levels.insert(X(row, m));
    }
    if (levels.size() < kStaircase) continue;
    throw TorchFailure(
        fmt::format("its derivatives contradict its values: they are zero wherever they were tried, and "
                    "{} rounds the values or detaches them",
                    cut().value_or("an operation")));
  }
}

void MethodSearch::find_first() {
  const RowFunction values = [this](const at::Tensor& Z, const at::Tensor&, const at::Tensor&) {
    const at::AutoGradMode no_graph(false);
    return F_(Z);
  };
  methods_.noise = value_noise(around(values), probes_.Z, probes_.V, module_.ambient_dimension());
  if (module_.single_precision()) methods_.noise = std::max(methods_.noise, kSinglePrecision);
  std::optional<SlopeTally> contradiction;
  for (const bool forward : {true, false}) {
    methods_.forward = forward;
    const auto found = judge(
        [&](const at::Tensor& Z, const at::Tensor& V, const at::Tensor&) {
          return (forward ? forward_tangents(F_, Z, V) : reverse_tangents(F_, Z, V)).second;
        },
        values);
    if (found && found->passes()) return refuse_staircase();
    if (found) contradiction = found;
  }
  // What LibTorch has no derivative of is differenced. What somebody cut off may be a jump.
  if (contradiction && (contradiction->wrong == 0 || cut())) fail(*contradiction);
  methods_.first_exact = false;
}

// Reverse sweeps against the Jacobian: ⟨Jᵀw, v⟩ = ⟨w, Jv⟩.
void MethodSearch::find_products() {
  const Matrix JV = tangents();
  try {
    const Matrix G =
        evaluate([&](const at::Tensor& Z, const at::Tensor&, const at::Tensor& W) { return cotangents(F_, Z, W); });
    const double tolerance = kSameTolerance + kNoiseFactor * methods_.noise;
    for (Eigen::Index m = 0; m < JV.cols(); ++m) {
      if (!JV.col(m).allFinite()) continue;
      const double apart = std::abs(G.col(m).dot(probes_.V.col(m)) - JV.col(m).dot(W_.col(m)));
      const double scale = std::max(JV.col(m).norm(), G.col(m).norm());
      if (!(apart <= tolerance * scale)) methods_.vjp = false;
    }
  } catch (const std::exception&) {
    methods_.vjp = false;
  }
}

void MethodSearch::find_second() {
  using Second = TorchMethods::Second;
  const RowFunction slopes = [&](const at::Tensor& Z, const at::Tensor& V, const at::Tensor&) {
    return (methods_.forward ? forward_tangents(F_, Z, V) : reverse_tangents(F_, Z, V)).second;
  };
  for (const Second how : {Second::kProducts, Second::kTangents, Second::kDifferences}) {
    methods_.second = how;
    if (how == Second::kDifferences) break;
    const bool right = passes(
        [&](const at::Tensor& Z, const at::Tensor& V, const at::Tensor&) { return second_derivatives(F_, Z, V, how); },
        slopes);
    if (right) break;
  }
  methods_.hessian =
      methods_.vjp &&
      passes(
          [&](const at::Tensor& Z, const at::Tensor& V, const at::Tensor& W) { return hessian_products(F_, Z, W, V); },
          [&](const at::Tensor& Z, const at::Tensor&, const at::Tensor& W) { return cotangents(F_, Z, W); });
}

TorchMethods MethodSearch::find() {
  find_first();
  if (methods_.first_exact) {
    find_products();
    find_second();
  } else {
    methods_.second = TorchMethods::Second::kDifferences;
  }
  return methods_;
}

bool may_have_kink(const torch::jit::Node& node) {
  static const std::set<std::string> kinds = {"aten::relu",         "aten::relu6",
                                              "aten::leaky_relu",   "aten::elu",
                                              "aten::celu",         "aten::selu",
                                              "aten::prelu",        "aten::rrelu",
                                              "aten::hardtanh",     "aten::hardsigmoid",
                                              "aten::hardswish",    "aten::hardshrink",
                                              "aten::softshrink",   "aten::threshold",
                                              "aten::clamp",        "aten::clamp_min",
                                              "aten::clamp_max",    "aten::clip",
                                              "aten::abs",          "aten::max",
                                              "aten::min",          "aten::maximum",
                                              "aten::minimum",      "aten::amax",
                                              "aten::amin",         "aten::fmax",
                                              "aten::fmin",         "aten::max_pool1d",
                                              "aten::max_pool2d",   "aten::max_pool3d",
                                              "aten::where",        "aten::sign",
                                              "aten::floor",        "aten::ceil",
                                              "aten::round",        "aten::trunc",
                                              "aten::frac",         "aten::fmod",
                                              "aten::remainder",    "aten::floor_divide",
                                              "aten::sort",         "aten::topk",
                                              "aten::median",       "aten::kthvalue",
                                              "aten::cummax",       "aten::cummin",
                                              "aten::argmax",       "aten::argmin",
                                              "aten::heaviside",    "aten::bucketize",
                                              "aten::gt",           "aten::lt",
                                              "aten::ge",           "aten::le",
                                              "aten::Bool",         "aten::item",
                                              "aten::grid_sampler", "aten::adaptive_max_pool2d"};
  if (!kinds.contains(operation_name(node))) return false;
  // Comparisons of numbers, such as of shapes, are the same for all points.
  return std::ranges::any_of(node.inputs(), [](const torch::jit::Value* value) {
    return value->type()->isSubtypeOf(*c10::TensorType::get());
  });
}

}  // namespace

at::Tensor second_derivatives(const TensorFunction& F, const at::Tensor& Z, const at::Tensor& V,
                              TorchMethods::Second how) {
  return how == TorchMethods::Second::kProducts ? second_by_products(F, Z, V) : second_tangents(F, Z, V);
}

TorchMethods find_methods(const TorchModule& module) { return MethodSearch(module).find(); }

bool has_kink(const torch::jit::Graph& graph) { return find_operation(*graph.block(), may_have_kink).has_value(); }

}  // namespace pullback::internal
