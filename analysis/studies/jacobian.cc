#include "pullback/analysis/studies/jacobian.h"

#include <algorithm>
#include <utility>

#include "pullback/analysis/batch.h"
#include "pullback/analysis/comparison.h"
#include "pullback/analysis/parallel.h"
#include "pullback/base/statistics.h"
#include "pullback/manifold/data/data_region.h"
#include "pullback/spaces/model_data.h"

namespace pullback {

namespace {

constexpr Eigen::Index kShownCodes = 300;  // enough to see where they are in a small map
constexpr double kMapMargin = 1;           // deviations around the codes
constexpr std::uint64_t kPairSeed = 1;

// The same pairs for every model of a latent dimension and codes, solved with every chain; nothing when interrupted.
std::optional<Study> solve_pairs(const LabelledSpace& model, const JacobianSettings& settings,
                                 const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
                                 const std::function<bool()>& should_stop) {
  Study study;
  study.solvers = settings.solvers;
  StudyPart part{model.space, choose_pairs(model.space, settings.pairs, kPairSeed, {0, 1}), {}};
  part.results.resize(part.pairs.size() * solvers.size());
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    const GeodesicProblem problem{part.space.manifold, part.pairs[i].from, part.pairs[i].to, {}, part.space.codes};
    for (std::size_t s = 0; s < solvers.size(); ++s) {
      GeodesicResult result =
          solve_interruptibly(*solvers[s], problem, settings.time_limit, should_stop, settings.accuracy);
      if (result.termination == Termination::kStopped) return std::nullopt;
      part.results[i * solvers.size() + s] = std::move(result);
    }
  }
  study.parts.push_back(std::move(part));
  return study;
}

// Where the shortest curve known for each pair runs.
CurvesInRegion where_geodesics_run(const Study& study, const DataRegion& region) {
  const StudyPart& part = study.parts.front();
  std::vector<double> inside;
  std::vector<double> farthest;
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    const GeodesicResult* best = nullptr;
    for (std::size_t s = 0; s < study.solvers.size(); ++s) {
      const auto& result = study.result(part, i, s);
      if (!result || !result->curve.finite()) continue;
      const bool better = best == nullptr || result->certificate.length < best->certificate.length;
      if (result->termination == Termination::kConverged && better) best = &*result;
    }
    if (best == nullptr) continue;
    const CurveInRegion found = locate(region, best->curve);
    inside.push_back(found.share_inside);
    farthest.push_back(found.farthest);
  }
  return {static_cast<int>(inside.size()), quantile(inside, 0.5), quantile(farthest, 0.5), quantile(farthest, 1)};
}

Matrix thinned(const Matrix& codes) {
  const Eigen::Index count = std::min(kShownCodes, codes.cols());
  Matrix out(codes.rows(), count);
  for (Eigen::Index i = 0; i < count; ++i) out.col(i) = codes.col(i * codes.cols() / count);
  return out;
}

void add_picture(const LabelledSpace& model, const DataRegion& region, int grid, JacobianFigures& figures) {
  const OpenedSpace& space = model.space;
  if (!model.pictured || space.dimension() < 2) return;
  figures.map = compute_maps(*space.manifold, data_plane(space, region, kMapMargin), grid, &region);
  figures.shown_codes = figures.map->plane.project(thinned(space.codes));
}

}  // namespace

std::optional<JacobianFigures> study_model(const LabelledSpace& model, const JacobianSettings& settings,
                                           const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
                                           const std::function<bool()>& should_stop) {
  if (should_stop && should_stop()) return std::nullopt;
  JacobianFigures figures{characterise(model.space, settings.figures), {}, {}, {}, {}};
  const DataRegion region = *region_of(model.space);  // there are codes, or the line before had thrown
  add_picture(model, region, settings.grid, figures);
  if (settings.pairs == 0) return figures;
  const auto study = solve_pairs(model, settings, solvers, should_stop);
  if (!study) return std::nullopt;
  figures.solvers = summarise(*study, study->parts.front());
  figures.geodesics = where_geodesics_run(*study, region);
  return figures;
}

std::vector<std::optional<JacobianFigures>> study_models(const std::vector<LabelledSpace>& models,
                                                         const JacobianSettings& settings,
                                                         const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
                                                         const WorkControl& control) {
  std::vector<std::optional<JacobianFigures>> all(models.size());
  run_jobs(static_cast<int>(models.size()), control, [&](int i) {
    const auto index = static_cast<std::size_t>(i);
    all[index] = study_model(models[index], settings, solvers, control.should_stop);
    control.advance(models[index].label);
  });
  return all;
}

}  // namespace pullback
