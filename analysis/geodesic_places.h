// Where a model's geodesics run: at the data, or far away from them.
#pragma once

#include <string>
#include <vector>

#include "pullback/analysis/study_pairs.h"
#include "pullback/analysis/work_control.h"
#include "pullback/base/export.h"
#include "pullback/manifold/data/data_region.h"
#include "pullback/solvers/result.h"
#include "pullback/solvers/solver.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

// A geodesic between two codes. Metrics that collapse make detours far from all data look short.
struct PULLBACK_EXPORT GeodesicPlace {
  std::string pair;  // its name
  Termination termination = Termination::kNumericalFailure;
  double length = 0;
  CurveInRegion geodesic;  // of the curve found; all 0 without one
  CurveInRegion straight;  // of the straight line between the same codes
};

// Solves for the pairs, of codes as choose_pairs() draws them, and says where the curves run. `time_limit`: seconds for
// each solve; 0: none. `accuracy`: relative, of the lengths. Ends early when stopped, with those that were finished.
// Cost: a solve for each pair.
PULLBACK_EXPORT std::vector<GeodesicPlace> place_geodesics(const OpenedSpace& space, const DataRegion& region,
                                                           const GeodesicSolver& solver,
                                                           const std::vector<StudyPair>& pairs, double time_limit,
                                                           const WorkControl& control = {}, double accuracy = 1e-6);

}  // namespace pullback
