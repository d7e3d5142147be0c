// The affine chart in which the mean metric along a curve is the identity.
#pragma once

#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// y = W (z − z_0), WᵀW = mean of M(c(t)), z_0 = c(0): the problem as seen in coordinates whose units are lengths, so
// that neither scale, shear nor κ(J) of the latent axes matters to what is computed in them.
//
//   Y, V, A: n×K in the chart; Z: n×K in the manifold's own.  W, R: upper triangular.
// Undefined where no metric along the curve is finite: W is the identity there.
// Errors: std::invalid_argument for wrong shapes. Cost: 33 factors to make one; then what the manifold's methods cost.
// Thread safety: const methods, one workspace per thread. The manifold must outlive the chart.
class MeanChart {
 public:
  MeanChart(const Manifold& manifold, const Curve& curve, Workspace& ws);

  int dimension() const { return manifold_.dimension(); }
  const Matrix& whitening() const { return whitening_; }  // W

  Curve whiten(const Curve& curve) const;
  Matrix whiten(const ConstMatrixRef& Z) const;
  Matrix unwhiten(const ConstMatrixRef& Y) const;
  // The curve in the manifold's own chart, with exactly these ends.
  Curve unwhiten(const Curve& curve, const ConstVectorRef& from, const ConstVectorRef& to) const;

  // Geodesic accelerations, in batches.
  void acceleration(const ConstMatrixRef& Y, const ConstMatrixRef& V, MatrixRef A, Workspace& ws) const;
  // n×nK, upper triangular blocks R with ‖R v‖ the length of a vector v of the chart, with a floor under the diagonal
  // as in floor_diagonal().
  Matrix factor(const ConstMatrixRef& Y, Workspace& ws) const;
  // By how much the pieces of a curve in the chart fail the geodesic equation: root mean square of ‖c̈ − a(c, ċ)‖_M over
  // each piece, by Lobatto quadrature of five points, for a quintic curve, on which it vanishes at the nodes.
  // Cost: 3 accelerations and factors a piece.
  Vector residuals(const Curve& curve, Workspace& ws) const;
  // What the rounding of the coordinates z moves a point of the curve by, as a length: 1e-16 of the curve's extent in
  // a chart that fits it, more in one that is sheared.
  double rounding() const { return rounding_; }

 private:
  const Manifold& manifold_;
  Vector origin_;
  Matrix whitening_;
  double rounding_ = 0;
};

}  // namespace pullback
