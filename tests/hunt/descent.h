// Whether a curve can be shortened by moving it a little, shown by a shorter curve.
#pragma once

#include "tests/hunt/path.h"

namespace pullback::hunt {

struct Descent {
  Real gain = 0;  // (L − L')/L of a shorter curve L' reached by moves that shorten all the way; measured, not estimated
  Real estimate = 0;      // of the same by first derivatives against the flat second variation
  Real softest = 1;       // smallest eigenvalue of the second variation over slow waves, in units of the flat one
  bool by_waves = false;  // found by a wave along the whole curve: a saddle
  long evaluations = 0;
};

// Looks for moves that shorten the path by more than `wanted` (relative): hats at all scales by their first
// derivatives, taken together as the flat Newton step, again and again; slow waves by their second derivatives. On maps
// that are not smooth by values alone. `arc` is the path's own.
Descent shorten(const Truth& truth, const Path& path, const Arc& arc, Real wanted);

}  // namespace pullback::hunt
