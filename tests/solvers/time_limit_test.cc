// What bounds a solve: its time limit, its caller, and what generators throw.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "pullback/base/stop.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/solvers/chain.h"
#include "stub_solver.h"

namespace pullback {
namespace {

using Value = std::function<Matrix(const ConstMatrixRef&)>;

// The plane in R³, evaluated by the function given.
GeodesicProblem plane(Value value) {
  Callbacks callbacks;
  callbacks.value = std::move(value);
  GeodesicProblem problem;
  problem.manifold =
      std::make_shared<PullbackManifold>(std::make_shared<CallbackGenerator>(2, 3, std::move(callbacks)));
  problem.from = Vector{{0.0, 0.0}};
  problem.to = Vector{{1.0, 0.0}};
  return problem;
}

Matrix flat(const ConstMatrixRef& Z) {
  Matrix X(3, Z.cols());
  X << Z, Matrix::Zero(1, Z.cols());
  return X;
}

Curve bent() {
  Matrix nodes(2, 3);
  nodes << 0, 0.5, 1, 0, 0.25, 0;
  return Curve::through(nodes);
}

// Evaluates without end and asks nobody.
RawSolution endless(const GeodesicProblem& problem, SolveContext& context) {
  Vector d(1);
  for (;;) problem.manifold->chords(Curve::straight(problem.from, problem.to).positions(), d, context.workspace());
}

TEST(TimeLimit, EndsASolverThatDoesNotAsk) {
  SolveControl control;
  control.time_limit = 0.01;
  const GeodesicResult result = stub_solver("endless", endless)->solve(plane(flat), control);
  EXPECT_EQ(result.termination, Termination::kTimeLimit) << result.message;
  EXPECT_NE(result.message.find("started from"), std::string::npos) << result.message;
  EXPECT_EQ(result.curve.positions(), Curve::straight(Vector{{0.0, 0.0}}, Vector{{1.0, 0.0}}).positions());
}

TEST(TimeLimit, ReturnsTheCurveThatTheSolverKept) {
  int asked = 0;
  SolveControl control;
  control.should_stop = [&asked] { return ++asked > 100; };
  const auto solver = stub_solver("keeping", [](const GeodesicProblem& problem, SolveContext& context) {
    context.keep(bent());
    context.keep(Curve());  // nothing is not better than something
    return endless(problem, context);
  });
  const GeodesicResult result = solver->solve(plane(flat), control);
  EXPECT_EQ(result.termination, Termination::kStopped) << result.message;
  EXPECT_EQ(result.curve.positions(), bent().positions());
}

TEST(TimeLimit, BringsKeptCurvesBackFromOtherCharts) {
  SolveControl control;
  control.should_stop = [] { return true; };
  const auto doubled = [](const Curve& curve) {
    return curve.transformed(2 * Matrix::Identity(2, 2), Vector::Zero(2));
  };
  const auto solver = stub_solver("inside", [&](const GeodesicProblem& problem, SolveContext& context) {
    const SolveContext::KeepChanged outer(context, doubled);
    const SolveContext::KeepChanged inner(context, doubled);
    context.keep(bent().transformed(0.25 * Matrix::Identity(2, 2), Vector::Zero(2)));
    return endless(problem, context);
  });
  EXPECT_EQ(solver->solve(plane(flat), control).curve.positions(), bent().positions());
}

TEST(TimeLimit, LeavesTheCurveOfTheStageBefore) {
  SolveControl control;
  control.time_limit = 0.05;
  std::vector<std::unique_ptr<const GeodesicSolver>> stages;
  stages.push_back(stub_solver("first", [](const GeodesicProblem&, SolveContext&) {
    return RawSolution{bent(), Termination::kStalled, "", 1, {}};
  }));
  stages.push_back(stub_solver("second", endless));
  const GeodesicResult result = ChainSolver(std::move(stages)).solve(plane(flat), control);
  EXPECT_EQ(result.termination, Termination::kTimeLimit);
  EXPECT_EQ(result.curve.positions(), bent().positions());
}

RawSolution straight(const GeodesicProblem& problem, SolveContext& /*context*/) {
  return {problem.initial, Termination::kConverged, "the straight line", 1, {}};
}

TEST(TimeLimit, EndsTheCertificateAndSaysSo) {
  std::int64_t evaluated = 0;
  const auto slow = [&evaluated](const ConstMatrixRef& Z) {
    evaluated += Z.cols();
    std::this_thread::sleep_for(std::chrono::milliseconds(5) * Z.cols());
    return flat(Z);
  };
  SolveControl control;
  control.time_limit = 0.2;
  const GeodesicResult result = stub_solver("straight", straight)->solve(plane(slow), control);
  EXPECT_EQ(result.termination, Termination::kTimeLimit) << result.message;
  EXPECT_NE(result.message.find("before the certificate was complete"), std::string::npos) << result.message;
  EXPECT_TRUE(std::isnan(result.certificate.residual));
  EXPECT_FALSE(result.curve.empty());
  EXPECT_LE(evaluated, 64 + 30);  // 5 ms each: 0.32 s, and a part of 0.15 s
}

TEST(TimeLimit, EndsTheCertificateOfASolveThatTheCallerStops) {
  std::int64_t evaluated = 0;
  const auto slow = [&evaluated](const ConstMatrixRef& Z) {
    evaluated += Z.cols();
    std::this_thread::sleep_for(std::chrono::milliseconds(5) * Z.cols());
    return flat(Z);
  };
  SolveControl control;
  control.should_stop = [&evaluated] { return evaluated >= 20; };
  const GeodesicResult result = stub_solver("straight", straight)->solve(plane(slow), control);
  EXPECT_NE(result.termination, Termination::kConverged);
  EXPECT_LE(evaluated, 20 + 60 + 30);  // 0.3 s, and a part
}

TEST(TimeLimit, AsksTheScopeAroundTheSolve) {
  const StopScope around([] { return true; });
  const GeodesicResult result = stub_solver("endless", endless)->solve(plane(flat));
  EXPECT_EQ(result.termination, Termination::kStopped) << result.message;
}

TEST(Budget, EndsWorkThatGoesOn) {
  const auto solver = stub_solver("eager", [](const GeodesicProblem& problem, SolveContext& context) {
    Vector d(1);
    RawSolution out{problem.initial, Termination::kConverged, "", 0, {}};
    {
      const SolveContext::Budget budget(context, 100);
      while (!context.should_stop()) {
        problem.manifold->chords(problem.initial.positions(), d, context.workspace());
      }
      EXPECT_TRUE(budget.spent());
      out.claim = context.stop_reason();
    }
    EXPECT_FALSE(context.should_stop());
    return out;
  });
  const GeodesicResult result = solver->solve(plane(flat));
  EXPECT_EQ(result.termination, Termination::kMaxIterations);
  EXPECT_GE(result.effort.evaluations.values, 100);
  EXPECT_LE(result.effort.evaluations.values, 102);
}

TEST(TimeLimit, OfNoNumberIsRefused) {
  for (const double limit : {-1.0, std::nan(""), 1e10, std::numeric_limits<double>::infinity()}) {
    SolveControl control;
    control.time_limit = limit;
    EXPECT_THROW(stub_solver("straight", straight)->solve(plane(flat), control), std::invalid_argument) << limit;
  }
}

TEST(Certificate, OfAGeneratorThatThrowsIsAFailureWithItsMessage) {
  const auto fragile = [](const ConstMatrixRef& Z) -> Matrix {
    if ((Z.row(0).array() > 0.9 && Z.row(0).array() < 0.95).any()) throw std::runtime_error("nothing is known there");
    return flat(Z);
  };
  const GeodesicResult result = stub_solver("straight", straight)->solve(plane(fragile));
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_NE(result.message.find("nothing is known there"), std::string::npos) << result.message;
  EXPECT_TRUE(std::isnan(result.certificate.length));
  EXPECT_FALSE(result.curve.empty());
}

}  // namespace
}  // namespace pullback
