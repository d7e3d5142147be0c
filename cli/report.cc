#include "pullback/cli/report.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "pullback/analysis/summary_fields.h"
#include "pullback/cli/embedded.h"
#include "pullback/cli/maps_json.h"
#include "pullback/cli/strips.h"
#include "pullback/cli/study_json.h"
#include "pullback/manifold/curves/measure.h"

namespace pullback::cli {

namespace {

constexpr int kMapGrid = 96;
constexpr int kStripImages = 11;
constexpr int kCurvePoints = 65;
constexpr std::size_t kShownPairs = 8;

// The pairs that the pictures show: the first (the two sevens) and then those on which the solvers differ most, because
// that is where there is something to see.
std::vector<std::size_t> choose_shown(const Study& study, const StudyPart& part, const std::vector<double>& best) {
  std::vector<std::pair<double, std::size_t>> spread;
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    double worst = 0;
    bool any = false;
    for (std::size_t s = 0; s < study.solvers.size(); ++s) {
      const auto& result = study.result(part, i, s);
      if (!result) continue;
      any = true;
      worst = std::max(worst, length_ratio(*result, best[i]));
    }
    if (any) spread.emplace_back(part.pairs[i].kind == "sevens" ? std::numeric_limits<double>::infinity() : worst, i);
  }
  std::ranges::stable_sort(spread, std::greater<>(), &std::pair<double, std::size_t>::first);
  std::vector<std::size_t> shown;
  for (const auto& [ratio, pair] : spread) {
    if (shown.size() < kShownPairs) shown.push_back(pair);
  }
  return shown;
}

Matrix samples(const Curve& curve) { return curve.position(uniform_times(kCurvePoints)); }

// Picks the plane of a pair's pictures: latent space itself in two dimensions.
LatentPlane plane_of(const StudyPart& part, const StudyPair& pair) {
  return part.space.dimension() == 2 ? whole_plane() : plane_through(pair.from, pair.to, part.space.codes);
}

// Everything that the rectangle of a plane must hold: the codes, if they are to be seen, and the ends; without codes
// the curves too, but for points so far off that the rest would shrink to a dot.
Matrix content_of(const Study& study, const StudyPart& part, const std::vector<std::size_t>& shown, bool with_codes,
                  const LatentPlane& plane) {
  constexpr double kFar = 1.5;  // from the middle of the ends, in distances of the ends
  const bool codes = with_codes && part.space.codes.cols() > 0;
  Matrix content = plane.project(codes ? part.space.codes : Matrix(part.space.dimension(), 0));
  const auto append = [&](const ConstMatrixRef& point) {
    content.conservativeResize(2, content.cols() + 1);
    content.rightCols(1) = plane.project(point);
  };
  for (const std::size_t i : shown) {
    const StudyPair& pair = part.pairs[i];
    append(pair.from);
    append(pair.to);
    for (std::size_t s = 0; s < study.solvers.size() && !codes; ++s) {
      const auto& result = study.result(part, i, s);
      if (!result || result->curve.empty()) continue;
      const Matrix points = samples(result->curve);
      for (const auto& point : points.colwise()) {
        if ((point - (pair.from + pair.to) / 2).norm() <= kFar * (pair.to - pair.from).norm()) append(point);
      }
    }
  }
  return content;
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
          {"points", empty ? Json::array() : points_json(plane.project(samples(result.curve)))},
          {"trace", trace_json(result.trace)},
          {"strip", strips ? strips->strip(result.curve, kStripImages) : ""}};
}

Json straight_json(const StudyPart& part, const StudyPair& pair, double best, const LatentPlane& plane,
                   const std::optional<StripMaker>& strips) {
  Workspace workspace;
  const Curve line = Curve::straight(pair.from, pair.to);
  const double length = measure(*part.space.manifold, line, workspace).length;
  return {{"length", number_json(length)},
          {"ratio", number_json(length / best)},
          {"points", points_json(plane.project(samples(line)))},
          {"strip", strips ? strips->strip(line, kStripImages) : ""}};
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
  const std::vector<std::size_t> shown = choose_shown(study, part, best);
  const auto strips = StripMaker::for_space(part.space);
  if (strips) json["image"] = {strips->height(), strips->width()};
  const bool plane_is_all = part.space.dimension() == 2;
  json["maps"] = Json::array();
  json["pairs"] = Json::array();
  if (part.space.dimension() < 2) return;
  for (const std::size_t i : shown) {
    LatentPlane plane = plane_of(part, part.pairs[i]);
    if (!plane_is_all || json["maps"].empty()) {
      const std::vector<std::size_t> in_picture = plane_is_all ? shown : std::vector{i};
      plane.enclose(content_of(study, part, in_picture, plane_is_all, plane));
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
