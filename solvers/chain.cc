#include "pullback/solvers/chain.h"

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace pullback {
namespace {

using Stages = std::vector<std::unique_ptr<const GeodesicSolver>>;

std::string chain_name(const Stages& stages) {
  std::string name;
  for (const auto& stage : stages) {
    if (stage == nullptr) throw std::invalid_argument("a chain of solvers has a null stage");
    if (!name.empty()) name += '+';
    name += stage->name();
  }
  if (name.empty()) throw std::invalid_argument("a chain of solvers needs at least one stage");
  return name;
}

}  // namespace

ChainSolver::ChainSolver(Stages stages) : GeodesicSolver(chain_name(stages)), stages_(std::move(stages)) {}

RawSolution ChainSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  GeodesicProblem current = problem;
  int iterations = 0;
  for (std::size_t i = 0;; ++i) {
    const GeodesicSolver& stage = *stages_[i];
    RawSolution outcome;
    try {
      outcome = run_other(stage, current, context);
    } catch (const std::exception& error) {
      outcome.message = error.what();
    }
    iterations += outcome.iterations;
    outcome.iterations = iterations;
    if (!outcome.curve.finite()) {
      outcome.message = stage.name() + ": " + outcome.message;
      return outcome;
    }
    if (i + 1 == stages_.size()) return outcome;
    if (context.should_stop()) {
      outcome.claim = context.stop_reason();
      outcome.message = "ended after " + stage.name() + ": " + outcome.message;
      return outcome;
    }
    current.initial = joined(outcome.curve, problem.from, problem.to);
    context.keep(current.initial);
    context.met_curve(current.initial);
  }
}

}  // namespace pullback
