// The solves of the study `conditioning`.
#include <cmath>
#include <limits>

#include "pullback/cli/batch.h"
#include "pullback/cli/conditioning.h"
#include "pullback/cli/study_json.h"
#include "pullback/cli/study_summary.h"
#include "pullback/solvers/certificate.h"
#include "pullback/solvers/verdict.h"

namespace pullback::cli {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The ends of a curve that counts as one between the pair's points are off by at most this fraction of their distance.
constexpr double kSameEnds = 1e-6;

// In base coordinates a claim is held to what "solved" means and not to the last digit: the change of coordinates
// itself rounds by εκ.
CertificateLimits base_limits() {
  CertificateLimits limits;
  limits.excess = kSolvedTolerance;
  limits.accuracy = 10 * kSolvedTolerance;
  limits.second_variation = -kSolvedTolerance;
  return limits;
}

Json check_in_base(const ConditioningPanel& panel, const ConditionedSpace& space, const Curve& curve) {
  Workspace workspace;
  const Curve image = space.to_base(curve);
  const Vector from = image.positions().leftCols(1);
  const Vector to = image.positions().rightCols(1);
  const Certificate certificate = measure_certificate(*panel.base, image, from, to, workspace, base_limits());
  const Verdict verdict = judge(certificate, Termination::kConverged, "", base_limits());
  return {{"length", number_json(certificate.length)},
          {"excess", number_json(certificate.excess)},
          {"termination", to_string(verdict.termination)}};
}

double finite_or(double value, double other) { return std::isfinite(value) ? value : other; }

// The length where the curve joins the pair's points, infinite where it does not.
double joined_length(const JsonView& result, const StudyPair& pair) {
  const double missed = result.at("certificate").at("endpoint_error").number();
  if (!(missed <= kSameEnds * (pair.to - pair.from).norm())) return kInfinity;
  return finite_or(result.at("length").number(), kInfinity);
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

std::vector<ConditioningJob> conditioning_jobs(const ConditioningStudy& study) {
  std::vector<ConditioningJob> jobs;
  for (std::size_t pair = 0; pair < static_cast<std::size_t>(study.settings.pairs); ++pair) {
    for (std::size_t panel = 0; panel < study.panels.size(); ++panel) {
      if (pair >= study.panels[panel].spaces[0].pairs.size()) continue;
      for (std::size_t kappa = 0; kappa < study.settings.kappas.size(); ++kappa) {
        for (std::size_t solver = 0; solver < study.settings.solvers.size(); ++solver) {
          jobs.push_back({panel, kappa, pair, solver});
        }
      }
    }
  }
  return jobs;
}

std::size_t index(const ConditioningStudy& study, const ConditioningJob& job) {
  const ConditioningSettings& settings = study.settings;
  const auto pairs = static_cast<std::size_t>(settings.pairs);
  return ((job.panel * settings.kappas.size() + job.kappa) * pairs + job.pair) * settings.solvers.size() + job.solver;
}

std::size_t run_count(const ConditioningStudy& study) { return index(study, {study.panels.size(), 0, 0, 0}); }

std::optional<Json> run_conditioning_job(const ConditioningStudy& study, const ConditioningJob& job,
                                         const GeodesicSolver& solver) {
  const ConditioningPanel& panel = study.panels[job.panel];
  const ConditionedSpace& space = panel.spaces[job.kappa];
  const StudyPair& pair = space.pairs[job.pair];
  const GeodesicProblem problem{space.space.manifold, pair.from, pair.to, {}, space.space.codes};
  const GeodesicResult result = solve_interruptibly(solver, problem, study.settings.time_limit);
  if (result.termination == Termination::kStopped) return std::nullopt;
  const bool converged = result.termination == Termination::kConverged;
  Json json = pullback::cli::as_json(result, 2);
  json.erase("curve");
  if (!converged && result.termination != Termination::kStationary) json.erase("nodes");  // no claim, no proof
  return Json{
      {"panel", job.panel},        {"kappa", job.kappa},
      {"pair", job.pair},          {"solver", job.solver},
      {"result", std::move(json)}, {"base", converged ? check_in_base(panel, space, result.curve) : Json(nullptr)}};
}

void take_entry(ConditioningStudy& study, const JsonView& entry) {
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
  run.result = kept.dump(-1, ' ', false, Json::error_handler_t::replace);
  study.runs[index(study, job)] = std::move(run);
}

}  // namespace pullback::cli
