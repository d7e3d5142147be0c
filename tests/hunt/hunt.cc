#include "tests/hunt/hunt.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <mutex>
#include <thread>

namespace pullback::hunt {
namespace {

using Clock = std::chrono::steady_clock;

// Seconds of processor time that this thread has used: what a solve costs on a machine that has other work.
double worked() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Turn {
  const Family* family;
  std::uint64_t problem;
};

// The families in turn, each as often as its weight says.
class Schedule {
 public:
  Schedule(const std::vector<Family>& families, std::optional<std::uint64_t> only)
      : families_(families), counts_(families.size(), 0), only_(only) {}

  std::optional<Turn> next() {
    std::size_t best = 0;
    for (std::size_t i = 1; i < families_.size(); ++i) {
      if (due(i) < due(best)) best = i;
    }
    if (only_) {
      if (next_ == families_.size()) return std::nullopt;
      return Turn{&families_[next_++], *only_};
    }
    return Turn{&families_[best], counts_[best]++};
  }

 private:
  double due(std::size_t i) const { return static_cast<double>(counts_[i] + 1) / families_[i].weight; }

  const std::vector<Family>& families_;
  std::vector<std::uint64_t> counts_;
  std::optional<std::uint64_t> only_;
  std::size_t next_ = 0;
};

Trial solve_and_judge(const GeodesicSolver& solver, const Problem& problem, const HuntOptions& options) {
  Trial trial;
  SolveControl control;
  control.time_limit = options.time_limit;
  control.should_stop = options.should_stop;
  const auto start = Clock::now();
  const double before = worked();
  GeodesicResult result;
  try {
    result = solver.solve(problem.geodesic, control);
    trial.termination = to_string(result.termination);
  } catch (const std::exception& error) {
    trial.termination = "exception";
    result.message = error.what();
  }
  trial.seconds = since(start);
  const double solved = worked();
  trial.solve_work = solved - before;
  trial.message = result.message;
  trial.reported = result.certificate.length;
  trial.reported_error = result.certificate.length_error;
  trial.verdict = judge_result(*problem.truth, problem.known, problem.geodesic.from, problem.geodesic.to, result);
  trial.judge_work = worked() - solved;
  return trial;
}

// Where there is one geodesic only, a shorter curve refutes every longer claim.
void compare_with_others(const Problem& problem, std::vector<Trial>& trials) {
  if (!problem.known.unique || problem.known.complete) return;
  const Trial* shortest = nullptr;
  for (const Trial& t : trials) {
    if (!t.verdict.measured || !t.verdict.joins) continue;
    if (shortest == nullptr || t.verdict.length < shortest->verdict.length) shortest = &t;
  }
  if (shortest == nullptr) return;
  const Real least = shortest->verdict.length;
  const std::string whose = shortest->solver;
  for (Trial& t : trials) {
    if (!t.verdict.claimed || t.verdict.falsehood != Falsehood::kNone) continue;
    if (!(t.verdict.length > least * (1 + kClaimAccuracy))) continue;
    t.verdict.falsehood = Falsehood::kNotTheLength;
    t.verdict.why = fmt::format("there is one geodesic only, and the curve of {} is shorter: {:.15Lg}, not {:.15Lg}",
                                whose, least, t.verdict.length);
  }
}

class Hunt {
 public:
  Hunt(const SolverRegistry& registry, const std::vector<Family>& families, const HuntOptions& options)
      : options_(options), schedule_(families, options.problem), start_(Clock::now()) {
    for (const HuntedSolver& s : options.solvers) solvers_.push_back(registry.make(s.chain));
    tally_.seed = options.seed;
    tally_.time_limit = options.time_limit;
  }

  Tally run() {
    const int hardware = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    const int threads = options_.threads > 0 ? options_.threads : hardware;
    {
      std::vector<std::jthread> helpers;
      for (int i = 1; i < threads; ++i) helpers.emplace_back([this] { work(); });
      work();
    }
    tally_.seconds = since(start_);
    return std::move(tally_);
  }

 private:
  bool stopped() const {
    if (options_.should_stop && options_.should_stop()) return true;
    return options_.seconds > 0 && since(start_) > options_.seconds;
  }

  bool due(std::size_t solver, std::uint64_t problem) const {
    return options_.problem || problem % static_cast<std::uint64_t>(options_.solvers[solver].every) == 0;
  }

  std::optional<Turn> next() {
    const std::lock_guard lock(mutex_);
    if (stopped() || (options_.solves > 0 && scheduled_ >= options_.solves)) return std::nullopt;
    std::optional<Turn> turn = schedule_.next();
    for (std::size_t s = 0; turn && s < solvers_.size(); ++s) scheduled_ += due(s, turn->problem) ? 1 : 0;
    return turn;
  }

  void work() {
    while (const std::optional<Turn> turn = next()) {
      const Problem problem = make_problem(*turn->family, options_.seed, turn->problem);
      std::vector<Trial> trials;
      for (std::size_t s = 0; s < solvers_.size(); ++s) {
        if (!due(s, turn->problem)) continue;
        trials.push_back(solve_and_judge(*solvers_[s], problem, options_));
        trials.back().family = turn->family->name;
        trials.back().problem = turn->problem;
        trials.back().solver = options_.solvers[s].chain;
        if (stopped()) break;
      }
      compare_with_others(problem, trials);
      const std::lock_guard lock(mutex_);
      for (const Trial& t : trials) tally_.add(t);
    }
  }

  const HuntOptions& options_;
  std::vector<std::unique_ptr<GeodesicSolver>> solvers_;
  std::mutex mutex_;
  Schedule schedule_;
  Clock::time_point start_;
  long scheduled_ = 0;
  Tally tally_;
};

}  // namespace

std::vector<HuntedSolver> default_solvers() {
  return {{"newton"}, {"energy"}, {"shooting"}, {"collocation"}, {"georce"}, {"string"}, {"discrete"}, {"auto", 4}};
}

Tally run_hunt(const SolverRegistry& registry, const std::vector<Family>& families, const HuntOptions& options) {
  return Hunt(registry, families, options).run();
}

}  // namespace pullback::hunt
