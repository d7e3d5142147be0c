#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/generators/check_derivatives.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/generators/slope_check.h"

namespace pullback {
namespace {

using Eigen::Index;
using internal::SlopeTally;

// What differences can show of a derivative that is exact, and of one that is itself made of differences.
constexpr double kTolerance = 1e-6;
constexpr double kDifferenceTolerance = 1e-4;
// A Hessian by polarisation costs n²/2 second derivatives: beyond this dimension it is not looked at.
constexpr Index kMostHessian = 16;

// Judges one generator at the probes. Jacobians are evaluated a few points at a time: they may be large.
class Judge {
 public:
  Judge(const Generator& f, const Matrix& points)
      : f_(f),
        probes_(internal::slope_probes(f.latent_dimension(), f.ambient_dimension(), points)),
        W_(internal::random_directions(f.ambient_dimension(), probes_.Z.cols(), 5)),
        X_(f.ambient_dimension(), probes_.Z.cols()),
        tangents_(X_),
        cotangents_(probes_.Z) {
    for (Index m = 0; m < probes_.Z.cols(); ++m) {
      Matrix x(X_.rows(), 1);
      Matrix J(X_.rows(), probes_.Z.rows());
      f_.value_and_jacobian(probes_.Z.col(m), x, J, ws_);
      X_.col(m) = x;
      tangents_.col(m) = J * probes_.V.col(m);
      cotangents_.col(m) = J.transpose() * W_.col(m);
    }
  }

  SlopeTally first() {
    const auto values = [this](const ConstMatrixRef& points, const std::vector<Index>&, MatrixRef X) {
      f_.value(points, X, ws_);
    };
    return internal::tally(internal::judge_slopes(values, probes_.Z, probes_.V, tangents_, tolerance(f_.traits().first),
                                                  f_.traits().noise));
  }

  // d²f[v,v] and, in a few dimensions, H_w v, by differences of J(z)v and J(z)ᵀw.
  SlopeTally second() {
    const Index N = X_.rows();
    const Index n = probes_.Z.rows();
    const bool by_product = f_.traits().cheap_products && n > kMostHessian;
    const bool with_hessian = by_product || n <= kMostHessian;
    Matrix got(with_hessian ? N + n : N, probes_.Z.cols());
    for (Index m = 0; m < got.cols(); ++m) {
      Matrix D(N, 1);
      f_.second_directional(probes_.Z.col(m), probes_.V.col(m), D, ws_);
      got.col(m).head(N) = D;
      if (!with_hessian) continue;
      got.col(m).tail(n) = by_product ? hessian_product(m, Vector::Zero(N)) : hessian(m) * probes_.V.col(m);
    }
    const auto slopes = [&](const ConstMatrixRef& points, const std::vector<Index>& owners, MatrixRef out) {
      Matrix x(N, 1);
      Matrix J(N, n);
      for (Index c = 0; c < points.cols(); ++c) {
        const Index m = owners[static_cast<std::size_t>(c)];
        f_.value_and_jacobian(points.col(c), x, J, ws_);
        out.col(c).head(N) = J * probes_.V.col(m);
        if (with_hessian) out.col(c).tail(n) = J.transpose() * W_.col(m);
      }
    };
    return internal::tally(
        internal::judge_slopes(slopes, probes_.Z, probes_.V, got, tolerance(f_.traits().second), f_.traits().noise));
  }

  // Whether Jv, Jᵀw and the pass of second order are what the Jacobian says, and products what the Hessian says.
  bool products_agree() {
    const Index N = X_.rows();
    const Index n = probes_.Z.rows();
    for (Index m = 0; m < probes_.Z.cols(); ++m) {
      Matrix g(n, 1);
      f_.vjp(probes_.Z.col(m), W_.col(m), g, ws_);
      Matrix x(N, 1);
      Matrix J(N, n);
      Matrix D(N, 1);
      f_.second_order(probes_.Z.col(m), probes_.V.col(m), x, J, D, ws_);
      Matrix t(N, 1);
      f_.jvp(probes_.Z.col(m), probes_.V.col(m), x, t, ws_);
      if (!same(t, tangents_.col(m))) return false;
      if (f_.traits().cheap_products && n <= kMostHessian &&
          !same(hessian_product(m, W_.col(m)), cotangents_.col(m) + hessian(m) * probes_.V.col(m))) {
        return false;
      }
      if (!same(g, cotangents_.col(m)) || !same(x, X_.col(m)) || !same(J * probes_.V.col(m), tangents_.col(m))) {
        return false;
      }
    }
    return true;
  }

 private:
  Matrix hessian(Index m) {
    Matrix H(probes_.Z.rows(), probes_.Z.rows());
    f_.weighted_hessian(probes_.Z.col(m), W_.col(m), H, ws_);
    return H;
  }
  Vector hessian_product(Index m, const Vector& u) {
    Matrix p(probes_.Z.rows(), 1);
    f_.hessian_product(probes_.Z.col(m), W_.col(m), probes_.V.col(m), u, p, ws_);
    return p;
  }

  static double tolerance(Derivative how) { return how == Derivative::kExact ? kTolerance : kDifferenceTolerance; }

  // What is not finite in both is the same.
  bool same(const Matrix& got, const Matrix& expected) const {
    if (!expected.allFinite()) return true;
    const double allowed = tolerance(f_.traits().first) + 100 * f_.traits().noise;
    return (got - expected).norm() <= allowed * expected.norm() + std::numeric_limits<double>::min();
  }

  const Generator& f_;
  Workspace ws_;
  internal::SlopeProbes probes_;
  Matrix W_;
  Matrix X_;
  Matrix tangents_;
  Matrix cotangents_;
};

}  // namespace

std::shared_ptr<const Generator> with_checked_derivatives(std::shared_ptr<const Generator> f, const Matrix& points) {
  if (f == nullptr) throw std::invalid_argument("with_checked_derivatives: expected a generator, got none");
  const int n = f->latent_dimension();
  if (points.size() > 0 && points.rows() != n) {
    throw std::invalid_argument(
        fmt::format("with_checked_derivatives: points must be {}×K, got {}×{}", n, points.rows(), points.cols()));
  }
  Judge judge(*f, points.size() > 0 ? points : Matrix(n, 0));
  const bool first = judge.first().wrong == 0;
  const bool second = first && judge.second().wrong == 0;
  if (second && judge.products_agree()) return f;
  Callbacks callbacks;
  callbacks.value = [f](const ConstMatrixRef& Z) { return f->value(Z); };
  if (first) callbacks.jacobian = [f](const ConstMatrixRef& Z) { return f->jacobian(Z); };
  if (second) {
    callbacks.second_directional = [f](const ConstMatrixRef& Z, const ConstMatrixRef& V) {
      Matrix D(f->ambient_dimension(), Z.cols());
      Workspace ws;
      f->second_directional(Z, V, D, ws);
      return D;
    };
  }
  return std::make_shared<const CallbackGenerator>(n, f->ambient_dimension(), std::move(callbacks), f->traits());
}

}  // namespace pullback
