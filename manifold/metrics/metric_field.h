// A metric on Rⁿ with its derivatives along directions, which is what geodesics need of it.
#pragma once

#include <functional>
#include <memory>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/generators/generator.h"

namespace pullback {

// A field M(x) of symmetric positive (semi)definite matrices. Derivatives are taken along directions and multiplied by
// vectors, so that for directions of unit length no number is larger than M itself, whatever the scale of the chart:
//
//   F_k = Y_kᵀ M(x_k) Y_k,   B_kl = Y_kᵀ dM(x_k)[u_kl] Y_k,   C_k(a,b) = y_kᵀ d²M(x_k)[u_ka, u_kb] y_k.
//
// Shapes, for K points, m directions and r vectors a point: X: n×K.  U: n×(mK).  Y: n×(rK).  y: n×K.  M, R: n×(nK).
// F: r×(rK).  B: r×(rmK), block km+l being B_kl.  C: m×(mK).
// Undefined: derivatives where M has none. Nothing is checked but what a user's function returns; NaN propagates.
// Cost: counted in `metrics` of the workspace. Thread safety: const methods, one workspace per thread.
class PULLBACK_EXPORT MetricField {
 public:
  virtual ~MetricField() = default;
  MetricField(const MetricField&) = delete;
  MetricField& operator=(const MetricField&) = delete;

  int dimension() const { return dimension_; }
  // How first() and second() are obtained.
  Derivative derivatives() const { return derivatives_; }

  virtual void metric(const ConstMatrixRef& X, MatrixRef M, Workspace& ws) const = 0;
  // Upper triangular R with RᵀR = M and a diagonal ≥ 0.
  virtual void factor(const ConstMatrixRef& X, MatrixRef R, Workspace& ws) const;
  // d_k = √(v_kᵀ M(x_k) v_k).  V: n×K.  d: K.
  virtual void lengths(const ConstMatrixRef& X, const ConstMatrixRef& V, VectorRef d, Workspace& ws) const;
  // F and B. Returns for each point an estimate from above of the largest error ‖ΔB_kl‖ (Frobenius) that differences
  // made; 0 where derivatives are exact.
  virtual Vector first(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& Y, MatrixRef F,
                       MatrixRef B, Workspace& ws) const = 0;
  virtual void second(const ConstMatrixRef& X, const ConstMatrixRef& U, const ConstMatrixRef& y, MatrixRef C,
                      Workspace& ws) const = 0;

 protected:
  // Errors: std::invalid_argument for a dimension below 1.
  MetricField(int dimension, Derivative derivatives);

 private:
  int dimension_;
  Derivative derivatives_;
};

// What the numbers of a map stand for.
enum class MetricForm {
  kMetric,  // the n² entries of M, column by column
  kFrame    // the entries of a frame W, r×n with r of any size, column by column: M = WᵀW
};

// The metric whose entries, or whose frame's, are the outputs of a map: a functor that is differentiated exactly
// (metric_functor.h), or a network. Its derivatives are as exact as the map's.
//
// With a frame κ is not squared, and numbers twice as many orders of magnitude apart are within reach.
// Errors: std::invalid_argument for a null map, or one whose outputs are not n² (kMetric) or a multiple of n (kFrame).
// Cost: first() one Jacobian a point, second() m(m+1)/2 second derivatives and a Jacobian.
PULLBACK_EXPORT std::shared_ptr<const MetricField> metric_of_map(std::shared_ptr<const Generator> map, MetricForm form);

// The metric of which only numbers are known. Derivatives are differences along the directions asked for, extrapolated
// over three steps. The step starts at a small part of the direction and is made smaller, or larger where rounding is
// in the way, until the extrapolation agrees with itself: so it suits the scale on which the metric changes. Where the
// metric is NaN on one side, differences are taken on the other. What still disagrees is in the error that first()
// returns.
//
//   metric: M n×(nK) from X n×K, called with several points at a time; safe from several threads.
// Errors: std::invalid_argument for a null function; a function's own exceptions pass through.
// Cost: first() 6 metrics a direction, second() 6 m(m+1)/2, and one more; again as many for each step that is refused.
using MetricFunction = std::function<void(const ConstMatrixRef& X, MatrixRef M, Workspace& ws)>;
PULLBACK_EXPORT std::shared_ptr<const MetricField> metric_of_numbers(int dimension, MetricFunction metric);

// The mean of a field over shifted points, 1/s Σ_i M(x + o_i), differentiated term by term.
//   offsets: n×s, s ≥ 1.  Errors: std::invalid_argument for a null field or offsets that do not fit.
//   Cost: s times the field's.
PULLBACK_EXPORT std::shared_ptr<const MetricField> mean_field(std::shared_ptr<const MetricField> field, Matrix offsets);

}  // namespace pullback
