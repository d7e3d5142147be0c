// Where a model's geodesics run: at the data, or far away from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pullback/cli/session.h"
#include "pullback/manifold/data_region.h"
#include "pullback/solvers/result.h"
#include "pullback/solvers/solver.h"

namespace pullback::cli {

// A geodesic between two codes. Metrics that collapse make detours far from all data look short.
struct GeodesicPlace {
  std::string pair;  // its name
  Termination termination = Termination::kNumericalFailure;
  double length = 0;
  CurveInRegion geodesic;  // of the curve found; all 0 without one
  CurveInRegion straight;  // of the straight line between the same codes
};

// `count` pairs of codes as `compare` chooses them. Ends early when interrupted, with those that were finished.
std::vector<GeodesicPlace> place_geodesics(const OpenedSpace& space, const DataRegion& region,
                                           const GeodesicSolver& solver, int count, std::uint64_t seed,
                                           double time_limit, int threads);

// What of it deserves a sentence: geodesics that leave the data's region for farther than the codes do.
std::vector<std::string> findings(const std::vector<GeodesicPlace>& places, const DataRegion& region);

}  // namespace pullback::cli
