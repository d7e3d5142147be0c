// Metrics that are given directly, and pullbacks of a curved ambient metric.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "pullback/manifold/manifold.h"

namespace pullback {

// A metric M(z) given by its values: Fisher–Rao metrics, the hyperbolic half-plane, a metric learned elsewhere.
//
// M must be symmetric positive (semi)definite and twice differentiable. Its derivatives are central differences of
// fourth order, accurate to about 1e-10 relative; a discrete curve's Hessian is a difference of its gradient.
//   c̈ = −M⁻¹(Ṁ v − ½ ∇(vᵀMv)),  Ṁ = dM[v].
// Errors: std::invalid_argument for a null function or a dimension below 1; a function's own exceptions pass through.
// Cost: acceleration 4n metrics.
class MetricManifold : public Manifold {
 public:
  // M: n×(nK) from Z: n×K, called with several points at a time; safe from several threads.
  using MetricFunction = std::function<void(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws)>;

  MetricManifold(int dimension, std::string name, MetricFunction metric);

 protected:
  MetricManifold(int dimension, std::string name, bool smooth, std::shared_ptr<const Generator> generator,
                 MetricFunction metric);

 private:
  void do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const override;
  void do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const override;
  void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const override;
  void do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                   Workspace& ws) const override;
  Variation do_variation(const ConstMatrixRef& Z, Workspace& ws) const override;

  // dM/dz_k for every k: n×(n·n·K), block (point, k).
  void metric_derivatives(const ConstMatrixRef& Z, MatrixRef dM, Workspace& ws) const;
  // Gradient at every node, n×(K+1) and not whitened, of the sum of the energies of all chords that join a node to the
  // stride-th after it, each as part of a curve of K/stride chords.
  Matrix discrete_gradient(const ConstMatrixRef& Z, Eigen::Index stride, Workspace& ws) const;

  MetricFunction metric_;
};

// The pullback M(z) = JᵀG(f(z))J of an ambient metric G, with chords √(dᵀG(m)d), d = f(b) − f(a), m the mean of both.
//
// G: N×N symmetric positive definite matrix from x: N.
// Errors: std::invalid_argument for a null generator or function, or when G's size does not match.
class AmbientPullback : public MetricManifold {
 public:
  using AmbientMetric = std::function<Matrix(const ConstVectorRef& x)>;

  AmbientPullback(std::shared_ptr<const Generator> generator, AmbientMetric ambient);

 private:
  void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const override;

  AmbientMetric ambient_;
};

// The hyperbolic half-plane, M = I/y² for z = (x, y), y > 0; NaN below.
std::shared_ptr<const Manifold> half_plane();

}  // namespace pullback
