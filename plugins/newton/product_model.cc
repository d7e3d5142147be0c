#include <algorithm>
#include <cmath>

#include "pullback/manifold/numerics/conjugate_gradients.h"
#include "pullback/manifold/numerics/curve_spectrum.h"
#include "pullback/manifold/numerics/flat_preconditioner.h"
#include "pullback/plugins/newton/curve_model.h"

namespace pullback {
namespace {

// Of conjugate gradients: a step of descent is as good as its model, a correction is to divide the excess by a million.
constexpr double kDescentTolerance = 1e-2;
constexpr double kCorrectionTolerance = 1e-3;
constexpr int kMostIterations = 300;
// Keeps a Gauss–Newton part definite.
constexpr double kLeastDamping = 1e-4;

double dot(const Matrix& a, const Matrix& b) { return a.cwiseProduct(b).sum(); }

// By conjugate gradients on products with the Hessian, the flat Laplacian as preconditioner.
class ProductModel final : public CurveModel {
 public:
  ProductModel(const Manifold& manifold, const Matrix& nodes, const FlatPreconditioner* before, Workspace& ws)
      : ws_(ws), products_(manifold.variation_products(nodes, ws)), flat_(manifold, nodes, ws, before) {}

  Step descent(double damping) override {
    const Matrix downhill = -products_->chord_gradient();
    const auto exact = [&](const Matrix& V) -> Matrix {
      if (damping == 0) return products_->hessian(V, ws_);
      return products_->hessian(V, ws_) + damping * products_->gauss_newton(V, ws_);
    };
    ConjugateGradientsResult step = solve(exact, downhill, kDescentTolerance);
    const bool is_exact = !step.negative_curvature;
    if (!is_exact) {
      const double size = 1 + std::max(damping, kLeastDamping);
      step = solve([&](const Matrix& V) -> Matrix { return size * products_->gauss_newton(V, ws_); }, downhill,
                   kDescentTolerance);
    }
    return {step.x, 0.5 * dot(downhill, step.x), is_exact};
  }

  Correction correction() override {
    const Matrix downhill = -products_->gradient();
    const auto hessian = [&](const Matrix& V) { return products_->hessian(V, ws_); };
    const ConjugateGradientsResult step = solve(hessian, downhill, kCorrectionTolerance);
    double decrement = std::abs(0.5 * dot(downhill, step.x));
    if (step.negative_curvature) {
      const auto gauss_newton = [&](const Matrix& V) { return products_->gauss_newton(V, ws_); };
      decrement = std::max(decrement, 0.5 * dot(downhill, solve(gauss_newton, downhill, kCorrectionTolerance).x));
    }
    return {step.x, decrement, !step.negative_curvature, false};
  }

  bool definite() override { return lowest().relative - lowest().relative_error > 0; }

  std::optional<Matrix> negative_mode() override {
    if (!(lowest().value < kNegativeEigenvalue)) return std::nullopt;
    // Of norm one in the metrics of its nodes, as an eigenvector of the whitened Hessian is.
    const double norm = std::sqrt(dot(lowest().mode, products_->metric(lowest().mode, ws_)));
    const auto chords = static_cast<double>(lowest().mode.cols() + 1);
    return lowest().mode * (std::sqrt(2 * products_->energy() * chords) / norm);
  }

  bool finite() const override { return products_->finite(); }
  double energy() const override { return products_->energy(); }
  const FlatPreconditioner& preconditioner() const { return flat_; }

 private:
  ConjugateGradientsResult solve(const std::function<Matrix(const Matrix&)>& A, const Matrix& B,
                                 double tolerance) const {
    return conjugate_gradients(A, [&](const Matrix& G) { return flat_.solve(G); }, B, {tolerance, kMostIterations});
  }

  const CurveSpectrum& lowest() {
    if (!lowest_) lowest_ = lowest_of_curve(*products_, flat_, ws_);
    return *lowest_;
  }

  Workspace& ws_;
  const std::unique_ptr<const VariationProducts> products_;
  const FlatPreconditioner flat_;
  std::optional<CurveSpectrum> lowest_;
};

}  // namespace

std::unique_ptr<CurveModel> make_product_model(const Manifold& manifold, const Matrix& nodes, const CurveModel* before,
                                               Workspace& ws) {
  const auto* known = dynamic_cast<const ProductModel*>(before);
  return std::make_unique<ProductModel>(manifold, nodes, known != nullptr ? &known->preconditioner() : nullptr, ws);
}

}  // namespace pullback
