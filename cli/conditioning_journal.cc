#include "pullback/cli/conditioning_journal.h"

#include "pullback/analysis/studies/study_fields.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

Json entry_json(const ConditioningJob& job, const ConditioningResult& result) {
  const Termination termination = result.result.termination;
  Json json = as_json(result.result, 2);
  json.erase("curve");
  const bool claims = termination == Termination::kConverged || termination == Termination::kStationary;
  if (!claims) json.erase("nodes");  // no claim, no proof
  Json entry = fields_json(job);
  entry["result"] = std::move(json);
  entry["base"] = result.base ? fields_json(*result.base) : Json(nullptr);
  return entry;
}

void take_entry(JournaledStudy& journaled, const JsonView& entry) {
  ConditioningStudy& study = journaled.study;
  const auto job = read_fields<ConditioningJob>(entry);
  if (!has_job(study, job)) entry.fail("a solve of the study");
  const JsonView result = entry.at("result");
  const auto read = read_fields<GeodesicResult>(result);
  ConditioningRecord record{read.termination, read.certificate, read.effort, {}};
  if (!entry.at("base").json().is_null()) record.base = read_fields<BaseCheck>(entry.at("base"));
  study.runs[run_index(study, job)] = run_of(record, pair_of(study, job));
  Json kept = {{"pair", job.pair}, {"solver", study.settings.solvers[job.solver]}, {"base", entry.at("base").json()}};
  kept.update(result.json());
  journaled.texts[run_index(study, job)] = kept.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pullback::cli
