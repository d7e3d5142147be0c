// Maps and points of pictures in JSON.
#pragma once

#include <string>

#include "pullback/analysis/maps.h"
#include "pullback/cli/json_view.h"

namespace pullback::cli {

// {"x": [lo, hi], "y": [lo, hi], "grid", "magnification": […], "condition": […], "distance": […]}, null where not
// finite.
Json as_json(const Maps& maps);

// The same for a file that holds many: each field as {"low", "high", "bytes"}, base64 of one byte a point, 0 where not
// finite, otherwise 1 to 255 for values from low to high, which are the 0.5 % and 99.5 % quantiles.
Json as_small_json(const Maps& maps);

// Points (2×K) in a rectangle as base64 of two bytes each, 0 to 255 from side to side.
std::string small_points(const LatentPlane& plane, const ConstMatrixRef& coordinates);

// Points (2×K) as [[x, y], …] with as many digits as a picture shows.
Json points_json(const ConstMatrixRef& points);

}  // namespace pullback::cli
