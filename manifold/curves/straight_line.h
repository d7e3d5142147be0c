// The straight line in latent space as a curve to start from.
#pragma once

#include "pullback/base/export.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// (1−t) a + t b. Where the scale of the chart changes by orders along it, as that of the hyperbolic half-plane does
// towards its boundary, it has 512 nodes at equal distances in the metric instead: nodes at equal steps of t would jump
// over nearly all of its length.
//
// Cost: five factors; where the scale changes up to 8,192 chords. Thread safety: one workspace per thread.
PULLBACK_EXPORT Curve straight_line(const Manifold& manifold, const ConstVectorRef& a, const ConstVectorRef& b,
                                    Workspace& ws);

}  // namespace pullback
