// A solver for tests that does what it is told.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "pullback/solvers/solver.h"

namespace pullback {

class StubSolver final : public GeodesicSolver {
 public:
  using Run = std::function<RawSolution(const GeodesicProblem&, SolveContext&)>;
  StubSolver(std::string name, Run run) : GeodesicSolver(std::move(name)), run_(std::move(run)) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override {
    return run_(problem, context);
  }

  Run run_;
};

inline std::unique_ptr<GeodesicSolver> stub_solver(std::string name, StubSolver::Run run) {
  return std::make_unique<StubSolver>(std::move(name), std::move(run));
}

}  // namespace pullback
