#include "pullback/plugins/auto/auto.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/curves/saddle.h"
#include "pullback/plugins/auto/candidates.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// A start is followed only if it is no longer than this times the shortest geodesic found: relaxed on few chords, it is
// near its own.
constexpr double kWorthFollowing = 1.02;
constexpr int kSaddleChords = 128;
// A geodesic this much longer than the curve that it was followed from is another one's: few chords jumped. It is
// sought again on many.
constexpr double kLostItsWay = 1.001;
// A geodesic that turns up to this many times as sharply as the certificate allows, or is too long by up to this
// fraction, is one that its chords do not resolve: more of them may.
constexpr double kResolvable = 5;
constexpr double kNearlyExact = 1e-4;

std::unique_ptr<const GeodesicSolver> make_if_registered(const SolverRegistry& registry, const std::string& name,
                                                         const std::string& options = "") {
  const auto found = registry.entries().find(name);
  if (found == registry.entries().end() || !found->second.make) return nullptr;
  return registry.make(name + options);
}

// Where energy helps it takes ten or twenty iterations; on curves that no chord resolves it would go on for minutes.
constexpr char kBounded[] = ":max_iterations=60";

// A solver for one geodesic, and its options.
struct Local {
  const char* name;
  const char* options;
};

std::vector<std::unique_ptr<const GeodesicSolver>> make_all(const SolverRegistry& registry,
                                                            std::initializer_list<Local> solvers) {
  std::vector<std::unique_ptr<const GeodesicSolver>> out;
  for (const Local& local : solvers) {
    if (auto solver = make_if_registered(registry, local.name, local.options)) out.push_back(std::move(solver));
  }
  if (out.empty()) throw std::invalid_argument("solver 'auto' needs the solver 'energy' or 'newton' to be registered");
  return out;
}

bool wants_more_chords(const Candidate& candidate) {
  if (candidate.verdict.termination != Termination::kStalled) return false;
  const CertificateLimits limits;
  const Certificate& c = candidate.certificate;
  return c.max_turning_angle <= limits.max_turning_angle
             ? c.relative_excess <= kNearlyExact
             : c.max_turning_angle <= kResolvable * limits.max_turning_angle;
}

using Solvers = std::vector<std::unique_ptr<const GeodesicSolver>>;
// Runs one solver's algorithm; what it throws becomes its solution.
using Runner = std::function<RawSolution(const GeodesicSolver&, const GeodesicProblem&)>;

// Follows starts to geodesics, and keeps what is found.
class Search {
 public:
  Search(const GeodesicProblem& problem, const Solvers& solvers, const Solvers& careful, const GeodesicSolver* fine,
         Runner run, int escapes, SolveContext& context)
      : problem_(problem),
        solvers_(solvers),
        careful_(careful),
        fine_(fine),
        run_(std::move(run)),
        escapes_(escapes),
        context_(context) {}

  // Worth following when no converged curve is known that goes the same way or is clearly shorter.
  bool worthwhile(const Start& start) const;
  // Errors: StopRequested; what was found before is kept.
  void follow(const Start& start);
  // Where nothing converged the start may be shorter than all that the solvers made of it.
  void fall_back();
  // The shortest start, for that.
  void remember(Start start) { shortest_start_ = std::move(start); }
  // The best of what was found; the others are told of as met. Evaluates nothing.
  RawSolution result();
  bool found_any() const;

 private:
  Candidate solve_from(const Start& start, const Solvers& solvers);
  void run_all(const Start& start, const Solvers& solvers, Candidate& best);
  Candidate solved(const GeodesicSolver& solver, const GeodesicProblem& from, const std::string& origin, bool* settled);
  std::string explanation(const Candidate& best) const;

  const GeodesicProblem& problem_;
  const Solvers& solvers_;
  const Solvers& careful_;
  const GeodesicSolver* fine_;
  const Runner run_;
  const int escapes_;
  SolveContext& context_;
  std::vector<Candidate> found_;
  std::optional<Start> shortest_start_;
  int iterations_ = 0;
  int left_saddles_ = 0;
};

bool Search::worthwhile(const Start& start) const {
  for (const Candidate& known : found_) {
    if (!known.converged()) continue;
    const double length = known.certificate.length;
    if (start.length > kWorthFollowing * length) return false;
    if (same_way(*problem_.manifold, start, {known.curve, "", length}, context_.workspace())) return false;
  }
  return true;
}

// One solver's curve, certified; *settled: whether it claimed to have converged.
Candidate Search::solved(const GeodesicSolver& solver, const GeodesicProblem& from, const std::string& origin,
                         bool* settled) {
  RawSolution solution = run_(solver, from);
  iterations_ += solution.iterations;
  *settled = solution.claim == Termination::kConverged;
  return certified(problem_, std::move(solution), fmt::format("{} from {}", solver.name(), origin), context_);
}

Candidate Search::solve_from(const Start& start, const Solvers& solvers) {
  Candidate best;
  try {
    run_all(start, solvers, best);
  } catch (const StopRequested&) {
    if (!best.curve.empty()) found_.push_back(std::move(best));
    throw;
  }
  return best;
}

// One solver after the other, each from the curve before where there is one, until one converges or ends at a saddle.
void Search::run_all(const Start& start, const Solvers& solvers, Candidate& best) {
  GeodesicProblem current = problem_;
  current.initial = start.curve;
  for (const auto& solver : solvers) {
    bool settled = false;
    Candidate candidate = solved(*solver, current, start.origin, &settled);
    if (fine_ != nullptr && settled && wants_more_chords(candidate) && !context_.should_stop()) {
      current.initial = candidate.curve;
      Candidate finer = solved(*fine_, current, start.origin, &settled);
      if (better(finer, candidate)) candidate = std::move(finer);
    }
    if (best.curve.empty() || better(candidate, best)) best = std::move(candidate);
    // A curve that rests on its chords but turns too sharply for its second variation stays so for other solvers.
    const bool too_sharp = settled && best.certificate.max_turning_angle > CertificateLimits{}.max_turning_angle;
    const bool done = too_sharp || best.converged() || best.verdict.termination == Termination::kStationary;
    if (done || context_.should_stop()) break;
    const bool astray = start.length > 0 && best.certificate.length > kLostItsWay * start.length;
    current.initial = best.curve.finite() && !astray ? best.curve : start.curve;
  }
}

void Search::follow(const Start& start) {
  std::deque<Start> queue{start};
  while (!queue.empty() && !context_.should_stop()) {
    const Start next = std::move(queue.front());
    queue.pop_front();
    Candidate candidate = solve_from(next, solvers_);
    if (candidate.converged() && candidate.certificate.length > kLostItsWay * next.length && next.length > 0) {
      found_.push_back(std::move(candidate));
      candidate = solve_from(next, careful_);
    }
    if (candidate.verdict.termination == Termination::kStationary && left_saddles_ < escapes_) {
      ++left_saddles_;
      for (Curve& side : beside_saddle(*problem_.manifold, candidate.curve, kSaddleChords, context_.workspace())) {
        queue.push_back({joined(side, problem_.from, problem_.to), "beside a saddle", 0});
      }
    }
    found_.push_back(std::move(candidate));
  }
}

void Search::fall_back() {
  if (!shortest_start_) return;
  if (std::any_of(found_.begin(), found_.end(), [](const Candidate& known) { return known.converged(); })) return;
  RawSolution solution;
  solution.curve = shortest_start_->curve;
  solution.claim = Termination::kStalled;
  solution.message = "no solver made it shorter";
  found_.push_back(certified(problem_, std::move(solution), shortest_start_->origin, context_));
}

std::string Search::explanation(const Candidate& best) const {
  std::string lengths;
  int others = 0;
  for (const Candidate& candidate : found_) {
    if (&candidate == &best || candidate.curve.empty()) continue;
    ++others;
    lengths += fmt::format("{}{:.6g} ({})", lengths.empty() ? "" : ", ", candidate.certificate.length,
                           to_string(candidate.verdict.termination));
  }
  std::string text = fmt::format("{}: {}", best.origin, best.verdict.message);
  if (left_saddles_ > 0) text += fmt::format("; {} saddle{} left", left_saddles_, left_saddles_ == 1 ? "" : "s");
  if (others > 0) text += fmt::format("; the best of {} curves, the others {}", others + 1, lengths);
  return text;
}

bool Search::found_any() const {
  return std::any_of(found_.begin(), found_.end(), [](const Candidate& known) { return known.curve.finite(); });
}

RawSolution Search::result() {
  const auto best = std::min_element(found_.begin(), found_.end(), better);
  RawSolution out;
  out.iterations = iterations_;
  out.claim = best->verdict.termination;
  out.message = explanation(*best);
  out.curve = best->curve;
  out.regularisation = best->regularisation;
  for (auto other = found_.begin(); other != found_.end(); ++other) {
    if (other != best && other->curve.finite()) context_.met_curve(std::move(other->curve));
  }
  return out;
}

// Where hard problems take 100,000 evaluations, this ends those on which every solver goes on and on. A point costs
// linear algebra besides, which grows with the dimension.
std::int64_t work_for(int dimension) {
  constexpr std::int64_t kWork = 2'000'000;
  constexpr std::int64_t kLeastWork = 200'000;
  return std::max(kWork / dimension, kLeastWork);
}

// Deals out the evaluations: each task may take half of what is left, so that one on which solvers go on and on leaves
// enough for those after it.
class Allowance {
 public:
  Allowance(SolveContext& context, std::int64_t points) : context_(context), last_(context.work() + points) {}

  void within(const std::function<void()>& task) {
    const SolveContext::Budget budget(context_, std::max<std::int64_t>(0, last_ - context_.work()) / 2);
    try {
      task();
      spent_ = spent_ || budget.spent();
    } catch (const StopRequested&) {
      if (!budget.spent()) throw;
      spent_ = true;
    }
  }

  bool spent() const { return spent_; }

 private:
  SolveContext& context_;
  const std::int64_t last_;
  bool spent_ = false;
};

// The starts from the shortest on, relaxed; at least the initial curve.
std::vector<Start> sorted_starts(const GeodesicProblem& problem, const std::function<std::vector<Curve>()>& find,
                                 const AutoOptions& options, Allowance& allowance, SolveContext& context) {
  std::vector<Start> sorted;
  allowance.within([&] {
    std::vector<Start> named;
    for (Curve& curve : find()) {
      named.push_back({std::move(curve), named.empty() ? "the initial curve" : "a path found", 0});
    }
    sorted = relaxed_and_sorted(problem, std::move(named), options.relaxation, context);
  });
  if (sorted.empty()) sorted.push_back({problem.initial, "the initial curve", 0});
  return sorted;
}

// Follows the shortest of the starts that are worth it.
void follow_starts(const std::vector<Start>& sorted, const AutoOptions& options, Search& search, Allowance& allowance,
                   SolveContext& context) {
  search.remember(sorted.front());
  int followed = 0;
  for (const Start& start : sorted) {
    if (followed == options.starts || context.should_stop()) break;
    bool worthwhile = false;
    allowance.within([&] {
      worthwhile = search.worthwhile(start);
      if (worthwhile) search.follow(start);
    });
    if (worthwhile) ++followed;
  }
  if (!context.should_stop()) search.fall_back();
}

RawSolution nothing_found(const GeodesicProblem& problem, bool spent, SolveContext& context) {
  const bool kept = !context.kept().empty();
  RawSolution out;
  out.curve = kept ? joined(context.kept(), problem.from, problem.to) : problem.initial;
  out.claim = spent ? Termination::kMaxIterations : Termination::kNumericalFailure;
  if (context.should_stop()) out.claim = context.stop_reason();
  out.message = fmt::format("ended before a geodesic was found; the curve is {}",
                            kept ? "the last that was tried" : "the one it started from");
  return out;
}

}  // namespace

AutoSolver::AutoSolver(AutoOptions options, const SolverRegistry& registry)
    : GeodesicSolver("auto"),
      options_(options),
      graph_(make_if_registered(registry, "graph", fmt::format(":alternatives={}", options.alternatives))),
      smooth_(make_all(registry, {{"newton", ""}, {"energy", kBounded}, {"shooting", ""}})),
      rough_(make_all(registry, {{"newton", ""}, {"energy", kBounded}})),
      careful_(make_all(registry, {{"newton", ":nodes=256"}, {"energy", ":nodes=256"}})),
      fine_(make_if_registered(registry, "newton", ":nodes=2048,max_nodes=4096")) {}

// The initial curve, and what the searches find of other ways.
std::vector<Curve> AutoSolver::starts(const GeodesicProblem& problem, SolveContext& context) const {
  std::vector<Curve> out{problem.initial};
  if (graph_ == nullptr) return out;
  const std::size_t met = context.met_curves().size();
  try {
    out.push_back(run_other(*graph_, problem, context).curve);
  } catch (const std::exception&) {
    return out;  // the initial curve will do
  }
  out.insert(out.end(), context.met_curves().begin() + static_cast<std::ptrdiff_t>(met), context.met_curves().end());
  return out;
}

RawSolution AutoSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  const Runner runner = [&context](const GeodesicSolver& solver, const GeodesicProblem& from) {
    try {
      return run_other(solver, from, context);
    } catch (const std::exception& error) {
      RawSolution out;
      out.message = error.what();
      return out;
    }
  };
  const bool smooth = problem.manifold->smooth();  // where it is not, no number of chords resolves the kinks
  Search search(problem, smooth ? smooth_ : rough_, careful_, smooth ? fine_.get() : nullptr, runner, options_.escapes,
                context);
  Allowance allowance(context, work_for(problem.manifold->dimension()));
  try {
    const std::vector<Start> sorted = sorted_starts(
        problem, [&] { return starts(problem, context); }, options_, allowance, context);
    follow_starts(sorted, options_, search, allowance, context);
  } catch (const StopRequested&) {
    if (!search.found_any()) throw;  // the curve kept last is all that there is
  }
  if (!search.found_any()) return nothing_found(problem, allowance.spent(), context);
  RawSolution out = search.result();
  if (allowance.spent()) out.message += "; all the evaluations that it may take were taken";
  if (context.should_stop() && out.claim != Termination::kConverged) out.claim = context.stop_reason();
  return out;
}

const PluginInfo* pullback_plugin_auto() {
  static const PluginInfo info{
      kPluginApiVersion, "auto", "1.0", this_build(), [](PluginRegistrar& registrar) {
        SolverEntry entry;
        entry.name = "auto";
        entry.description = "the default: several starts, the local solver that suits, saddles left, the shortest kept";
        entry.traits = {.needs_second_derivatives = true, .handles_kinks = true, .uses_points = true, .accuracy = 1e-8};
        entry.options = list_options<AutoOptions>();
        entry.make = [](const SolverRecipe& recipe) {
          return std::make_unique<AutoSolver>(parse_options<AutoOptions>("auto", recipe.values), recipe.registry);
        };
        registrar.solvers.add(std::move(entry));
      }};
  return &info;
}

}  // namespace pullback
