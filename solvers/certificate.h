// Measuring a curve, and judging what a solver claims of it.
#pragma once

#include <string>

#include "pullback/manifold/manifold.h"
#include "pullback/solvers/result.h"

namespace pullback {

// What the judgement allows. A claim of convergence is refuted when the certificate is outside.
struct CertificateLimits {
  // Converged only when excess ≤ this: the curve is longer than the geodesic nearby by at most this fraction.
  double excess = 2e-7;
  // The second variation is measured with chords between which the curve turns by at most this (radians), where it is
  // smooth, and with twice as many, until both agree.
  double turning = 0.1;
  // A second variation that, less its error, is above this (in units of the flat one, π²) is positive; else it is not
  // certain.
  double second_variation = 1e-7;
  // The ambient length and ∫√(ċᵀMċ) may differ by this fraction.
  double metric_length = 1e-3;
  // σ_min below this fraction of the largest σ on the curve is numerically singular.
  double singular = 1e-13;
};

// Measures a curve that should join `from` to `to`.
//
// Cost: see solver.h. Thread safety: one workspace per thread.
Certificate measure_certificate(const Manifold& manifold, const Curve& curve, const ConstVectorRef& from,
                                const ConstVectorRef& to, Workspace& ws, const CertificateLimits& limits = {});

struct Verdict {
  Termination termination;
  std::string message;
};

// The claim where the certificate supports it, otherwise what the certificate says instead.
Verdict judge(const Certificate& certificate, Termination claim, const std::string& message,
              const CertificateLimits& limits = {});

}  // namespace pullback
