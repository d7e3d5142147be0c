// The smallest plugin: the straight line, whose claim to be a geodesic the library checks.
#include "pullback/solvers/plugin.h"

struct StraightOptions {
  int nodes = 64;
  template <class V>
  void visit(V&& visit) {
    visit("nodes", nodes, "chords of the curve returned", 4, 10'000);
  }
};

class StraightSolver final : public pullback::GeodesicSolver {
 public:
  explicit StraightSolver(const StraightOptions& options) : GeodesicSolver("straight"), options_(options) {}

 private:
  pullback::RawSolution run(const pullback::GeodesicProblem& problem, pullback::SolveContext& context) const override {
    pullback::RawSolution solution;
    solution.curve = pullback::constant_speed(*problem.manifold, problem.initial, options_.nodes, context.workspace());
    solution.claim = pullback::Termination::kConverged;  // only a claim: the library measures whether it is true
    if (context.should_stop()) solution.claim = context.stop_reason();
    solution.message = "the starting curve at constant speed";
    return solution;
  }

  StraightOptions options_;
};

PULLBACK_PLUGIN("straight", "1.0", [](pullback::PluginRegistrar& registrar) {
  registrar.solvers.add<StraightSolver, StraightOptions>("straight", "the straight line at constant speed",
                                                         "a baseline");
})
