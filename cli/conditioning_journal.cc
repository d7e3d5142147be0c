#include "pullback/cli/conditioning_journal.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/analysis/comparison_summary.h"
#include "pullback/cli/study_json.h"

namespace pullback::cli {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// As in run_of(), analysis/studies/conditioning.cc.
constexpr double kSameEnds = 1e-6;

double finite_or(double value, double other) { return std::isfinite(value) ? value : other; }

// The length where the curve joins the pair's points, infinite where it does not.
double joined_length(const JsonView& result, const StudyPair& pair) {
  const double missed = result.at("certificate").at("endpoint_error").number();
  if (!(missed <= kSameEnds * (pair.to - pair.from).norm())) return kInfinity;
  return finite_or(result.at("length").number(), kInfinity);
}

Json base_json(const BaseCheck& base) {
  return {{"length", number_json(base.length)},
          {"relative_excess", number_json(base.relative_excess)},
          {"termination", to_string(base.termination)}};
}

}  // namespace

Json as_json(const ConditioningSettings& settings) {
  return {{"solvers", settings.solvers},
          {"families", settings.families},
          {"dimensions", settings.dimensions},
          {"kappas", settings.kappas},
          {"pairs", settings.pairs},
          {"seed", settings.seed},
          {"time_limit", settings.time_limit > 0 ? Json(settings.time_limit) : Json(nullptr)},
          {"solved_tolerance", kSolvedTolerance}};
}

Json entry_json(const ConditioningJob& job, const ConditioningResult& result) {
  const Termination termination = result.result.termination;
  Json json = as_json(result.result, 2);
  json.erase("curve");
  const bool claims = termination == Termination::kConverged || termination == Termination::kStationary;
  if (!claims) json.erase("nodes");  // no claim, no proof
  return {{"panel", job.panel},        {"kappa", job.kappa},
          {"pair", job.pair},          {"solver", job.solver},
          {"result", std::move(json)}, {"base", result.base ? base_json(*result.base) : Json(nullptr)}};
}

void take_entry(JournaledStudy& journaled, const JsonView& entry) {
  ConditioningStudy& study = journaled.study;
  ConditioningJob job{};
  job.panel = static_cast<std::size_t>(entry.at("panel").index(study.panels.size()));
  const ConditioningPanel& panel = study.panels[job.panel];
  job.kappa = static_cast<std::size_t>(entry.at("kappa").index(panel.spaces.size()));
  const ConditionedSpace& space = panel.spaces[job.kappa];
  job.pair = static_cast<std::size_t>(entry.at("pair").index(space.pairs.size()));
  job.solver = static_cast<std::size_t>(entry.at("solver").index(study.settings.solvers.size()));
  const JsonView result = entry.at("result");
  ConditioningRun run;
  run.termination_name = result.at("termination").text();
  const bool converged = run.termination_name == to_string(Termination::kConverged);
  if (converged) run.termination = Termination::kConverged;
  run.length = result.at("length").number();
  run.best_known = std::min(joined_length(result, space.pairs[job.pair]),
                            finite_or(result.at("certificate").at("shorter_known").number(), kInfinity));
  const bool checked = !entry.at("base").json().is_null();
  run.base_length = checked ? entry.at("base").at("length").number() : std::numeric_limits<double>::quiet_NaN();
  run.base_converged = checked && entry.at("base").at("termination").text() == to_string(Termination::kConverged);
  run.seconds = result.at("seconds").number();
  for (const char* kind : {"values", "jacobians", "second_derivatives", "products", "metrics"}) {
    run.evaluations += result.at("effort").at(kind).number();
  }
  Json kept = {{"pair", job.pair}, {"solver", study.settings.solvers[job.solver]}, {"base", entry.at("base").json()}};
  kept.update(result.json());
  journaled.texts[run_index(study, job)] = kept.dump(-1, ' ', false, Json::error_handler_t::replace);
  study.runs[run_index(study, job)] = std::move(run);
}

}  // namespace pullback::cli
