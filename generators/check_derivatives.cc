#include "pullback/generators/check_derivatives.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <utility>

#include "pullback/generators/extrapolated_difference.h"
#include "pullback/generators/slope_check.h"

namespace pullback {
namespace {

using Eigen::Index;

constexpr const char* kQuantities[] = {"value",        "jacobian", "second_directional", "vjp", "weighted_hessian",
                                       "second_order", "batch"};
enum Quantity { kValue, kJacobian, kSecondDirectional, kVjp, kWeightedHessian, kSecondOrder, kBatch };

const char* name_of(DerivativeVerdict verdict) {
  switch (verdict) {
    case DerivativeVerdict::kAgrees:
      return "agrees";
    case DerivativeVerdict::kUndecided:
      return "undecided";
    case DerivativeVerdict::kWrong:
      return "wrong";
  }
  return "";
}

// Everything that a generator calculates at some points.
struct Evaluation {
  Evaluation(const Generator& f, const Matrix& Z, const Matrix& V, const Matrix& W, Workspace& ws)
      : X(f.ambient_dimension(), Z.cols()),
        value_of_pair(X),
        J(f.ambient_dimension(), Z.size()),
        D(X),
        G(Z),
        H(f.latent_dimension(), Z.size()),
        order_X(X),
        order_J(J),
        order_D(X) {
    f.value(Z, X, ws);
    f.value_and_jacobian(Z, value_of_pair, J, ws);
    f.second_directional(Z, V, D, ws);
    f.vjp(Z, W, G, ws);
    f.weighted_hessian(Z, W, H, ws);
    f.second_order(Z, V, order_X, order_J, order_D, ws);
  }

  Matrix X, value_of_pair, J, D, G, H, order_X, order_J, order_D;
};

using Reference = internal::SlopeReference;

class Checker {
 public:
  Checker(const Generator& f, const ConstMatrixRef& Z, const DerivativeCheckOptions& options)
      : f_(f), Z_(Z), options_(options), noise_(f.traits().noise), random_(options.seed) {
    report_.generator = f.traits().name;
    for (const char* quantity : kQuantities) {
      report_.checks.emplace_back();
      report_.checks.back().quantity = quantity;
    }
  }

  DerivativeReport run() {
    for (int repeat = 0; repeat < options_.directions; ++repeat) {
      const Matrix V = random_columns(f_.latent_dimension());
      const Matrix W = random_columns(f_.ambient_dimension());
      const Evaluation batch(f_, Z_, V, W, ws_);
      for (Index k = 0; k < Z_.cols(); ++k) check_point(k, V.col(k), W.col(k), batch, repeat == 0);
    }
    return std::move(report_);
  }

 private:
  Matrix random_columns(Index rows) {
    std::normal_distribution<double> normal;
    Matrix M = Matrix::NullaryExpr(rows, Z_.cols(), [&] { return normal(random_); });
    return M.colwise().normalized();
  }

  double tolerance(Derivative how) const {
    return (how == Derivative::kExact ? options_.tolerance : options_.difference_tolerance) + rounding();
  }
  // What sums of a few dozen terms amount to.
  double rounding() const { return 30 * noise_; }
  double first_tolerance() const { return tolerance(f_.traits().first); }
  double second_tolerance() const { return tolerance(f_.traits().second); }

  void check_point(Index k, const Vector& v, const Vector& w, const Evaluation& batch, bool first_time) {
    const Matrix z = Z_.col(k);
    const Evaluation at(f_, z, v, w, ws_);
    const Index n = z.rows();
    if (first_time) check_jacobian(k, at);
    check_second(k, v, at);
    check_hessian(k, w, at);
    compare(kVjp, k, 0, at.G.col(0),
            identity(at.J.transpose() * w, at.J.cwiseAbs().transpose() * w.cwiseAbs(), first_tolerance()));

    const double second = second_tolerance();
    compare_same(kValue, k, at.value_of_pair, at.X, options_.tolerance + rounding());
    compare_same(kSecondOrder, k, at.order_X, at.X, options_.tolerance + rounding());
    compare_same(kSecondOrder, k, at.order_J, at.J, first_tolerance());
    compare_same(kSecondOrder, k, at.order_D, at.D, second, noise_of_second(at.J, k));
    compare_same(kBatch, k, batch.X.col(k), at.X, options_.tolerance + rounding());
    compare_same(kBatch, k, batch.J.middleCols(n * k, n), at.J, first_tolerance());
    compare_same(kBatch, k, batch.D.col(k), at.D, second, noise_of_second(at.J, k));
    compare_same(kBatch, k, batch.G.col(k), at.G, first_tolerance(),
                 (options_.tolerance + rounding()) * at.J.cwiseAbs().maxCoeff());
    compare_same(kBatch, k, batch.H.middleCols(n * k, n), at.H, second, noise_of_second(at.J, k));
    compare_same(kBatch, k, batch.order_J.middleCols(n * k, n), at.order_J, first_tolerance());
    compare_same(kBatch, k, batch.order_D.col(k), at.order_D, second, noise_of_second(at.J, k));
  }

  void check_jacobian(Index k, const Evaluation& at) {
    const auto value = [this](const Matrix& points) {
      Matrix X(f_.ambient_dimension(), points.cols());
      f_.value(points, X, ws_);
      return X;
    };
    for (Index i = 0; i < Z_.rows(); ++i) {
      const Reference reference = differentiate(k, Vector::Unit(Z_.rows(), i), first_tolerance(), value);
      compare(kJacobian, k, i, at.J.col(i), reference);
    }
  }

  void check_second(Index k, const Vector& v, const Evaluation& at) {
    const Reference reference = differentiate(k, v, second_tolerance(), [&](const Matrix& points) {
      return along_points(points, [&](const auto& J) { return Vector(J * v); });
    });
    compare(kSecondDirectional, k, 0, at.D.col(0), reference);
  }

  void check_hessian(Index k, const Vector& w, const Evaluation& at) {
    for (Index i = 0; i < Z_.rows(); ++i) {
      const Reference reference =
          differentiate(k, Vector::Unit(Z_.rows(), i), second_tolerance(), [&](const Matrix& points) {
            return along_points(points, [&](const auto& J) { return Vector(J.transpose() * w); });
          });
      compare(kWeightedHessian, k, i, at.H.col(i), reference);
    }
  }

  // product(J) of the Jacobian at each point.
  template <class Product>
  Matrix along_points(const Matrix& points, Product product) {
    const Index n = points.rows();
    Matrix X(f_.ambient_dimension(), points.cols());
    Matrix J(f_.ambient_dimension(), points.size());
    f_.value_and_jacobian(points, X, J, ws_);
    Matrix result;
    for (Index s = 0; s < points.cols(); ++s) {
      const Vector column = product(J.middleCols(n * s, n));
      if (s == 0) result.resize(column.size(), points.cols());
      result.col(s) = column;
    }
    return result;
  }

  // The derivative of `function` at point k along v, for a comparison to the relative tolerance `relative`.
  template <class Function>
  Reference differentiate(Index k, const Vector& v, double relative, Function function) {
    const double size = Z_.col(k).norm();
    const double h = options_.step * (1 + size);
    const Matrix samples =
        function((Z_.col(k).replicate(1, internal::kDifferenceSamples) + v * internal::difference_offsets(h)).eval());
    const Reference reference =
        internal::slope_reference(samples, h, size, relative, options_.tolerance + rounding(), noise_);
    if (reference.kink && (report_.kinks.empty() || report_.kinks.back() != k)) report_.kinks.push_back(k);
    return reference;
  }

  // A reference that rounding alone separates from what is compared; `size` bounds the terms that were summed.
  static Reference identity(const Vector& expected, const Vector& size, double relative) {
    Reference reference;
    reference.expected = expected;
    reference.scale = std::max(size.lpNorm<Eigen::Infinity>(), std::numeric_limits<double>::min());
    reference.allowed = Vector::Constant(expected.size(), relative * reference.scale);
    reference.undecided = !expected.allFinite();
    return reference;
  }

  // Second derivatives from differences carry the rounding of the Jacobian over the step.
  double noise_of_second(const Matrix& J, Index k) const {
    const double relative = f_.traits().second == Derivative::kExact ? options_.tolerance : 1;
    return relative * options_.difference_tolerance * J.cwiseAbs().maxCoeff() / (1 + Z_.col(k).norm());
  }

  void compare_same(Quantity quantity, Index k, const Matrix& got, const Matrix& expected, double relative,
                    double noise = 0) {
    const double scale =
        std::max({expected.cwiseAbs().maxCoeff(), noise / relative, std::numeric_limits<double>::min()});
    for (Index c = 0; c < got.cols(); ++c) {
      compare(quantity, k, c, got.col(c), identity(expected.col(c), Vector::Constant(1, scale), relative));
    }
  }

  void compare(Quantity quantity, Index k, Index column, const Vector& got, const Reference& reference) {
    DerivativeCheck& check = report_.checks[quantity];
    for (Index row = 0; row < got.size(); ++row) {
      DerivativeCheck here;
      here.quantity = check.quantity;
      here.error = std::abs(got(row) - reference.expected(row)) / reference.scale;
      here.tolerance = reference.allowed(row) / reference.scale;
      here.got = got(row);
      here.expected = reference.expected(row);
      here.point = k;
      here.row = row;
      here.column = column;
      if (reference.undecided) {
        here.verdict = DerivativeVerdict::kUndecided;
      } else if (!(here.error <= here.tolerance)) {
        here.verdict = DerivativeVerdict::kWrong;
      }
      if (worse(here, check)) check = here;
    }
  }

  static bool worse(const DerivativeCheck& a, const DerivativeCheck& b) {
    if (b.point < 0) return true;
    if (a.verdict != b.verdict) return a.verdict > b.verdict;
    return a.error > b.error || (std::isnan(a.error) && !std::isnan(b.error));
  }

  const Generator& f_;
  const Matrix Z_;
  const DerivativeCheckOptions& options_;
  const double noise_;
  std::mt19937_64 random_;
  Workspace ws_;
  DerivativeReport report_;
};

void validate(const Generator& f, const ConstMatrixRef& Z, const DerivativeCheckOptions& options) {
  if (Z.rows() != f.latent_dimension()) {
    throw std::invalid_argument(
        fmt::format("check_derivatives: Z must be {}×K, got {}×{}", f.latent_dimension(), Z.rows(), Z.cols()));
  }
  if (!(options.tolerance > 0 && options.difference_tolerance > 0 && options.step > 0 && options.directions > 0)) {
    throw std::invalid_argument(fmt::format(
        "check_derivatives: every option must be positive, got tolerance {}, difference_tolerance {}, step {}, "
        "directions {}",
        options.tolerance, options.difference_tolerance, options.step, options.directions));
  }
}

}  // namespace

DerivativeReport check_derivatives(const Generator& f, const ConstMatrixRef& Z, const DerivativeCheckOptions& options) {
  validate(f, Z, options);
  DerivativeReport report = Checker(f, Z, options).run();
  std::ranges::sort(report.kinks);
  report.kinks.erase(std::unique(report.kinks.begin(), report.kinks.end()), report.kinks.end());
  return report;
}

DerivativeVerdict DerivativeReport::verdict() const {
  DerivativeVerdict worst = DerivativeVerdict::kAgrees;
  for (const DerivativeCheck& check : checks) worst = std::max(worst, check.verdict);
  return worst;
}

const DerivativeCheck& DerivativeReport::of(const std::string& quantity) const {
  const auto found = std::ranges::find(checks, quantity, &DerivativeCheck::quantity);
  if (found != checks.end()) return *found;
  std::string known;
  for (const DerivativeCheck& check : checks) known += (known.empty() ? "" : ", ") + check.quantity;
  throw std::invalid_argument(fmt::format("DerivativeReport: no quantity '{}', choose from {}", quantity, known));
}

std::string DerivativeReport::summary() const {
  std::string text = fmt::format("derivatives of '{}': {}\n", generator, name_of(verdict()));
  for (const DerivativeCheck& check : checks) {
    text += fmt::format("  {:<18}  {:<9}", check.quantity, name_of(check.verdict));
    if (check.point >= 0) {
      text += fmt::format(
          "  relative error {:.1e}, tolerance {:.1e}, at point {}, row {}, column {}: got {:.10g}, "
          "expected {:.10g}",
          check.error, check.tolerance, check.point, check.row, check.column, check.got, check.expected);
    }
    text += '\n';
  }
  if (!kinks.empty()) {
    text += "  a kink or a jump, where nothing can be decided, at point";
    for (const Eigen::Index point : kinks) text += ' ' + std::to_string(point);
    text += '\n';
  }
  return text;
}

}  // namespace pullback
