// What a solver says of itself before it is made.
#pragma once

#include <limits>

#include "pullback/base/export.h"

namespace pullback {

struct PULLBACK_EXPORT SolverTraits {
  // Uses second derivatives of the generator, or of the metric: where there are none, differences stand in for them.
  bool needs_second_derivatives = false;
  // Minimises over kinks of the map; the geodesic equation does not see them.
  bool handles_kinks = false;
  int least_dimension = 1;
  int most_dimension = std::numeric_limits<int>::max();
  // Makes use of GeodesicProblem::points.
  bool uses_points = false;
  // Relative error of the length that it promises on smooth problems with its defaults; 0: it finds starts, and claims
  // no geodesic.
  double accuracy = 1e-6;

  bool claims_geodesics() const { return accuracy > 0; }
};

}  // namespace pullback
