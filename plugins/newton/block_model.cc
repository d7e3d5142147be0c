#include <algorithm>
#include <cmath>
#include <utility>

#include "pullback/manifold/numerics/whitening.h"
#include "pullback/plugins/newton/curve_model.h"
#include "pullback/plugins/newton/hessian_models.h"

namespace pullback {
namespace {

// Keeps a projected Hessian definite.
constexpr double kProjectedDamping = 1e-4;
// Of the step for the smooth gradient: to this fraction of itself, as long as each refinement is smaller than this
// fraction of the one before.
constexpr double kRefined = 1e-3;
constexpr double kRefining = 0.7;
constexpr int kMostRefinements = 6;

double dot(const Matrix& a, const Matrix& b) { return a.cwiseProduct(b).sum(); }

struct Model {
  BlockTridiagonalFactor factor;
  bool exact;  // the Hessian itself, damped
};

// H + damping G, or where that is not positive definite its chords' projections.
Model positive_model(const BlockTridiagonal& H, double damping) {
  BlockTridiagonalFactor factor =
      damping > 0 ? BlockTridiagonalFactor(sum(H, damping, gauss_newton_part(H))) : BlockTridiagonalFactor(H);
  if (factor.positive_definite()) return {std::move(factor), true};
  return {BlockTridiagonalFactor(sum(projected(H), std::max(damping, kProjectedDamping), gauss_newton_part(H))), false};
}

// By the block-tridiagonal Hessian in whitened coordinates, z_i ← z_i + R_i⁻¹ δ_i.
class BlockModel final : public CurveModel {
 public:
  BlockModel(const Manifold& manifold, const Matrix& nodes, Workspace& ws) : variation_(manifold.variation(nodes, ws)) {
    floor_diagonal(variation_.factor);
  }

  Step descent(double damping) override {
    const Model model = positive_model(variation_.hessian, damping);
    const Matrix step = -model.factor.solve(variation_.chord_gradient);
    return {latent(step), -0.5 * dot(variation_.chord_gradient, step), model.exact};
  }

  Correction correction() override {
    const BlockTridiagonalFactor& factor = exact_factor();
    const Matrix& gradient = variation_.gradient;
    Matrix step = -factor.solve(gradient);
    refine(factor, gradient, step);
    double decrement = std::abs(0.5 * dot(gradient, step));
    if (!factor.positive_definite()) {
      // Positive and negative curvatures may cancel one another in it.
      const BlockTridiagonalFactor flat(gauss_newton_part(variation_.hessian));
      decrement = std::max(decrement, 0.5 * dot(gradient, flat.solve(gradient)));
    }
    return {latent(step), decrement, factor.positive_definite(), variation_.coupling.known()};
  }

  bool definite() override { return exact_factor().positive_definite(); }

  std::optional<Matrix> negative_mode() override {
    const BlockTridiagonal& H = variation_.hessian;
    const double chords = H.blocks() + 1;
    const double lambda = smallest_eigenvalue(H);
    if (!(chords * lambda < kNegativeEigenvalue)) return std::nullopt;
    return latent(lowest_mode(H, lambda) * std::sqrt(2 * variation_.energy * chords));
  }

  bool finite() const override {
    return std::isfinite(variation_.energy) && variation_.gradient.allFinite() &&
           variation_.hessian.diagonal.allFinite() && variation_.hessian.upper.allFinite();
  }

  double energy() const override { return variation_.energy; }

 private:
  // Solves S δ = −g, S the derivative of that gradient itself, instead of H δ = −g: by H⁻¹ on what is left.
  void refine(const BlockTridiagonalFactor& factor, const Matrix& gradient, Matrix& step) const {
    if (!variation_.coupling.known()) return;
    double before = step.norm();
    for (int k = 0; k < kMostRefinements; ++k) {
      const Matrix change = factor.solve(gradient + smooth_derivative(step));
      const double size = change.norm();
      if (!(size < kRefining * before)) return;
      step -= change;
      if (size < kRefined * step.norm()) return;
      before = size;
    }
  }

  // S δ: the curvature of the map stands on the diagonal of both S and H.
  Matrix smooth_derivative(const Matrix& step) const {
    const auto flat = 2 * static_cast<double>(step.cols() + 1);
    Matrix out = variation_.coupling.times(step) - flat * step;
    for (int i = 0; i < variation_.hessian.blocks(); ++i) {
      out.col(i).noalias() += variation_.hessian.diagonal_block(i) * step.col(i);
    }
    return out;
  }

  const BlockTridiagonalFactor& exact_factor() {
    if (!exact_factor_) exact_factor_.emplace(variation_.hessian);
    return *exact_factor_;
  }

  // R_i⁻¹ δ_i.
  Matrix latent(const Matrix& step) const {
    const Eigen::Index n = step.rows();
    Matrix out(n, step.cols());
    for (Eigen::Index i = 0; i < step.cols(); ++i) {
      out.col(i) = variation_.factor.middleCols(n * (i + 1), n).triangularView<Eigen::Upper>().solve(step.col(i));
    }
    return out;
  }

  Variation variation_;
  std::optional<BlockTridiagonalFactor> exact_factor_;
};

}  // namespace

std::unique_ptr<CurveModel> make_block_model(const Manifold& manifold, const Matrix& nodes, Workspace& ws) {
  return std::make_unique<BlockModel>(manifold, nodes, ws);
}

std::unique_ptr<CurveModel> make_curve_model(const Manifold& manifold, const Matrix& nodes, const CurveModel* before,
                                             Workspace& ws) {
  return manifold.prefers_products() ? make_product_model(manifold, nodes, before, ws)
                                     : make_block_model(manifold, nodes, ws);
}

}  // namespace pullback
