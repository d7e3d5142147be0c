#include "pullback/analysis/studies/conditioning.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "pullback/analysis/batch.h"
#include "pullback/analysis/comparison_summary.h"
#include "pullback/analysis/parallel.h"
#include "pullback/solvers/certificate.h"
#include "pullback/solvers/result_fields.h"
#include "pullback/solvers/verdict.h"

namespace pullback {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The ends of a curve that counts as one between the pair's points are off by at most this fraction of their distance.
constexpr double kSameEnds = 1e-6;

// In base coordinates a claim is held to what "solved" means and not to the last digit: the change of coordinates
// itself rounds by εκ.
CertificateLimits base_limits() {
  CertificateLimits limits;
  limits.relative_excess = kSolvedTolerance;
  limits.accuracy = 10 * kSolvedTolerance;
  limits.second_variation = -kSolvedTolerance;
  return limits;
}

BaseCheck check_in_base(const ConditioningPanel& panel, const ConditionedSpace& space, const Curve& curve) {
  Workspace workspace;
  const Curve image = space.to_base(curve);
  const Vector from = image.positions().leftCols(1);
  const Vector to = image.positions().rightCols(1);
  const Certificate certificate = measure_certificate(*panel.base, image, from, to, workspace, base_limits());
  const Verdict verdict = judge(certificate, Termination::kConverged, "", base_limits());
  return {certificate.length, certificate.relative_excess, verdict.termination};
}

double finite_or(double value, double other) { return std::isfinite(value) ? value : other; }

// All solves, pair by pair, so that what an interrupted study has is spread over all panels and κ.
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

}  // namespace

std::size_t run_index(const ConditioningStudy& study, const ConditioningJob& job) {
  const ConditioningSettings& settings = study.settings;
  const auto pairs = static_cast<std::size_t>(settings.pairs);
  return ((job.panel * settings.kappas.size() + job.kappa) * pairs + job.pair) * settings.solvers.size() + job.solver;
}

std::size_t run_count(const ConditioningStudy& study) { return run_index(study, {study.panels.size(), 0, 0, 0}); }

std::optional<ConditioningResult> run_conditioning_job(const ConditioningStudy& study, const ConditioningJob& job,
                                                       const GeodesicSolver& solver,
                                                       const std::function<bool()>& should_stop) {
  const ConditioningPanel& panel = study.panels[job.panel];
  const ConditionedSpace& space = panel.spaces[job.kappa];
  const StudyPair& pair = space.pairs[job.pair];
  const GeodesicProblem problem{space.space.manifold, pair.from, pair.to, {}, space.space.codes};
  ConditioningResult out{solve_interruptibly(solver, problem, study.settings.time_limit, should_stop), {}};
  if (out.result.termination == Termination::kStopped) return std::nullopt;
  if (out.result.termination == Termination::kConverged) out.base = check_in_base(panel, space, out.result.curve);
  return out;
}

ConditioningRecord record_of(const ConditioningResult& result) {
  return {result.result.termination, reported_certificate(result.result), result.result.effort, result.base};
}

ConditioningRun run_of(const ConditioningRecord& record, const StudyPair& pair) {
  const Certificate& certificate = record.certificate;
  ConditioningRun run;
  run.termination = record.termination;
  run.length = certificate.length;
  const bool joins = certificate.endpoint_error <= kSameEnds * (pair.to - pair.from).norm();
  run.best_known = std::min(joins ? finite_or(run.length, kInfinity) : kInfinity,
                            finite_or(certificate.shorter_known.value_or(kNan), kInfinity));
  run.base_length = record.base ? finite_or(record.base->length, kNan) : kNan;
  run.base_converged = record.base && record.base->termination == Termination::kConverged;
  run.seconds = record.effort.seconds;
  run.evaluations = static_cast<double>(evaluation_count(record.effort));
  return run;
}

bool has_job(const ConditioningStudy& study, const ConditioningJob& job) {
  if (job.panel >= study.panels.size() || job.solver >= study.settings.solvers.size()) return false;
  const std::vector<ConditionedSpace>& spaces = study.panels[job.panel].spaces;
  return job.kappa < spaces.size() && job.pair < spaces[job.kappa].pairs.size();
}

const StudyPair& pair_of(const ConditioningStudy& study, const ConditioningJob& job) {
  return study.panels[job.panel].spaces[job.kappa].pairs[job.pair];
}

std::size_t missing_runs(const ConditioningStudy& study) {
  std::size_t missing = 0;
  for (const ConditioningJob& job : conditioning_jobs(study)) missing += study.runs[run_index(study, job)] ? 0 : 1;
  return missing;
}

void run_conditioning_study(ConditioningStudy& study, const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
                            const WorkControl& control,
                            const std::function<void(const ConditioningJob&, const ConditioningResult&)>& finished) {
  std::vector<ConditioningJob> jobs = conditioning_jobs(study);
  std::erase_if(jobs, [&](const ConditioningJob& job) { return study.runs[run_index(study, job)].has_value(); });
  std::mutex mutex;
  run_jobs(static_cast<int>(jobs.size()), control, [&](int i) {
    if (control.stopped()) return;
    const ConditioningJob& job = jobs[static_cast<std::size_t>(i)];
    const auto result = run_conditioning_job(study, job, *solvers[job.solver], control.should_stop);
    if (!result) return;
    const ConditionedSpace& space = study.panels[job.panel].spaces[job.kappa];
    control.advance(space.space.name + "  " + study.settings.solvers[job.solver]);
    const std::lock_guard lock(mutex);
    study.runs[run_index(study, job)] = run_of(record_of(*result), space.pairs[job.pair]);
    if (finished) finished(job, *result);
  });
  study.complete = !control.stopped();
}

}  // namespace pullback
