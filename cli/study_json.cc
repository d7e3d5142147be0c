#include "pullback/cli/study_json.h"

#include <algorithm>

#include "pullback/analysis/summary_fields.h"
#include "pullback/cli/seal.h"

namespace pullback::cli {

namespace {

constexpr int kCurveSamples = 33;
constexpr std::size_t kTraceEntries = 120;

Json pair_json(const StudyPair& pair, double best) {
  Json json = fields_json(pair);
  json["best_length"] = number_json(best);
  return json;
}

Json part_json(const Study& study, const StudyPart& part) {
  const std::vector<double> best = best_lengths(study, part);
  Json pairs = Json::array();
  Json results = Json::array();
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    pairs.push_back(pair_json(part.pairs[i], best[i]));
    for (std::size_t s = 0; s < study.solvers.size(); ++s) {
      const auto& result = study.result(part, i, s);
      if (!result) continue;
      Json json = {{"pair", i},
                   {"solver", study.solvers[s]},
                   {"solved", is_solved(*result, best[i])},
                   {"length_ratio", number_json(length_ratio(*result, best[i]))}};
      json.update(as_json(*result, kCurveSamples));
      json["trace"] = trace_json(result->trace);
      Json sealed = json;
      sealed["from"] = pairs.back()["from"];
      sealed["to"] = pairs.back()["to"];
      json["seal"] = seal_of_result(sealed, results.size(), study.solvers[s]);
      results.push_back(std::move(json));
    }
  }
  const Generator* generator = part.space.manifold->generator();
  return {{"name", part.space.name},
          {"latent_dimension", part.space.dimension()},
          {"ambient_dimension", generator != nullptr ? Json(generator->ambient_dimension()) : Json(nullptr)},
          {"metadata", part.space.metadata},
          {"summary", list_json(summarise(study, part))},
          {"pairs", std::move(pairs)},
          {"results", std::move(results)}};
}

}  // namespace

Json settings_json(const Study& study, const CallRecord& record) {
  return {{"solvers", study.solvers},
          {"pairs", study.pairs},
          {"seed", study.seed},
          {"box", {study.box.low, study.box.high}},
          {"outside", study.outside},
          {"threads", record.threads},
          {"time_limit", study.time_limit > 0 ? Json(study.time_limit) : Json(nullptr)},
          {"accuracy", study.accuracy},
          {"solved_tolerance", kSolvedTolerance}};
}

Json trace_json(const std::vector<TraceEntry>& trace) {
  Json list = Json::array();
  const std::size_t stride = std::max<std::size_t>(1, trace.size() / kTraceEntries);
  for (std::size_t i = 0; i < trace.size(); ++i) {
    if (i % stride != 0 && i + 1 != trace.size()) continue;
    list.push_back({trace[i].iteration, number_json(trace[i].seconds), number_json(trace[i].length)});
  }
  return list;
}

Json study_json(const Study& study, const CallRecord& record) {
  Json parts = Json::array();
  for (const StudyPart& part : study.parts) parts.push_back(part_json(study, part));
  Json json = {{"schema", "pullback-compare-1"},    {"created", record.started},
               {"command", record.command},         {"complete", study.complete},
               {"environment", record.environment}, {"settings", settings_json(study, record)},
               {"generators", std::move(parts)}};
  json["seal"] = seal_of_document(json, true);
  return json;
}

}  // namespace pullback::cli
