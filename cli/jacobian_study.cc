#include "pullback/cli/jacobian_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "pullback/cli/arguments.h"
#include "pullback/cli/batch.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/maps.h"
#include "pullback/cli/statistics.h"
#include "pullback/cli/study_json.h"
#include "pullback/cli/study_summary.h"
#include "pullback/manifold/data_region.h"

namespace pullback::cli {

namespace {

constexpr Eigen::Index kShownCodes = 300;  // enough to see where they are in a small map
constexpr double kMapMargin = 1;           // deviations around the codes
constexpr std::uint64_t kPairSeed = 1;

std::string metadata_of(const OpenedSpace& space, const char* key) {
  const auto entry = space.metadata.find(key);
  return entry != space.metadata.end() ? entry->second : "";
}

Json metadata_number(const OpenedSpace& space, const char* key) {
  const auto number = parse_number(metadata_of(space, key));
  return number ? short_number(*number) : Json(nullptr);
}

// The same pairs for every model of a latent dimension and codes, solved with every chain; nothing when interrupted.
std::optional<Study> solve_pairs(const LabelledSpace& model, const JacobianSettings& settings,
                                 const std::vector<std::unique_ptr<GeodesicSolver>>& solvers) {
  Study study;
  study.solvers = settings.solvers;
  StudyPart part{model.space, choose_pairs(model.space, settings.pairs, kPairSeed, {0, 1}), {}};
  part.results.resize(part.pairs.size() * solvers.size());
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    const GeodesicProblem problem{part.space.manifold, part.pairs[i].from, part.pairs[i].to, {}, part.space.codes};
    for (std::size_t s = 0; s < solvers.size(); ++s) {
      GeodesicResult result = solve_interruptibly(*solvers[s], problem, settings.time_limit);
      if (result.termination == Termination::kStopped) return std::nullopt;
      part.results[i * solvers.size() + s] = std::move(result);
    }
  }
  study.parts.push_back(std::move(part));
  return study;
}

// Where the shortest curve known for each pair runs.
Json where_geodesics_run(const Study& study, const DataRegion& region) {
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
  return {{"curves", inside.size()},
          {"share_inside", short_number(quantile(inside, 0.5))},
          {"farthest", short_number(quantile(farthest, 0.5))},
          {"farthest_of_all", short_number(quantile(farthest, 1))}};
}

Matrix thinned(const Matrix& codes) {
  const Eigen::Index count = std::min(kShownCodes, codes.cols());
  Matrix out(codes.rows(), count);
  for (Eigen::Index i = 0; i < count; ++i) out.col(i) = codes.col(i * codes.cols() / count);
  return out;
}

void add_picture(const LabelledSpace& model, const Characterisation& figures, int grid, Json& json) {
  const OpenedSpace& space = model.space;
  if (!model.pictured || space.dimension() < 2) return;
  const Maps maps = compute_maps(*space.manifold, data_plane(space, figures.region, kMapMargin), grid, &figures.region);
  json["map"] = as_small_json(maps);
  json["codes"] = small_points(maps.plane, maps.plane.project(thinned(space.codes)));
}

}  // namespace

LabelledName split_label(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || text.find_first_of(":@/") < equals) return {text, text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Json study_model(const LabelledSpace& model, const JacobianSettings& settings,
                 const std::vector<std::unique_ptr<GeodesicSolver>>& solvers) {
  if (interrupted()) return nullptr;
  const OpenedSpace& space = model.space;
  const Characterisation figures = characterise(space, settings.figures);
  const Generator* generator = space.manifold->generator();
  Json json = {{"label", model.label},
               {"specification", space.name},
               {"kind", metadata_of(space, "kind")},
               {"latent_dimension", space.dimension()},
               {"ambient_dimension", generator != nullptr ? Json(generator->ambient_dimension()) : Json(nullptr)},
               {"quality", metadata_number(space, "quality")},
               {"quality_measure", metadata_of(space, "quality_measure")},
               {"figures", as_json(figures)},
               {"solvers", Json::array()},
               {"geodesics", nullptr},
               {"map", nullptr},
               {"codes", nullptr}};
  add_picture(model, figures, settings.grid, json);
  if (settings.pairs == 0) return json;
  const auto study = solve_pairs(model, settings, solvers);
  if (!study) return nullptr;
  json["solvers"] = summary_json(summarise(*study, study->parts.front()));
  json["geodesics"] = where_geodesics_run(*study, figures.region);
  return json;
}

}  // namespace pullback::cli
