#include "pullback/plugins/auto/auto.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/plugins/auto/candidates.h"
#include "pullback/plugins/auto/search.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// A geodesic at most this much longer than the ends are apart in ambient space needs no comparison.
constexpr double kAsGoodAsShortest = 1e-3;

std::unique_ptr<const GeodesicSolver> make_if_registered(const SolverRegistry& registry, const std::string& name,
                                                         const std::string& options = "") {
  const auto found = registry.entries().find(name);
  if (found == registry.entries().end() || !found->second.make) return nullptr;
  return registry.make(name + options);
}

// In more dimensions than this samples lie too far apart to show a way round anything; codes may.
constexpr int kMostSampled = 32;

// Two paths by edges of two chords, which descent takes the zigzag out of.
constexpr char kFew[] = ":most_points=2000,samples=400,alternatives=1,subdivisions=2,relaxation=0,nodes=16";
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

// Whether a length is that of the line between the images of the ends, which nothing can undercut.
bool as_short_as_can_be(const GeodesicProblem& problem, double length, Workspace& ws) {
  const Generator* f = problem.manifold->generator();
  if (f == nullptr) return false;
  Matrix Z(problem.from.size(), 2);
  Z << problem.from, problem.to;
  Vector apart(1);
  problem.manifold->chords(Z, apart, ws);
  return length <= (1 + kAsGoodAsShortest) * apart(0);
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
      few_(make_if_registered(registry, "graph", kFew)),
      graph_(make_if_registered(registry, "graph", fmt::format(":alternatives={}", options.alternatives))),
      smooth_(make_all(registry, {{"newton", ""}, {"energy", kBounded}, {"shooting", ""}})),
      rough_(make_all(registry, {{"newton", ""}, {"energy", kBounded}})),
      careful_(make_all(registry, {{"newton", ":nodes=256"}, {"energy", ":nodes=256"}})),
      fine_(make_if_registered(registry, "newton", ":nodes=2048,max_nodes=4096")) {}

// Whether a graph may find other ways than the straight line's.
bool AutoSolver::knows_other_ways(const GeodesicProblem& problem) const {
  return few_ != nullptr && (problem.points.cols() > 0 || problem.manifold->dimension() <= kMostSampled);
}

// The initial curve, and what the searches find of other ways.
std::vector<Curve> AutoSolver::starts(const GeodesicProblem& problem, SolveContext& context) const {
  std::vector<Curve> out = found_by(knows_other_ways(problem) ? graph_.get() : nullptr, problem, context);
  out.insert(out.begin(), problem.initial);
  return out;
}

// Paths of a graph. They are not told of as met: most are longer than what they are compared with, which takes fewer
// chords to see.
std::vector<Curve> AutoSolver::paths_of(const GeodesicSolver& graph, const GeodesicProblem& problem,
                                        SolveContext& context) {
  const std::size_t met = context.met_curves().size();
  std::vector<Curve> out = found_by(&graph, problem, context);
  context.change_met_curves(met, [](const Curve& /*path*/) { return Curve(); });
  std::erase_if(out, [](const Curve& path) { return path.pieces() <= 1; });  // the straight line, or none
  return out;
}

// What a search finds: the best first. Nothing where it fails.
std::vector<Curve> AutoSolver::found_by(const GeodesicSolver* solver, const GeodesicProblem& problem,
                                        SolveContext& context) {
  std::vector<Curve> out;
  if (solver == nullptr) return out;
  const std::size_t met = context.met_curves().size();
  try {
    out.push_back(run_other(*solver, problem, context).curve);
  } catch (const StopRequested&) {
    throw;
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
    allowance.within([&] { search.follow({problem.initial, "the initial curve", 0}, true); });
    if (std::isfinite(search.shortest())) {
      // Where a path of the small graph was shorter, or there are reasons besides, more of them may be.
      const auto follow_paths = [&](const GeodesicSolver& graph) {
        for (const Curve& path : paths_of(graph, problem, context)) {
          if (context.should_stop()) break;
          allowance.within([&] { search.follow_if_within_reach(path); });
        }
      };
      if (knows_other_ways(problem) && !as_short_as_can_be(problem, search.shortest(), context.workspace())) {
        const double first = search.shortest();
        if (!search.one_of_many()) follow_paths(*few_);
        if (search.shortest() < first || search.one_of_many()) follow_paths(*graph_);
      }
    } else {
      const std::vector<Start> sorted = sorted_starts(
          problem, [&] { return starts(problem, context); }, options_, allowance, context);
      follow_starts(sorted, options_, search, allowance, context);
    }
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
