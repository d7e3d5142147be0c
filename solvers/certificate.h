// Measuring a curve: everything that a claim of convergence is judged by (verdict.h).
#pragma once

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"
#include "pullback/solvers/result.h"

namespace pullback {

// What the judgement allows. A claim of convergence is refuted when the certificate is outside.
struct PULLBACK_EXPORT CertificateLimits {
  // Converged only when relative_excess ≤ this: the curve is longer than the geodesic nearby by at most this fraction.
  double relative_excess = 2e-7;
  // The second variation is measured on chords that turn by at most this angle (radians) from one to the next, where
  // the manifold is smooth, and on twice as many, until both values agree.
  double max_turning_angle = 0.1;
  // The second variation counts as positive if its value minus its error exceeds this, in units of the flat one, π².
  double second_variation = 1e-7;
  // Converged only when two numbers are at most this fraction of the length: its numerical error, and the difference
  // between the ambient length and ∫ √(ċᵀMċ) dt, summed over the parts.
  double accuracy = 1e-6;
  // Converged only when speed_variation ≤ this, where the manifold is smooth: a geodesic's speed is constant.
  double speed_variation = 0.1;
  // A point is numerically singular where σ_min is below this fraction of σ_max there, or σ_max below this fraction of
  // the curve's length divided by its extent in latent space.
  double singular = 1e-13;
};

// The limits under which the length of a curve that is called converged is right to this fraction of it: of the error
// of the length all of it is allowed, of the excess over the geodesic nearby a fifth. The default is that of 1e-6.
PULLBACK_EXPORT CertificateLimits limits_for(double accuracy);

// Measures a curve that should join `from` to `to`.
//
// Cost: see solver.h. Thread safety: one workspace per thread.
PULLBACK_EXPORT Certificate measure_certificate(const Manifold& manifold, const Curve& curve,
                                                const ConstVectorRef& from, const ConstVectorRef& to, Workspace& ws,
                                                const CertificateLimits& limits = {});

// The same into `out`, in stages: if an evaluation throws, what was measured before is there and the rest is NaN.
PULLBACK_EXPORT void measure_certificate(const Manifold& manifold, const Curve& curve, const ConstVectorRef& from,
                                         const ConstVectorRef& to, Workspace& ws, Certificate& out,
                                         const CertificateLimits& limits = {});

// A certificate of which nothing is measured: NaN, and not complete.
PULLBACK_EXPORT Certificate unmeasured_certificate();

}  // namespace pullback
