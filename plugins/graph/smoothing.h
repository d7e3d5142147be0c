// From a path with corners to a curve.
#pragma once

#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// A curve of `pieces` pieces from the first to the last column of the path: the polyline resampled at constant speed,
// its corners cut by averaging neighbours as long as that makes it shorter.
//
// Cost: some tens of values per piece.
Curve smoothed_path(const Manifold& manifold, const ConstMatrixRef& path, int pieces, int subdivisions, Workspace& ws);

}  // namespace pullback
