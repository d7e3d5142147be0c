#include "pullback/manifold/metrics/pullback_products.h"

#include <cmath>
#include <limits>

#include "pullback/base/stop.h"
#include "pullback/manifold/numerics/nodal_differences.h"

namespace pullback {

bool VariationProducts::finite() const {
  return std::isfinite(energy_) && gradient_.allFinite() && chord_gradient_.allFinite();
}

namespace internal {
namespace {

using Eigen::Index;

// Of conjugate gradients for an acceleration: relative to the first residual, or to the rounding of d²f.
constexpr double kAccelerationTolerance = 1e-12;
constexpr double kRounding = 8 * std::numeric_limits<double>::epsilon();
constexpr int kMostIterations = 60;

class PullbackProducts final : public VariationProducts {
 public:
  PullbackProducts(const Generator& f, const ConstMatrixRef& Z, Workspace& ws)
      : f_(f),
        inner_(Z.middleCols(1, Z.cols() - 2)),
        scale_(static_cast<double>(Z.cols() - 1)),
        weights_(f.ambient_dimension(), inner_.cols()) {
    const Index K = Z.cols() - 1;
    Workspace::Frame frame(ws);
    auto X = frame.matrix(f.ambient_dimension(), K + 1);
    auto smooth = frame.matrix(f.ambient_dimension(), K - 1);
    f.value(Z, X, ws);
    energy_ = 0.5 * scale_ * (X.rightCols(K) - X.leftCols(K)).squaredNorm();
    weights_ = scale_ * (2 * X.middleCols(1, K - 1) - X.leftCols(K - 1) - X.rightCols(K - 1));
    smooth.setZero();
    for (Index i = 1; i < K; ++i) {
      const NodalDifference stencil = second_difference(i, K, DifferenceOrder::kSixth);
      for (Index s = 0; s < stencil.count; ++s)
        smooth.col(i - 1) -= scale_ * stencil.weights[s] * X.col(stencil.first + s);
    }
    gradient_.resize(Z.rows(), K - 1);
    chord_gradient_.resize(Z.rows(), K - 1);
    f.vjp(inner_, smooth, gradient_, ws);
    f.vjp(inner_, weights_, chord_gradient_, ws);
  }

  Matrix hessian(const ConstMatrixRef& V, Workspace& ws) const override {
    Workspace::Frame frame(ws);
    auto U = frame.matrix(f_.ambient_dimension(), V.cols());
    stretch(V, U, ws);
    Matrix out(V.rows(), V.cols());
    f_.hessian_product(inner_, weights_, V, U, out, ws);
    return out;
  }

  Matrix gauss_newton(const ConstMatrixRef& V, Workspace& ws) const override {
    Workspace::Frame frame(ws);
    auto U = frame.matrix(f_.ambient_dimension(), V.cols());
    stretch(V, U, ws);
    Matrix out(V.rows(), V.cols());
    f_.vjp(inner_, U, out, ws);
    return out;
  }

  Matrix metric(const ConstMatrixRef& V, Workspace& ws) const override {
    Workspace::Frame frame(ws);
    auto X = frame.matrix(f_.ambient_dimension(), V.cols());
    auto T = frame.matrix(f_.ambient_dimension(), V.cols());
    f_.jvp(inner_, V, X, T, ws);
    Matrix out(V.rows(), V.cols());
    f_.vjp(inner_, T, out, ws);
    return out;
  }

 private:
  // U_i = K (2 T_i − T_{i−1} − T_{i+1}), T = J v.
  void stretch(const ConstMatrixRef& V, MatrixRef U, Workspace& ws) const {
    const Index m = V.cols();
    Workspace::Frame frame(ws);
    auto X = frame.matrix(f_.ambient_dimension(), m);
    auto T = frame.matrix(f_.ambient_dimension(), m);
    f_.jvp(inner_, V, X, T, ws);
    U = 2 * scale_ * T;
    U.leftCols(m - 1) -= scale_ * T.rightCols(m - 1);
    U.rightCols(m - 1) -= scale_ * T.leftCols(m - 1);
  }

  const Generator& f_;
  const Matrix inner_;
  const double scale_;
  Matrix weights_;
};

}  // namespace

std::unique_ptr<const VariationProducts> pullback_products(const Generator& f, const ConstMatrixRef& Z, Workspace& ws) {
  return std::make_unique<PullbackProducts>(f, Z, ws);
}

std::vector<Index> acceleration_by_products(const Generator& f, const Matrix& U, const ConstMatrixRef& Z,
                                            const ConstMatrixRef& V, MatrixRef A, Workspace& ws) {
  const Index K = Z.cols();
  const auto precondition = [&](const Matrix& G) -> Matrix {
    const Matrix Y = U.transpose().triangularView<Eigen::Lower>().solve(G);
    return U.triangularView<Eigen::Upper>().solve(Y);
  };
  Workspace::Frame frame(ws);
  auto residual = frame.matrix(f.ambient_dimension(), K);
  auto X = frame.matrix(f.ambient_dimension(), K);
  auto image = frame.matrix(f.ambient_dimension(), K);
  f.second_directional(Z, V, residual, ws);
  residual *= -1;
  Matrix gradient(Z.rows(), K);
  f.vjp(Z, residual, gradient, ws);
  Matrix step = precondition(gradient);
  using Row = Eigen::RowVectorXd;
  Row size = gradient.cwiseProduct(step).colwise().sum();
  const Row enough = (kAccelerationTolerance * kAccelerationTolerance * size)
                         .cwiseMax(kRounding * kRounding * residual.colwise().squaredNorm());
  A.setZero();
  Matrix direction = step;
  for (int iteration = 0; iteration < kMostIterations && (size.array() > enough.array()).any(); ++iteration) {
    throw_if_stopped();
    f.jvp(Z, direction, X, image, ws);
    const Row curvature = image.colwise().squaredNorm();
    for (Index k = 0; k < K; ++k) {
      if (!(size(k) > enough(k))) continue;
      const double length = size(k) / curvature(k);
      A.col(k) += length * direction.col(k);
      residual.col(k) -= length * image.col(k);
    }
    f.vjp(Z, residual, gradient, ws);
    step = precondition(gradient);
    for (Index k = 0; k < K; ++k) {
      if (!(size(k) > enough(k))) continue;
      const double next = gradient.col(k).dot(step.col(k));
      direction.col(k) = step.col(k) + next / size(k) * direction.col(k);
      size(k) = next;
    }
  }
  std::vector<Index> left;
  for (Index k = 0; k < K; ++k) {
    if (!(size(k) <= enough(k)) || !A.col(k).allFinite()) left.push_back(k);
  }
  return left;
}

}  // namespace internal
}  // namespace pullback
