// How much moving a curve aside would shorten it, by values of the length alone.
#pragma once

#include "pullback/base/export.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback::internal {

// The greatest part of its length by which bumps of one width shorten a curve. A bump moves
//
//   c(t) → c(t) + ε φ((t − m)/w) e,   φ(s) = (1 − |s|)²(1 + 2|s|) for |s| ≤ 1,
//
// in both senses of every direction e of a basis that is orthonormal in the metric at c(m) (of eight random ones where
// there are more). Widths w = 1/2, 1/4, … 1/128, middles a width apart. What a bump gains is the drop of the parabola
// through the three lengths at −ε, 0, ε, or the lower of both ends; gains of one width are added up. Nothing here
// trusts a second derivative or takes f to be smooth: lengths are refined over kinks, and no formula crosses them.
//
//   length: of the curve. returns a fraction of it; infinite where a length is not finite.
// Not tried: moves in more than eight directions, and finer or sharper ones.
// Cost: about 40,000 values and 4,000 factors in two dimensions, in proportion to the directions.
// Thread safety: one workspace per thread.
PULLBACK_EXPORT double shortening_by_bumps(const Manifold& manifold, const Curve& curve, double length, Workspace& ws);

}  // namespace pullback::internal
