// All lengths between points of a set.
#pragma once

#include <vector>

#include "pullback/analysis/batch.h"
#include "pullback/base/export.h"

namespace pullback {

// K×K and symmetric; a point is at distance 0 from itself, converged.
struct PULLBACK_EXPORT DistanceMatrix {
  Matrix lengths;                                      // of the curves found; NaN where there is none
  std::vector<std::vector<Termination>> terminations;  // [row][column]

  bool all_converged() const;
};

// Solves for the geodesics between all pairs of `points` (n×K), i < j. A length is that of a curve with those ends,
// whatever its termination, and so an upper bound of the distance.
// Errors: as solve_batch(). Cost: K(K−1)/2 solves.
PULLBACK_EXPORT DistanceMatrix distances(const Batch& batch, const ConstMatrixRef& points,
                                         const WorkControl& control = {});

}  // namespace pullback
