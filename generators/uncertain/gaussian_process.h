// Gaussian processes as generators.
#pragma once

#include <memory>
#include <string>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator.h"
#include "pullback/generators/uncertain/radial_network.h"

namespace pullback {

// What a Gaussian process was conditioned on: m observations of D outputs with one kernel,
//
//   y_d ~ N(offset_d, s²K + ν²I),  K_ij = k(x_i, x_j) = exp(−½ Σ_a (x_ia − x_ja)²/ℓ_a²).
struct PULLBACK_EXPORT GaussianProcessData {
  Matrix inputs;               // x, n×m
  Matrix outputs;              // y, D×m
  Vector offset = {};          // D: the mean far away from all inputs; empty: zero
  Vector lengths;              // ℓ, n, positive
  double signal_variance = 1;  // s²
  double noise_variance = 0;   // ν²
};

// The random map f with D independent outputs, given its observations. As a Generator it is its posterior mean
//
//   μ(z) = offset + Y (K + ν²/s²)⁻¹ k(X, z),
//
// but the mean alone knows nothing of its uncertainty: far from the data its Jacobian vanishes. The expected metric is
// that of GaussianProcessManifold (manifold/metrics/gaussian_process_manifold.h), made from
//
//   e(z) = (μ(z), √D s ψ(z)),  ψ(z) = L⁻¹ k(X, z),  LLᵀ = K + ν²/s²,
//
// as D times the covariance of a row of J, s²(diag(1/ℓ²) − JψᵀJψ), is the difference of a constant and a pullback.
//
// traits().stochastic is true. Errors: std::invalid_argument for shapes that do not fit one another, numbers that are
// not finite, lengths or a signal variance that are not positive, a negative noise variance, and inputs that coincide
// without noise, so that K has no Cholesky factor.
// Cost: as RadialNetwork with m centres and D outputs (the embedding: D + m); construction O(m³ + Dm²).
// Reference: Tosi, Hauberg, Vellido and Lawrence, Metrics for probabilistic geometries, UAI 2014; Hauberg, Only Bayes
// should learn a manifold, arXiv 1806.04994.
class PULLBACK_EXPORT GaussianProcess final : public Generator {
 public:
  explicit GaussianProcess(GaussianProcessData data, std::string name = "gaussian process");

  const GaussianProcessData& data() const { return data_; }
  // e, of D + m outputs.
  const std::shared_ptr<const Generator>& embedding() const { return embedding_; }
  // D s²: the variance of all outputs together where nothing is known.
  double prior_variance() const { return static_cast<double>(ambient_dimension()) * data_.signal_variance; }

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override;
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override;
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& ws) const override;
  void do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const override;
  void do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace& ws) const override;
  void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                       Workspace& ws) const override;

  GaussianProcessData data_;
  std::shared_ptr<const Generator> mean_;
  std::shared_ptr<const Generator> embedding_;
};

// Logarithm of the marginal likelihood of centred outputs with the signal variance that makes it largest,
//
//   s² = tr(Yᵀ(K + ρI)⁻¹Y)/(mD),   L = −½ mD (log(2πs²) + 1) − ½ D log det(K + ρI),
//
// ρ = ν²/s² being the ratio of noise to signal. Errors as GaussianProcess. Cost: O(m³ + Dm²).
struct PULLBACK_EXPORT MarginalLikelihood {
  double logarithm;
  double signal_variance;
};
PULLBACK_EXPORT MarginalLikelihood marginal_likelihood(const ConstMatrixRef& inputs, const ConstMatrixRef& outputs,
                                                       const ConstVectorRef& lengths, double noise_ratio);

}  // namespace pullback
