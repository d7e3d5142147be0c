// Discrete geodesic calculus: geodesics, logarithm, exponential and parallel transport from chords.
#pragma once

#include <functional>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// All of it rests on the energy of a chord, W(a,b) = d(a,b)² (Manifold::chords). Three points are a discrete geodesic
// of two chords when the one in the middle balances them:
//
//   ∂₂W(a,p) + ∂₁W(p,b) = 0,
//
// with derivatives by differences of W of fourth order in p. Their steps are whitened by the metric at p, which sets
// their scale and nothing else: the answer comes from values of f alone. Points n, nodes n×(K+1). Undefined where W is
// not finite or the chords are so long that the iteration (a fixed point whose rate is the turn from chord to chord)
// does not settle: the result is NaN there.
// Cost: 16n values and a factor an iteration, 5 to 15 iterations. Errors: std::invalid_argument for fewer than two
// nodes or steps below 1. Thread safety: one workspace per thread. Known weakness: of first or second order in the
// length of the chords; exponential_flow is exact where f is smooth.
// Reference: Rumpf, Wirth (2015), doi:10.1093/imanum/dru027.

// b such that p is in the middle of a and b.
PULLBACK_EXPORT Vector discrete_extension(const Manifold& manifold, const ConstVectorRef& a, const ConstVectorRef& p,
                                          Workspace& ws);

// p in the middle of a and b, near the middle of the chart line.
PULLBACK_EXPORT Vector discrete_middle(const Manifold& manifold, const ConstVectorRef& a, const ConstVectorRef& b,
                                       Workspace& ws);

// The discrete geodesic z_0, z_1, …, z_steps that starts with the chord z_0, z_1: n×(steps+1). z_steps is
// exp_{z_0}(steps (z_1 − z_0)) to first order in the chords.
PULLBACK_EXPORT Matrix discrete_exponential(const Manifold& manifold, const ConstVectorRef& z0,
                                            const ConstVectorRef& z1, int steps, Workspace& ws);

// K (z_1 − z_0), the discrete logarithm at z_0 of the end of a discrete geodesic of K chords, to first order.
PULLBACK_EXPORT Vector discrete_logarithm(const ConstMatrixRef& geodesic);

// The tangent vector v at the first node transported along the nodes by parallelograms (Schild's ladder) whose sides
// are as long as the chords. Both v and −v are, and the half of their difference taken: second order in the chords.
PULLBACK_EXPORT Vector discrete_transport(const Manifold& manifold, const ConstMatrixRef& nodes,
                                          const ConstVectorRef& v, Workspace& ws);

struct PULLBACK_EXPORT DiscreteGeodesicOptions {
  // Stop when the path is too long by at most this fraction, ½ gᵀH⁻¹g ≤ tolerance · 2E.
  double tolerance = 1e-13;
  int max_iterations = 100;
  std::function<bool()> should_stop = {};  // asked before every step; empty: never
  // Called with the nodes after every step; may be empty.
  std::function<void(const Matrix& nodes)> keep = {};
};

struct PULLBACK_EXPORT DiscreteGeodesic {
  Matrix nodes;
  double energy = 0;  // E_K = ½ K Σ W
  int iterations = 0;
  bool settled = false;  // to the tolerance, or until rounding let no step lower the energy
};

// Minimises the path energy ½ K Σ W(z_i, z_{i+1}) between the ends of `nodes` (K ≥ 6) by damped Newton steps with the
// Hessian of Manifold::variation, without its second derivatives where it is indefinite.
// Cost: a variation an iteration (K+1 Jacobians, K−1 weighted Hessians), K+1 values a trial. With a generator of values
// alone (CallbackGenerator) these are differences of f.
PULLBACK_EXPORT DiscreteGeodesic discrete_geodesic(const Manifold& manifold, Matrix nodes,
                                                   const DiscreteGeodesicOptions& options, Workspace& ws);

}  // namespace pullback
