#include "pullback/solvers/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pullback/manifold/metrics/metric_manifold.h"
#include "stub_solver.h"

namespace pullback {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A few rounding errors of numbers of order one.
constexpr double kRounding = 1e-14;

Curve bent(const GeodesicProblem& problem, double height) {
  Matrix nodes(2, 5);
  for (int i = 0; i < 5; ++i) {
    nodes.col(i) = problem.from + (problem.to - problem.from) * (i / 4.0);
    nodes(1, i) += height * i * (4 - i);
  }
  return Curve::through(nodes);
}

RawSolution outcome(Curve curve, Termination claim, std::string message, int iterations) {
  RawSolution result;
  result.curve = std::move(curve);
  result.claim = claim;
  result.message = std::move(message);
  result.iterations = iterations;
  return result;
}

class Chain : public testing::Test {
 protected:
  Chain() {
    problem_.manifold = half_plane();
    problem_.from = Eigen::Vector2d(-0.5, 1.0);
    problem_.to = Eigen::Vector2d(0.5, 1.5);
  }

  // A stage that remembers what it started from and returns the curve bent by `height`.
  void add_bending(const std::string& name, double height, int iterations) {
    add(name, [this, name, height, iterations](const GeodesicProblem& problem, SolveContext&) {
      starts_.push_back(problem.initial);
      return outcome(bent(problem, height), Termination::kStalled, "bent by " + name, iterations);
    });
  }

  void add(const std::string& name, StubSolver::Run run) { stages_.push_back(stub_solver(name, std::move(run))); }

  GeodesicResult solve(const SolveControl& control = {}) {
    return ChainSolver(std::move(stages_)).solve(problem_, control);
  }

  GeodesicProblem problem_;
  std::vector<std::unique_ptr<const GeodesicSolver>> stages_;
  std::vector<Curve> starts_;
};

TEST_F(Chain, StartsEachStageFromTheCurveOfTheOneBefore) {
  add_bending("first", 0.01, 2);
  add_bending("second", 0.02, 3);
  add_bending("third", 0.03, 4);
  const GeodesicResult result = solve();
  ASSERT_EQ(starts_.size(), 3u);
  EXPECT_EQ(starts_[1].positions(), bent(problem_, 0.01).positions());
  EXPECT_EQ(starts_[2].positions(), bent(problem_, 0.02).positions());
  EXPECT_EQ(result.curve.positions(), bent(problem_, 0.03).positions());
  EXPECT_EQ(result.solver, "first+second+third");
  EXPECT_EQ(result.effort.iterations, 2 + 3 + 4);
}

TEST_F(Chain, TellsOfShorterCurvesOfEarlierStages) {
  add_bending("near", 0.001, 1);
  add_bending("far", 0.2, 1);
  const GeodesicResult result = solve();
  ASSERT_TRUE(result.certificate.shorter_known.has_value());
  EXPECT_LT(*result.certificate.shorter_known, result.certificate.length);
}

TEST_F(Chain, EndsWithTheStageThatHasNoCurve) {
  add_bending("first", 0.01, 2);
  add("second", [](const GeodesicProblem&, SolveContext&) {
    return outcome({}, Termination::kDegenerate, "the graph is disconnected", 5);
  });
  add_bending("third", 0.03, 4);
  const GeodesicResult result = solve();
  EXPECT_EQ(starts_.size(), 1u);
  EXPECT_TRUE(result.curve.empty());
  EXPECT_EQ(result.termination, Termination::kDegenerate);
  EXPECT_EQ(result.message, "second: the graph is disconnected");
  EXPECT_EQ(result.effort.iterations, 2 + 5);
}

TEST_F(Chain, NamesTheStageThatThrew) {
  add("first", [](const GeodesicProblem&, SolveContext&) -> RawSolution { throw std::runtime_error("no luck"); });
  add_bending("second", 0.01, 1);
  const GeodesicResult result = solve();
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_EQ(result.message, "first: no luck");
  EXPECT_TRUE(starts_.empty());
}

TEST_F(Chain, DoesNotStartFromACurveThatIsNotFinite) {
  add("first", [](const GeodesicProblem& problem, SolveContext&) {
    return outcome(bent(problem, std::numeric_limits<double>::quiet_NaN()), Termination::kStalled, "lost", 1);
  });
  add_bending("second", 0.01, 1);
  EXPECT_THAT(solve().message, StartsWith("first: "));
  EXPECT_TRUE(starts_.empty());
}

TEST_F(Chain, StopsBetweenStagesWithTheCurveThatThereIs) {
  bool stop = false;
  add("first", [&](const GeodesicProblem& problem, SolveContext&) {
    stop = true;
    return outcome(bent(problem, 0.01), Termination::kConverged, "bent", 1);
  });
  add_bending("second", 0.02, 1);
  SolveControl control;
  control.should_stop = [&] { return stop; };
  const GeodesicResult result = solve(control);
  EXPECT_EQ(result.termination, Termination::kStopped);
  EXPECT_THAT(result.message, HasSubstr("first: bent"));
  EXPECT_TRUE(starts_.empty());
  EXPECT_EQ(result.curve.positions(), bent(problem_, 0.01).positions());
}

TEST_F(Chain, BendsACurveThatMissesTheEndsToThem) {
  Curve missing;
  add("first", [&](const GeodesicProblem& problem, SolveContext&) {
    Curve curve = bent(problem, 0.02);
    const Matrix none = Matrix::Zero(2, 5);
    missing = Curve(curve.times(), curve.positions().colwise() + Eigen::Vector2d(0.1, 0.2), curve.velocities(), none);
    return outcome(missing, Termination::kMaxIterations, "missed", 1);
  });
  add_bending("second", 0.01, 1);
  solve();
  ASSERT_EQ(starts_.size(), 1u);
  EXPECT_EQ(starts_[0].positions().col(0), problem_.from);
  EXPECT_EQ(starts_[0].positions().col(4), problem_.to);
  // Both ends miss by the same, so that the whole curve is shifted back.
  EXPECT_TRUE(starts_[0].positions().isApprox(bent(problem_, 0.02).positions(), kRounding));
  EXPECT_TRUE(starts_[0].velocities().isApprox(missing.velocities(), kRounding));
  EXPECT_TRUE(starts_[0].quintic());
}

TEST_F(Chain, BendingKeepsVelocitiesTheDerivativeOfPositions) {
  add("first", [&](const GeodesicProblem& problem, SolveContext&) {
    return outcome(Curve::straight(problem.from, Eigen::Vector2d(problem.to + Eigen::Vector2d(0.3, 0.4))),
                   Termination::kMaxIterations, "overshot", 1);
  });
  add_bending("second", 0.01, 1);
  solve();
  ASSERT_EQ(starts_.size(), 1u);
  const Vector middle = starts_[0].position(Vector::Constant(1, 0.5));
  EXPECT_TRUE(middle.isApprox((problem_.from + problem_.to) / 2, kRounding));
}

TEST_F(Chain, RefusesToBeEmpty) {
  EXPECT_THROW(ChainSolver({}), std::invalid_argument);
  stages_.push_back(nullptr);
  EXPECT_THROW(ChainSolver(std::move(stages_)), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
