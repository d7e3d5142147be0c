#include "pullback/analysis/geodesic_places.h"

#include <optional>
#include <utility>

#include "pullback/analysis/batch.h"
#include "pullback/analysis/parallel.h"

namespace pullback {

std::vector<GeodesicPlace> place_geodesics(const OpenedSpace& space, const DataRegion& region,
                                           const GeodesicSolver& solver, const std::vector<StudyPair>& pairs,
                                           double time_limit, const WorkControl& control, double accuracy) {
  std::vector<std::optional<GeodesicPlace>> finished(pairs.size());
  run_jobs(static_cast<int>(pairs.size()), control, [&](int i) {
    if (control.stopped()) return;
    const StudyPair& pair = pairs[static_cast<std::size_t>(i)];
    const GeodesicProblem problem{space.manifold, pair.from, pair.to, {}, space.codes};
    const GeodesicResult result = solve_interruptibly(solver, problem, time_limit, control.should_stop, accuracy);
    if (result.termination == Termination::kStopped) return;
    GeodesicPlace place{pair.name, result.termination, result.certificate.length, {}, {}};
    if (result.curve.finite()) place.geodesic = locate(region, result.curve);
    place.straight = locate(region, Curve::straight(pair.from, pair.to));
    finished[static_cast<std::size_t>(i)] = std::move(place);
    control.advance(pair.name);
  });
  std::vector<GeodesicPlace> places;
  for (auto& place : finished) {
    if (place) places.push_back(std::move(*place));
  }
  return places;
}

}  // namespace pullback
