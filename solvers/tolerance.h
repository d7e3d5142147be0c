// What the accuracy asked for means for a solver's own tolerances.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// Of what a tolerance is a bound.
enum class ToleranceKind {
  kExcess,   // of a fraction of the length or of the energy: falls with the accuracy
  kResidual  // of an error whose square the length feels (a residual, a miss): falls with its root
};

// The tolerance that an option of a solver stands for:
//
//   `option` where it is positive, otherwise usual · (accuracy / 1e-6)^p, p = 1 or ½, and no less than 1e-14,
// below which sums are rounding. `usual` is exactly what an accuracy of 1e-6, the default, gives.
PULLBACK_EXPORT double tolerance_for(double option, double usual, ToleranceKind kind, const SolveContext& context);

}  // namespace pullback
