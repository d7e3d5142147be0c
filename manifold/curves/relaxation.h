// A few descent steps on a curve, before something better takes over.
#pragma once

#include <functional>

#include "pullback/base/export.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

struct PULLBACK_EXPORT RelaxationOptions {
  int chords = 32;
  int iterations = 30;
  // Stop when a step promises to lower the energy by at most this fraction.
  double worthwhile = 1e-3;
  std::function<bool()> should_stop = {};  // asked before every step; empty: never
  // Called with the curve after every step, so that it can be used if the rest is not finished; may be empty.
  std::function<void(Curve)> keep = {};
};

// The curve made shorter by Gauss–Newton steps on the energy of its chords (Manifold::segments), each halved until the
// energy falls, and returned at constant speed. A curve from which no step is worthwhile comes back as it was, at
// constant speed, in twice as many pieces as there are chords.
//
// Errors: std::invalid_argument for fewer than two chords. Undefined for an empty curve.
// Cost: chords+1 Jacobians an iteration, as many values a trial. Thread safety: one workspace per thread.
PULLBACK_EXPORT Curve relaxed(const Manifold& manifold, const Curve& curve, const RelaxationOptions& options,
                              Workspace& ws);

}  // namespace pullback
