// Metrics that are given directly.
#pragma once

#include <memory>
#include <string>

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"
#include "pullback/manifold/metrics/metric_field.h"

namespace pullback {

// The manifold of a metric M(z) that is given directly: Fisher–Rao and hyperbolic metrics (named_metrics.h), one
// learned elsewhere. Its chords are the roots of the energy of chart lines, by Simpson's rule:
//
//   d(a, b)² = (δᵀM(a)δ + 4 δᵀM(m)δ + δᵀM(b)δ)/6,  δ = b − a,  m = (a+b)/2,
//   c̈ = −M⁻¹(Ṁ v − ½ ∇(vᵀMv)),  Ṁ = dM[v].
//
// The metric at the middle alone would say nothing of M near the ends: on the half-plane no chord would be longer than
// 2, whatever its ends, and coarse discrete curves would jump.
//
// From a functor (make_metric, metric_functor.h) everything is exact. Where only numbers are known, derivatives are
// differences with steps that suit the metric (metric_of_numbers), and acceleration_error() is their error.
// All derivatives are taken along directions of unit length in the metric, so that the scale of the chart does not
// matter. M must be symmetric positive (semi)definite and twice differentiable, or `smooth` be false.
//
// Errors: std::invalid_argument for a null field or function or a dimension below 1; a function's own exceptions pass
// through.
// Cost, in calls of the field: acceleration one first(); segments three first() a chord; with kProjectedNewton, and
// for a variation, three second() a chord besides.
class PULLBACK_EXPORT MetricManifold final : public Manifold {
 public:
  using MetricFunction = pullback::MetricFunction;

  MetricManifold(const std::string& name, std::shared_ptr<const MetricField> field, bool smooth = true);
  // Of numbers alone: M n×(nK) from Z n×K.
  MetricManifold(int dimension, const std::string& name, MetricFunction metric);

  const std::shared_ptr<const MetricField>& field() const { return field_; }

 private:
  void do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const override;
  void do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const override;
  void do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const override;
  void do_acceleration_error(const ConstMatrixRef& Z, const ConstMatrixRef& V, VectorRef e,
                             Workspace& ws) const override;
  void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const override;
  void do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                   Workspace& ws) const override;
  Variation do_variation(const ConstMatrixRef& Z, Workspace& ws) const override;

  // Accelerations whitened, α = R a, from whitened velocities ν; the error of dM.
  Vector whitened_acceleration(const ConstMatrixRef& Z, const Matrix& directions, const Matrix& velocities,
                               Matrix& accelerations, Workspace& ws) const;

  std::shared_ptr<const MetricField> field_;
};

// The hyperbolic half-plane, M = I/y² for z = (x, y), y > 0; NaN below. For y from 1e-150 to 1e150: beyond, derivatives
// or squares overflow. One of the named metrics (named_metrics.h).
PULLBACK_EXPORT std::shared_ptr<const Manifold> half_plane();

}  // namespace pullback
