#include "pullback/cli/uncertainty_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "pullback/analysis/pictures.h"
#include "pullback/analysis/studies/study_fields.h"
#include "pullback/analysis/text.h"
#include "pullback/cli/maps_json.h"
#include "pullback/cli/seal.h"

namespace pullback::cli {

namespace {

constexpr int kMapGrid = 96;
constexpr double kMapMargin = 1.15;  // beyond the codes, to show what lies around them
constexpr int kCurvePoints = 81;
constexpr std::size_t kDrawnPairs = 8;

// The last pairs are drawn: those of the rim.
std::size_t first_drawn(std::size_t pairs) { return pairs - std::min(kDrawnPairs, pairs); }

bool has_curve(const std::optional<LocatedResult>& result) { return result && !result->result.curve.empty(); }

Json study_settings(const UncertaintyStudy& study, const CallRecord& record) {
  return {{"solver", study.solver},    {"data", study.data.empty() ? Json(nullptr) : Json(study.data)},
          {"pairs", study.pairs},      {"seed", study.seed},
          {"threads", record.threads}, {"time_limit", study.time_limit},
          {"keeping", kKeeping}};
}

Json curves_json(const UncertainMetric& metric) {
  Json list = Json::array();
  for (std::size_t i = 0; i < metric.results.size(); ++i) {
    if (!metric.results[i]) continue;
    Json entry = {{"pair", i}};
    entry.update(fields_json(*metric.results[i]));
    list.push_back(std::move(entry));
  }
  return list;
}

Json drawn_curves(const LatentPlane& plane, const UncertainMetric& metric) {
  Json list = Json::array();
  for (std::size_t i = first_drawn(metric.results.size()); i < metric.results.size(); ++i) {
    if (!has_curve(metric.results[i])) continue;
    list.push_back(points_json(projected(plane, metric.results[i]->result.curve, kCurvePoints)));
  }
  return list;
}

Json metric_report(const UncertaintyPanel& panel, const UncertainMetric& metric, const LatentPlane& plane) {
  return {{"name", metric.name},
          {"fitted", metric.notes},
          {"summary", fields_json(summarise(panel, metric))},
          {"shares",
           [&] {
             Json shares = Json::array();
             for (const auto& result : metric.results) {
               shares.push_back(has_curve(result) ? Json(result->where.share_inside) : Json(nullptr));
             }
             return shares;
           }()},
          {"map", as_json(compute_maps(*metric.space.manifold, plane, kMapGrid))},
          {"curves", drawn_curves(plane, metric)}};
}

}  // namespace

Json uncertainty_results(const UncertaintyStudy& study, const CallRecord& record) {
  Json models = Json::array();
  for (const UncertaintyPanel& panel : study.panels) {
    Json pairs = Json::array();
    for (std::size_t i = 0; i < panel.pairs.size(); ++i) {
      pairs.push_back({{"name", panel.pairs[i].name},
                       {"from", as_json(ConstVectorRef(panel.pairs[i].from))},
                       {"to", as_json(ConstVectorRef(panel.pairs[i].to))},
                       {"straight_share", panel.straight[i]}});
    }
    Json metrics = Json::array();
    for (const UncertainMetric& metric : panel.metrics) {
      metrics.push_back({{"name", metric.name},
                         {"file", metric.file},
                         {"fitted", metric.notes},
                         {"summary", fields_json(summarise(panel, metric))},
                         {"curves", curves_json(metric)}});
    }
    models.push_back({{"name", panel.name},
                      {"region_radius", panel.region.radius()},
                      {"pairs", std::move(pairs)},
                      {"metrics", std::move(metrics)}});
  }
  return {{"schema", "pullback-uncertainty-study-1"},
          {"created", record.started},
          {"command", record.command},
          {"complete", study.complete},
          {"environment", record.environment},
          {"settings", study_settings(study, record)},
          {"models", std::move(models)}};
}

Json geodesic_document(const UncertaintyStudy& study, const UncertaintyPanel& panel, const UncertainMetric& metric) {
  constexpr int kSamples = 101;
  Json list = Json::array();
  for (std::size_t i = 0; i < panel.pairs.size(); ++i) {
    if (!metric.results[i]) continue;
    Json entry = {{"from", as_json(ConstVectorRef(panel.pairs[i].from))},
                  {"to", as_json(ConstVectorRef(panel.pairs[i].to))}};
    entry.update(as_json(metric.results[i]->result, kSamples));
    entry["seal"] = seal_of_result(entry, list.size(), study.solver);
    list.push_back(std::move(entry));
  }
  Json document = {{"generator", metric.file}, {"solver", study.solver}, {"results", std::move(list)}};
  document["seal"] = seal_of_document(document, false);
  return document;
}

Json uncertainty_report(const UncertaintyStudy& study, const CallRecord& record) {
  Json models = Json::array();
  for (const UncertaintyPanel& panel : study.panels) {
    const LatentPlane plane = codes_plane(panel.metrics[0].space.codes, kMapMargin);
    Json metrics = Json::array();
    for (const UncertainMetric& metric : panel.metrics) metrics.push_back(metric_report(panel, metric, plane));
    Json ends = Json::array();
    for (std::size_t i = first_drawn(panel.pairs.size()); i < panel.pairs.size(); ++i) {
      for (const Vector* end : {&panel.pairs[i].from, &panel.pairs[i].to}) {
        ends.push_back(points_json(plane.project(*end))[0]);
      }
    }
    models.push_back({{"name", panel.name},
                      {"codes", points_json(plane.project(panel.metrics[0].space.codes))},
                      {"axes", panel.region.dimension() == 2 ? Json{"z₁", "z₂"} : Json{"u", "v"}},
                      {"ends", std::move(ends)},
                      {"straight", panel.straight},
                      {"metrics", std::move(metrics)}});
  }
  return {
      {"kind", "uncertainty"},      {"created", record.started},         {"command", record.command},
      {"complete", study.complete}, {"environment", record.environment}, {"settings", study_settings(study, record)},
      {"models", std::move(models)}};
}

std::string uncertainty_table(const UncertaintyStudy& study) {
  Table table({"model", "metric", "inside", "lowest", "leaving", "farthest", "arc", "converged", "time"});
  for (const UncertaintyPanel& panel : study.panels) {
    for (const UncertainMetric& metric : panel.metrics) {
      const UncertaintySummary s = summarise(panel, metric);
      table.add({panel.name, metric.name, fmt::format("{:.1f} %", 100 * s.mean_share),
                 fmt::format("{:.0f} %", 100 * s.lowest_share), fmt::format("{}/{}", s.leaving, s.curves),
                 fmt::format("{:.2f}", s.farthest), fmt::format("{:.2f}", s.arc),
                 fmt::format("{}/{}", s.converged, s.curves), format_seconds(s.seconds)});
    }
  }
  return table.str({0, 1});
}

}  // namespace pullback::cli
