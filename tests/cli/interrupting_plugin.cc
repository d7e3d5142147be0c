// A solver that presses Ctrl-C: it returns the straight line and sends the signal during its solve number `after`.
#include <atomic>
#include <csignal>

#include "pullback/solvers/plugin.h"

namespace {

struct InterruptOptions {
  int after = 2;
  int times = 1;
  template <class V>
  void visit(V&& visit) {
    visit("after", after, "solve during which the signal comes", 1, 1e6);
    visit("times", times, "how often it is sent", 1, 10);
  }
};

std::atomic<int> g_solves{0};

class InterruptingSolver : public pullback::GeodesicSolver {
 public:
  explicit InterruptingSolver(InterruptOptions options) : GeodesicSolver("interrupt"), options_(options) {}

 private:
  pullback::RawSolution run(const pullback::GeodesicProblem& problem, pullback::SolveContext& context) const override {
    if (++g_solves == options_.after) {
      for (int i = 0; i < options_.times; ++i) std::raise(SIGINT);
    }
    pullback::RawSolution outcome;
    outcome.curve = problem.initial;
    outcome.claim = context.should_stop() ? context.stop_reason() : pullback::Termination::kConverged;
    return outcome;
  }

  InterruptOptions options_;
};

}  // namespace

PULLBACK_PLUGIN("interrupt", "1.0", [](pullback::PluginRegistrar& registrar) {
  registrar.solvers.add<InterruptingSolver, InterruptOptions>("interrupt", "presses Ctrl-C", "");
})
