#include "pullback/cli/report.h"

#include <optional>

#include "pullback/analysis/pictures.h"
#include "pullback/analysis/summary_fields.h"
#include "pullback/cli/base64.h"
#include "pullback/cli/embedded.h"
#include "pullback/cli/maps_json.h"
#include "pullback/cli/study_json.h"

namespace pullback::cli {

namespace {

constexpr int kMapGrid = 96;
constexpr int kStripImages = 11;
constexpr int kCurvePoints = 65;
constexpr std::size_t kShownPairs = 8;

Json points_of(const LatentPlane& plane, const Curve& curve) {
  return points_json(projected(plane, curve, kCurvePoints));
}

std::string strip_text(const std::optional<StripMaker>& strips, const Curve& curve) {
  return strips ? base64(strips->strip(curve, kStripImages)) : "";
}

Json run_json(const GeodesicResult& result, const std::string& solver, double best, const LatentPlane& plane,
              const std::optional<StripMaker>& strips) {
  const Certificate& c = result.certificate;
  const bool empty = result.curve.empty();
  return {{"solver", solver},
          {"termination", to_string(result.termination)},
          {"message", result.message},
          {"length", empty ? Json(nullptr) : number_json(c.length)},
          {"ratio", number_json(length_ratio(result, best))},
          {"solved", is_solved(result, best)},
          {"length_error", empty ? Json(nullptr) : number_json(c.length_error)},
          {"residual", empty ? Json(nullptr) : number_json(c.residual)},
          {"second_variation", empty ? Json(nullptr) : number_json(c.second_variation)},
          {"kappa", empty ? Json(nullptr) : number_json(c.condition.kappa_max)},
          {"seconds", number_json(result.effort.seconds)},
          {"evaluations", evaluation_count(result.effort)},
          {"points", points_of(plane, result.curve)},
          {"trace", trace_json(result.trace)},
          {"strip", strip_text(strips, result.curve)}};
}

Json straight_json(const StudyPart& part, const StudyPair& pair, double best, const LatentPlane& plane,
                   const std::optional<StripMaker>& strips) {
  const Curve line = Curve::straight(pair.from, pair.to);
  const double length = straight_length(part.space, pair);
  return {{"length", number_json(length)},
          {"ratio", number_json(length / best)},
          {"points", points_of(plane, line)},
          {"strip", strip_text(strips, line)}};
}

Json pair_json(const Study& study, const StudyPart& part, std::size_t index, double best, const LatentPlane& plane,
               const std::optional<StripMaker>& strips) {
  const StudyPair& pair = part.pairs[index];
  Json runs = Json::array();
  for (std::size_t s = 0; s < study.solvers.size(); ++s) {
    const auto& result = study.result(part, index, s);
    if (result) runs.push_back(run_json(*result, study.solvers[s], best, plane, strips));
  }
  return {{"name", pair.name},
          {"kind", pair.kind},
          {"from", as_json(ConstVectorRef(pair.from))},
          {"to", as_json(ConstVectorRef(pair.to))},
          {"best", number_json(best)},
          {"straight", straight_json(part, pair, best, plane, strips)},
          {"runs", std::move(runs)}};
}

// Maps and pairs: one map for all pairs in two dimensions, one for each pair in more, none in one.
void add_pictures(const Study& study, const StudyPart& part, const std::vector<double>& best, Json& json) {
  const std::vector<std::size_t> shown = shown_pairs(study, part, best, kShownPairs);
  const auto strips = StripMaker::for_space(part.space);
  if (strips) json["image"] = {strips->height(), strips->width()};
  const bool plane_is_all = part.space.dimension() == 2;
  json["maps"] = Json::array();
  json["pairs"] = Json::array();
  if (part.space.dimension() < 2) return;
  for (const std::size_t i : shown) {
    const LatentPlane plane = pair_plane(study, part, i, plane_is_all ? shown : std::vector{i});
    if (!plane_is_all || json["maps"].empty()) {
      json["maps"].push_back(as_json(compute_maps(*part.space.manifold, plane, kMapGrid)));
    }
    json["pairs"].push_back(pair_json(study, part, i, best[i], plane, strips));
    json["pairs"].back()["map"] = json["maps"].size() - 1;
  }
  if (plane_is_all) json["codes"] = points_json(part.space.codes.rows() == 2 ? part.space.codes : Matrix(2, 0));
  if (plane_is_all) json["labels"] = part.space.labels;
}

Json profile_json(const Study& study, const StudyPart& part) {
  const PerformanceProfile profile = performance_profile(study, part);
  Json list = Json::array();
  for (std::size_t s = 0; s < study.solvers.size(); ++s) {
    list.push_back({{"solver", study.solvers[s]}, {"ratios", profile.ratios[s]}});
  }
  return {{"pairs", profile.pairs}, {"solvers", std::move(list)}};
}

Json part_json(const Study& study, const StudyPart& part) {
  const Generator* generator = part.space.manifold->generator();
  Json json = {{"name", part.space.name},
               {"latent_dimension", part.space.dimension()},
               {"ambient_dimension", generator != nullptr ? Json(generator->ambient_dimension()) : Json(nullptr)},
               {"smooth", part.space.manifold->smooth()},
               {"metadata", part.space.metadata},
               {"all_pairs", part.pairs.size()},
               {"summary", list_json(summarise(study, part))},
               {"profile", profile_json(study, part)},
               {"image", nullptr},
               {"codes", Json::array()},
               {"labels", Json::array()}};
  add_pictures(study, part, best_lengths(study, part), json);
  return json;
}

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else
      escaped += c;
  }
  return escaped;
}

// Replaces the mark by the content, once.
void fill(std::string& page, std::string_view mark, std::string_view content) {
  page.replace(page.find(mark), mark.size(), content);
}

}  // namespace

Json report_data(const Study& study, const CallRecord& record) {
  Json parts = Json::array();
  for (const StudyPart& part : study.parts) parts.push_back(part_json(study, part));
  return {{"kind", "compare"},
          {"created", record.started},
          {"command", record.command},
          {"complete", study.complete},
          {"environment", record.environment},
          {"settings", settings_json(study, record)},
          {"generators", std::move(parts)}};
}

std::string make_page(const std::string& title, const Json& data) {
  // "</script>" in a string of the data would end the script, so a "<" is written as JavaScript's escape.
  std::string text = as_text(data);
  for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at))
    text.replace(at, 1, "\\u003c");
  std::string page(embedded_page());
  // From the end, so that no mark is looked for within content that was filled in.
  fill(page, "{{script}}", embedded_script());
  fill(page, "{{vega}}", embedded_vega());
  fill(page, "{{data}}", text);
  fill(page, "{{style}}", embedded_style());
  fill(page, "{{title}}", escape_html(title));
  return page;
}

}  // namespace pullback::cli
