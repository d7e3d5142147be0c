// The energy of chords √(dᵀG(x)d), d = x_b − x_a, x on the chord, to second order.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/manifold.h"
#include "pullback/manifold/metrics/metric_field.h"

namespace pullback {

// Where on a chord its metric is taken, as a share of the way from a to b, and with what weight.
struct PULLBACK_EXPORT ChordPlace {
  double share;
  double weight;
};
constexpr ChordPlace kMiddle{0.5, 1};

// What the metric at one place of each of K chords says along m directions U a chord:
//
//   q = dᵀGd,  F = UᵀGU,  f = UᵀGd,  D(k,l) = u_kᵀ dG[u_l] d,  g(l) = dᵀ dG[u_l] d,  C(k,l) = dᵀ d²G[u_k,u_l] d.
//
// Shapes: F, D, C: m×(mK).  f, g: m×K.  q: K.  C is empty where it was not asked for.
// Undefined: NaN where the metric is not finite. Cost: K metrics with first derivatives, and second ones where C is
// asked for. Thread safety: one workspace per thread.
struct PULLBACK_EXPORT ChordForms {
  Vector q;
  Matrix F;
  Matrix f;
  Matrix D;
  Matrix g;
  Matrix C;
};

// `points` and `chords`: N×K.  U: N×(mK).
PULLBACK_EXPORT ChordForms chord_forms(const MetricField& metric, const ConstMatrixRef& points,
                                       const ConstMatrixRef& chords, const ConstMatrixRef& U, bool second,
                                       Workspace& ws);

// Gradient and Hessian of e = ½ K w q of chord i, in the coordinates of its ends, p each, which move them along U by Sa
// α and Sb β.
//   Sa, Sb: m×p.  returns 2p and 2p×2p.  `first_order`: the Hessian without derivatives of G.
PULLBACK_EXPORT Vector chord_gradient(const ChordForms& forms, Eigen::Index i, const Matrix& Sa, const Matrix& Sb,
                                      ChordPlace place, double K);
PULLBACK_EXPORT Matrix chord_hessian(const ChordForms& forms, Eigen::Index i, const Matrix& Sa, const Matrix& Sb,
                                     ChordPlace place, double K, bool first_order);

// Adds the gradient and Hessian of the chord from node i to i+1, in the whitened coordinates of both, to those of the
// interior nodes.
PULLBACK_EXPORT void add_chord(const Vector& gradient, const Matrix& hessian, Eigen::Index i, Variation& out);

// Gradient of the smooth energy ½∫ẋᵀGẋ at the interior nodes of a discrete curve, to O(K⁻⁴): −1/K of the covariant
// acceleration, Uᵀ(Gẍ + dG[ẋ]ẋ − ½∇(ẋᵀGẋ)), by differences of fourth order along the curve.
//   X: N×(K+1), K ≥ 6.  U: N×n(K+1), n directions a node.  returns n×(K−1).
PULLBACK_EXPORT Matrix smooth_gradient(const MetricField& metric, const ConstMatrixRef& X, const ConstMatrixRef& U,
                                       Workspace& ws);

}  // namespace pullback
