// Where two fronts meet.
#pragma once

#include <cstdint>
#include <vector>

#include "pullback/base/types.h"
#include "pullback/manifold/fields/metric_grid.h"

namespace pullback {

// A place halfway between both ends on a path that is shorter than those around it.
struct Meeting {
  std::int64_t node = 0;
  double length = 0;  // u_from + u_to
  double depth = 0;   // by how much a path must be longer to get from here to a deeper place; infinite for the deepest
};

// The minima of u_from + u_to along the nodes where u_from ≤ u_to and that have a neighbour where it is not, the
// deepest first. Minima whose depth is at most `least_depth` times the deepest one's length count as one.
//
//   from, to: values at the nodes of the box; infinite ones are left out.
// Cost: O(K + B log B) for B nodes where the fronts meet.
std::vector<Meeting> find_meetings(const BoxGrid& box, const Vector& from, const Vector& to, double least_depth);

}  // namespace pullback
