// The expected metric of a Gaussian process.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/generators/uncertain/gaussian_process.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// M(z) = E[JᵀJ] = JμᵀJμ + D Σ_J(z) for the random map f of a Gaussian process with D outputs, with
//
//   Σ_J = s² (diag(1/ℓ²) − JψᵀJψ),   ψ as in gaussian_process.h.
//
// Chords are d(a, b)² = E‖f(b) − f(a)‖² = ‖Δμ‖² − D s²‖Δψ‖² + 2 D s² (1 − k(a, b)), which is never negative; so a
// discrete curve's energy is the expected energy of the random polyline, and the whole is the pullback by a map into a
// Hilbert space. All derivatives are exact: those of μ and ψ, and those of the kernel.
//
// Near the data Σ_J is small and M that of the mean; far away Jμ and Jψ vanish, and M = D s² diag(1/ℓ²) is flat and
// large, where the mean alone would let distances vanish.
//
// generator() is null: the mean does not carry the metric.
// Errors: std::invalid_argument for a null process. Cost: that of the same evaluation of the embedding, of D + m
// outputs. Thread safety: as Manifold. Reference: as gaussian_process.h.
class PULLBACK_EXPORT GaussianProcessManifold final : public Manifold {
 public:
  explicit GaussianProcessManifold(std::shared_ptr<const GaussianProcess> process);

  const GaussianProcess& process() const { return *process_; }

 private:
  void do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const override;
  void do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const override;
  void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const override;
  void do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                   Workspace& ws) const override;
  Variation do_variation(const ConstMatrixRef& Z, Workspace& ws) const override;

  struct Nodes;

  Nodes evaluate(const ConstMatrixRef& Z, Workspace& ws) const;
  double chord_square(const Nodes& at, Eigen::Index i, Eigen::Index j) const;
  Vector force(const Nodes& at, Eigen::Index i, Eigen::Index j) const;
  Matrix coupling(const Nodes& at, Eigen::Index i, Eigen::Index j) const;
  Matrix whitened_curvature(const Nodes& at, const Matrix& R, Workspace& ws) const;

  std::shared_ptr<const GaussianProcess> process_;
  Matrix prior_;  // diag(1/ℓ²)
};

// The metric that a generator stands for: of a Gaussian process the expected one, of any other its pullback.
// Errors: std::invalid_argument for null.
PULLBACK_EXPORT std::shared_ptr<const Manifold> expected_manifold(std::shared_ptr<const Generator> generator);

}  // namespace pullback
