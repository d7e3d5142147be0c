// Pullbacks of a curved ambient metric.
#pragma once

#include <functional>
#include <memory>

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"
#include "pullback/manifold/metrics/metric_field.h"

namespace pullback {

// The pullback M(z) = JᵀG(f(z))J of an ambient metric G, with chords √(dᵀG(m)d), d = f(b) − f(a), m the mean of both.
//
//   M a = −Jᵀ(G d²f[v,v] + dG[ẋ]ẋ − ½∇(ẋᵀGẋ)),  ẋ = Jv.
//
// As exact as the generator and G: a G of a functor (metric_field, frame_field in metric_functor.h) is differentiated
// exactly, one of numbers by differences along the directions that matter, n of N, whose error acceleration_error()
// gives.
// Errors: std::invalid_argument for a null generator, field or function, or when G's size is not N×N (of a function: at
// evaluation). Cost: a factor one Jacobian and one G. A variation n(n+1)/2 second derivatives of f a node, and for each
// chord first derivatives of G along 2n + n(n+1) directions and second ones along n(2n+1): meant for small n. A functor
// of an N×N metric has N³ derivatives a point: meant for N up to about 100.
class PULLBACK_EXPORT AmbientPullback final : public Manifold {
 public:
  using AmbientMetric = std::function<Matrix(const ConstVectorRef& x)>;

  AmbientPullback(std::shared_ptr<const Generator> generator, std::shared_ptr<const MetricField> ambient);
  // Of numbers alone.
  AmbientPullback(std::shared_ptr<const Generator> generator, AmbientMetric ambient);

 private:
  struct Nodes;

  void do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const override;
  void do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const override;
  void do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const override;
  void do_acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e,
                             Workspace& ws) const override;
  void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const override;
  void do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                   Workspace& ws) const override;
  Variation do_variation(const ConstMatrixRef& Z, Workspace& ws) const override;

  // f, whitened frames and factors at the nodes.
  Nodes evaluate(const ConstMatrixRef& Z, Workspace& ws) const;
  // Factors of M from J, N×(nK), and x, N×K.
  void factors(const ConstMatrixRef& X, const ConstMatrixRef& J, MatrixRef R, Workspace& ws) const;
  // Accelerations of whitened velocities; returns what differences of G make of their error.
  Vector accelerations(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const;
  // d² of every chord, gradients 2n×K and Hessians 2n×(2nK) of its energy, whitened; `second`: with all derivatives.
  struct Chords {
    Vector squares;
    Matrix gradients;
    Matrix hessians;
  };
  Chords chord_models(const ConstMatrixRef& Z, const Nodes& at, bool second, Workspace& ws) const;
  // Adds what the second derivatives of f at the ends add to the Hessians.
  void add_curvature(const ConstMatrixRef& Z, const Nodes& at, Matrix& hessians, Workspace& ws) const;
  // The slopes of each chord's energy when its left, or its right end moves in ambient space: 2×K from N×(K+1).
  Matrix end_slopes(const Nodes& at, const Matrix& moves, Workspace& ws) const;

  std::shared_ptr<const MetricField> ambient_;
};

}  // namespace pullback
