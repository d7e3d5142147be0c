#include "pullback/cli/inspect_geodesics.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "pullback/cli/batch.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/parallel.h"
#include "pullback/cli/statistics.h"
#include "pullback/cli/study.h"

namespace pullback::cli {

namespace {

// Deviations beyond the border of the data's region from which a geodesic is said to run far away.
constexpr double kFar = 3;

}  // namespace

std::vector<GeodesicPlace> place_geodesics(const OpenedSpace& space, const DataRegion& region,
                                           const GeodesicSolver& solver, int count, std::uint64_t seed,
                                           double time_limit, int threads) {
  const std::vector<StudyPair> pairs = choose_pairs(space, count, seed, {0, 1});
  std::vector<std::optional<GeodesicPlace>> finished(pairs.size());
  Progress progress(static_cast<int>(pairs.size()));
  run_jobs(static_cast<int>(pairs.size()), threads, [&](int i) {
    if (interrupted()) return;
    const StudyPair& pair = pairs[static_cast<std::size_t>(i)];
    const GeodesicProblem problem{space.manifold, pair.from, pair.to, {}, space.codes};
    const GeodesicResult result = solve_interruptibly(solver, problem, time_limit);
    if (result.termination == Termination::kStopped) return;
    GeodesicPlace place{pair.name, result.termination, result.certificate.length, {}, {}};
    if (result.curve.finite()) place.geodesic = locate(region, result.curve);
    place.straight = locate(region, Curve::straight(pair.from, pair.to));
    finished[static_cast<std::size_t>(i)] = std::move(place);
    progress.advance(pair.name);
  });
  std::vector<GeodesicPlace> places;
  for (auto& place : finished) {
    if (place) places.push_back(std::move(*place));
  }
  return places;
}

std::vector<std::string> findings(const std::vector<GeodesicPlace>& places, const DataRegion& region) {
  std::vector<double> far;
  for (const GeodesicPlace& place : places) {
    if (place.geodesic.farthest > region.radius() + kFar) far.push_back(place.geodesic.farthest);
  }
  if (far.empty()) return {};
  return {
      fmt::format("{} of {} geodesics between codes run more than {:g} standard deviations away from all data, the "
                  "farthest {:.3g}: lengths out there are those of an extrapolation.",
                  far.size(), places.size(), kFar, quantile(far, 1))};
}

}  // namespace pullback::cli
