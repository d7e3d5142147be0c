// Parallel transport along curves.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

struct PULLBACK_EXPORT Transported {
  Vector vector;     // at the end of the curve
  double error = 0;  // estimated error in the metric there, relative to the length of the vector
};

// The vector v at c(0) transported to c(1): V̇ = −Γ(ċ, V), V(0) = v, with
//
//   Γ(u, w) = ¼ (a(z, u − w) − a(z, u + w)),   a(z, v) = −Γ(v, v) the geodesic acceleration,
//
// which is the polarisation of what every manifold offers. Classical Runge–Kutta steps of fourth order within the
// pieces of the curve, halved until the result changes by at most `tolerance`, then extrapolated. The curve need not be
// a geodesic: along a closed curve this gives the holonomy.
//
//   v: n.  Undefined where the metric is singular on the curve: the result is NaN there, and its error infinite.
// Where the manifold has kinks there is no Γ: nodes of the curve are joined by Schild's ladder (discrete_transport),
// second order in the chords; where it does not settle, as over a sharp fold, the result is NaN as well.
// Errors: std::invalid_argument for wrong sizes or an empty curve.
// Cost: 8 accelerations a step, at least two steps a piece.  Thread safety: one workspace per thread.
PULLBACK_EXPORT Transported parallel_transport(const Manifold& manifold, const Curve& curve, const ConstVectorRef& v,
                                               Workspace& ws, double tolerance = 1e-10);

}  // namespace pullback
