// Where a space is looked at.
#pragma once

#include <optional>

#include "pullback/analysis/maps.h"
#include "pullback/base/export.h"
#include "pullback/base/statistics.h"
#include "pullback/manifold/data/data_region.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// Deviations of the data around the codes up to which a space is looked at.
inline constexpr double kInspectedMargin = 1;

// Rows of [low, high] for each coordinate, n×2: those of the codes and kInspectedMargin around them.
//   region: that of the data, where there are codes; `otherwise` is for every coordinate where there are none.
PULLBACK_EXPORT Matrix inspected_box(const OpenedSpace& space, const std::optional<DataRegion>& region,
                                     Interval otherwise);

// The same interval for every coordinate.
PULLBACK_EXPORT Matrix uniform_box(int dimension, Interval interval);

// Points of a box (n×2), n×K: a grid of `grid` a side in one and two dimensions; in more, where a grid would miss
// nearly everything, as many seeded random points.
PULLBACK_EXPORT Matrix box_points(const ConstMatrixRef& box, int grid);

// The plane of maps, n ≥ 2: latent space itself, or in more dimensions that of the codes' largest variance, or else of
// the first two coordinates through the middle of the box.
PULLBACK_EXPORT LatentPlane inspected_plane(const OpenedSpace& space, const std::optional<DataRegion>& region,
                                            const ConstMatrixRef& box);

}  // namespace pullback
