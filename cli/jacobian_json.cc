#include "pullback/cli/jacobian_json.h"

#include "pullback/base/parse.h"
#include "pullback/cli/characterisation_json.h"
#include "pullback/cli/maps_json.h"
#include "pullback/cli/study_json.h"

namespace pullback::cli {

namespace {

std::string metadata_of(const OpenedSpace& space, const char* key) {
  const auto entry = space.metadata.find(key);
  return entry != space.metadata.end() ? entry->second : "";
}

Json metadata_number(const OpenedSpace& space, const char* key) {
  const auto number = parse_number(metadata_of(space, key));
  return number ? short_number(*number) : Json(nullptr);
}

Json geodesics_json(const CurvesInRegion& geodesics) {
  return {{"curves", geodesics.curves},
          {"share_inside", short_number(geodesics.share_inside)},
          {"farthest", short_number(geodesics.farthest)},
          {"farthest_of_all", short_number(geodesics.farthest_of_all)}};
}

}  // namespace

LabelledName split_label(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || text.find_first_of(":@/") < equals) return {text, text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Json model_json(const LabelledSpace& model, const JacobianFigures& figures) {
  const OpenedSpace& space = model.space;
  const Generator* generator = space.manifold->generator();
  return {{"label", model.label},
          {"specification", space.name},
          {"kind", metadata_of(space, "kind")},
          {"latent_dimension", space.dimension()},
          {"ambient_dimension", generator != nullptr ? Json(generator->ambient_dimension()) : Json(nullptr)},
          {"quality", metadata_number(space, "quality")},
          {"quality_measure", metadata_of(space, "quality_measure")},
          {"figures", as_json(figures.characterisation)},
          {"solvers", summary_json(figures.solvers)},
          {"geodesics", figures.geodesics ? geodesics_json(*figures.geodesics) : Json(nullptr)},
          {"map", figures.map ? as_small_json(*figures.map) : Json(nullptr)},
          {"codes", figures.map ? Json(small_points(figures.map->plane, figures.shown_codes)) : Json(nullptr)}};
}

}  // namespace pullback::cli
