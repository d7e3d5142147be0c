#include "pullback/analysis/comparison.h"

#include <mutex>
#include <utility>

#include "pullback/analysis/batch.h"
#include "pullback/analysis/parallel.h"

namespace pullback {

namespace {

// One solve, counted through all parts, pairs and solvers.
struct ComparisonJob {
  std::size_t part;
  std::size_t pair;
  std::size_t solver;
};

std::vector<ComparisonJob> jobs_of(const Study& study) {
  std::vector<ComparisonJob> jobs;
  for (std::size_t part = 0; part < study.parts.size(); ++part) {
    for (std::size_t pair = 0; pair < study.parts[part].pairs.size(); ++pair) {
      for (std::size_t solver = 0; solver < study.solvers.size(); ++solver) jobs.push_back({part, pair, solver});
    }
  }
  return jobs;
}

}  // namespace

std::size_t Study::size() const {
  std::size_t size = 0;
  for (const StudyPart& part : parts) size += part.pairs.size() * solvers.size();
  return size;
}

void add_part(Study& study, OpenedSpace space) {
  StudyPart part{std::move(space), {}, {}};
  part.pairs = choose_pairs(part.space, study.pairs, study.seed, study.box, study.outside);
  part.results.resize(part.pairs.size() * study.solvers.size());
  study.parts.push_back(std::move(part));
}

void run_comparison(Study& study, const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
                    const WorkControl& control, const std::function<void(const Study&)>& kept) {
  const std::vector<ComparisonJob> jobs = jobs_of(study);
  std::mutex mutex;
  run_jobs(static_cast<int>(jobs.size()), control, [&](int i) {
    if (control.stopped()) return;
    const ComparisonJob job = jobs[static_cast<std::size_t>(i)];
    StudyPart& part = study.parts[job.part];
    const StudyPair& pair = part.pairs[job.pair];
    const GeodesicProblem problem{part.space.manifold, pair.from, pair.to, {}, part.space.codes};
    GeodesicResult result =
        solve_interruptibly(*solvers[job.solver], problem, study.time_limit, control.should_stop, study.accuracy);
    if (result.termination == Termination::kStopped) return;  // what it would have become is not known
    control.advance(part.space.name + "  " + study.solvers[job.solver]);
    const std::lock_guard lock(mutex);
    part.results[job.pair * study.solvers.size() + job.solver] = std::move(result);
    if (kept) kept(study);
  });
  study.complete = !control.stopped();
}

}  // namespace pullback
