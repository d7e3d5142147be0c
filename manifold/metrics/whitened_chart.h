// Charts in which the mean metric along a curve is the identity.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"
#include "pullback/manifold/metrics/affine_chart.h"

namespace pullback {

// Upper triangular W with WᵀW the mean of M over the points, n×K (by a QR of the stack of factors, so that κ is not
// squared), never singular: where the metric vanishes in a direction, that direction keeps a small scale. The identity
// where the metric is finite at none of the points. Distances ‖W(a − b)‖ do not depend on the chart.
//
// Cost: K factors.
PULLBACK_EXPORT Matrix mean_factor(const Manifold& manifold, const ConstMatrixRef& points, Workspace& ws);

// The same over 33 points of the curve at times uniform in t. Cost: 33 factors.
PULLBACK_EXPORT Matrix mean_factor(const Manifold& manifold, const Curve& curve, Workspace& ws);

// y = W (z − z_0), WᵀW = mean of M(c(t)), z_0 = c(0): the problem as seen in coordinates whose units are lengths, so
// that neither scale, shear nor κ(J) of the latent axes matters to what is computed in them.
//
//   Y, V, A: n×K in the chart; Z: n×K in the manifold's own.  W, R: upper triangular.
// Undefined where no metric along the curve is finite: W is the identity there.
// Errors: std::invalid_argument for a null manifold or wrong shapes. Cost: 33 factors to make one; then what the
// manifold's methods cost. Thread safety: const methods, one workspace per thread.
class PULLBACK_EXPORT WhitenedChart {
 public:
  WhitenedChart(std::shared_ptr<const Manifold> manifold, const Curve& curve, Workspace& ws);
  // By the metric at one point, which becomes the origin; a single factor. For what must not rely on derivatives
  // elsewhere.
  WhitenedChart(std::shared_ptr<const Manifold> manifold, const Vector& origin, Workspace& ws);

  int dimension() const { return manifold_->dimension(); }
  const Matrix& whitening() const { return whitening_; }  // W
  const Vector& origin() const { return origin_; }        // z_0
  Matrix inverse() const;                                 // W⁻¹, upper triangular

  // The manifold itself as seen in the chart.
  std::shared_ptr<const AffineChart> manifold() const;

  Curve to_chart(const Curve& curve) const;
  Matrix to_chart(const ConstMatrixRef& Z) const;
  Matrix from_chart(const ConstMatrixRef& Y) const;
  // The curve in the manifold's own chart, with exactly these ends.
  Curve from_chart(const Curve& curve, const ConstVectorRef& from, const ConstVectorRef& to) const;

  // Geodesic accelerations, in batches.
  void acceleration(const ConstMatrixRef& Y, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const;
  // n×nK, upper triangular blocks R with ‖R v‖ the length of a vector v of the chart, with a floor under the diagonal
  // as in floor_diagonal().
  Matrix factor(const ConstMatrixRef& Y, Workspace& ws) const;
  // By how much the pieces of a curve in the chart fail the geodesic equation: root mean square of ‖c̈ − a(c, ċ)‖_M over
  // each piece, by Lobatto quadrature of five points, for a quintic curve, on which it vanishes at the nodes.
  // Cost: 3 accelerations and factors a piece.
  Vector residuals(const Curve& curve, Workspace& ws) const;
  // How far rounding of the coordinates z moves a point of the curve, as a length: 1e-16 of the curve's extent in a
  // chart that fits it, more in one that is sheared. 0 for the chart of one point.
  double rounding() const { return rounding_; }

 private:
  std::shared_ptr<const Manifold> manifold_;
  Vector origin_;
  Matrix whitening_;
  double rounding_ = 0;
};

}  // namespace pullback
