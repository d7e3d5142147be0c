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

bool is_usable(const Curve& curve) {
  return !curve.empty() && curve.positions().allFinite() && curve.velocities().allFinite() &&
         curve.accelerations().allFinite();
}

// The curve moved by (1−t) δ_0 + t δ_1, so that it joins the ends exactly.
Curve joined(const Curve& curve, const Vector& from, const Vector& to) {
  const Vector miss_from = from - curve.positions().col(0);
  const Vector miss_to = to - curve.positions().rightCols(1);
  if (miss_from.isZero(0) && miss_to.isZero(0)) return curve;
  const Vector& t = curve.times();
  Matrix positions = curve.positions() + miss_from * (1 - t.array()).matrix().transpose() + miss_to * t.transpose();
  positions.col(0) = from;
  positions.rightCols(1) = to;
  Matrix velocities = curve.velocities().colwise() + (miss_to - miss_from);
  if (!curve.quintic()) return Curve(t, std::move(positions), std::move(velocities));
  return Curve(t, std::move(positions), std::move(velocities), curve.accelerations());
}

}  // namespace

ChainSolver::ChainSolver(Stages stages) : GeodesicSolver(chain_name(stages)), stages_(std::move(stages)) {}

Outcome ChainSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  GeodesicProblem current = problem;
  int iterations = 0;
  for (std::size_t i = 0;; ++i) {
    const GeodesicSolver& stage = *stages_[i];
    Outcome outcome;
    try {
      outcome = run_other(stage, current, context);
    } catch (const std::exception& error) {
      outcome.message = error.what();
    }
    iterations += outcome.iterations;
    outcome.iterations = iterations;
    if (!is_usable(outcome.curve)) {
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
    context.met_curve(current.initial);
  }
}

}  // namespace pullback
