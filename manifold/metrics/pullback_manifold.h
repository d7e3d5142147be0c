// The metric that a generator pulls back from a Euclidean ambient space.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// M(z) = J(z)ᵀJ(z), with d(a, b) = ‖f(b) − f(a)‖ for chords.
//
// The geodesic acceleration solves J a = −d²f[v,v] in the least-squares sense by a rank-revealing QR of J, never
// through JᵀJ.  Cost: acceleration one Jacobian and one second derivative per point. Errors: std::invalid_argument for
// a null generator.
class PULLBACK_EXPORT PullbackManifold : public Manifold {
 public:
  explicit PullbackManifold(std::shared_ptr<const Generator> generator);

 private:
  void do_metric(const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) const override;
  void do_factor(const ConstMatrixRef& Z, MatrixRef R, Workspace& ws) const override;
  void do_acceleration(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const override;
  void do_chords(const ConstMatrixRef& Z, VectorRef d, Workspace& ws) const override;
  void do_segments(const ConstMatrixRef& Z, HessianModel model, MatrixRef R, MatrixRef residual, MatrixRef jacobian,
                   Workspace& ws) const override;
  Variation do_variation(const ConstMatrixRef& Z, Workspace& ws) const override;
};

}  // namespace pullback
