// The driver of refinement, with methods that do what they are told.
#include "pullback/solvers/refinement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "pullback/generators/formula/callback.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/solvers/start.h"

namespace pullback {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

GeodesicProblem plane() {
  Callbacks callbacks;
  callbacks.value = [](const ConstMatrixRef& Z) { return Matrix(Z); };
  GeodesicProblem problem;
  problem.manifold =
      std::make_shared<PullbackManifold>(std::make_shared<CallbackGenerator>(2, 2, std::move(callbacks)));
  problem.from = Vector{{0.0, 0.0}};
  problem.to = Vector{{1.0, 2.0}};
  problem.initial = Curve::straight(problem.from, problem.to);
  return problem;
}

class Refinement : public ::testing::Test {
 protected:
  // Refines from 8 chords a method whose levels are given, one after the other.
  RawSolution run(const std::vector<RefinementLevel>& levels, int max_nodes, bool stopped = false) {
    control_.should_stop = [stopped] { return stopped; };
    context_.should_stop();  // says why
    method_.solve = [&](Matrix& nodes, const RefinementTask& task) {
      chords_.push_back(static_cast<int>(nodes.cols()) - 1);
      tasks_.push_back(task);
      return levels[static_cast<std::size_t>(task.level)];
    };
    return refine(*problem_.manifold, starting_nodes(problem_, 8, workspace_), method_, {max_nodes, 1e-6}, context_);
  }

  GeodesicProblem problem_ = plane();
  Workspace workspace_;
  SolveControl control_;
  SolveContext context_{control_, workspace_};
  RefinedMethod method_;
  std::vector<int> chords_;
  std::vector<RefinementTask> tasks_;
};

constexpr double kRounding = 1e-14;  // of nodes at equal distances
constexpr auto kConverged = IterationStatus::kConverged;

TEST_F(Refinement, DoublesTheChordsUntilTheExcessIsWithinTheTolerance) {
  const RawSolution out = run({{kConverged, 5, {}, ""}, {kConverged, 2, 2e-6, ""}, {kConverged, 1, 1e-6, ""}}, 1024);
  EXPECT_THAT(chords_, ElementsAre(8, 16, 32));
  EXPECT_EQ(out.claim, Termination::kConverged);
  EXPECT_EQ(out.iterations, 8);
  EXPECT_EQ(tasks_[2].first_iteration, 7);
  EXPECT_THAT(out.message, HasSubstr("32 chords, 1 iteration at"));
  EXPECT_EQ(out.curve.pieces(), 32);
  EXPECT_EQ(out.curve.positions().col(32), problem_.to);
}

TEST_F(Refinement, EndsWithTheMostChordsAllowedWhichItsMethodIsTold) {
  run({{kConverged, 1, {}, ""}, {kConverged, 1, 1, ""}, {kConverged, 1, 1, ""}}, 35);
  EXPECT_THAT(chords_, ElementsAre(8, 16, 32));
  EXPECT_FALSE(tasks_[1].last);
  EXPECT_TRUE(tasks_[2].last);
}

TEST_F(Refinement, TakesAnExcessThatIsNotANumberForNone) {
  run({{kConverged, 1, {}, ""}, {kConverged, 1, std::numeric_limits<double>::quiet_NaN(), ""}}, 1024);
  EXPECT_THAT(chords_, ElementsAre(8, 16));
}

// What more chords may mend is refined; all else ends there, with its own claim.
TEST_F(Refinement, GoesOnFromWhatMoreChordsMayMendAlone) {
  for (const auto status : {IterationStatus::kSaddle, IterationStatus::kUnresolved}) {
    chords_.clear();
    run({{status, 1, {}, ""}, {kConverged, 1, 0, ""}}, 1024);
    EXPECT_THAT(chords_, ElementsAre(8, 16));
  }
  using enum Termination;
  const std::vector<std::pair<IterationStatus, Termination>> ends{{IterationStatus::kMaxIterations, kMaxIterations},
                                                                  {IterationStatus::kStalled, kStalled},
                                                                  {IterationStatus::kSingular, kStalled},
                                                                  {IterationStatus::kNotFinite, kNumericalFailure}};
  for (const auto& [status, claim] : ends) {
    chords_.clear();
    const RawSolution out = run({{status, 3, {}, ""}}, 1024);
    EXPECT_THAT(chords_, ElementsAre(8));
    EXPECT_EQ(out.claim, claim);
    EXPECT_FALSE(out.curve.empty());
    EXPECT_THAT(out.message, HasSubstr("8 chords"));
  }
}

TEST_F(Refinement, ClaimsWhyTheContextStoppedIt) {
  const RawSolution out = run({{IterationStatus::kStopped, 3, {}, ""}}, 1024, true);
  EXPECT_EQ(out.claim, Termination::kStopped);
}

TEST_F(Refinement, TakesCurvesNodesAndMessageOfTheMethod) {
  method_.curve = [](const Matrix& nodes) { return Curve::through(2 * nodes); };
  method_.refined = [](const Matrix& nodes) { return Matrix(nodes.leftCols(7)); };
  const RawSolution out = run({{kConverged, 1, {}, ""}, {kConverged, 1, 0, "a message of its own"}}, 1024);
  EXPECT_THAT(chords_, ElementsAre(8, 6));
  EXPECT_EQ(out.message, "a message of its own");
  EXPECT_EQ(out.curve.pieces(), 6);
  EXPECT_NEAR(out.curve.positions()(0, 6), 2 * 0.75, kRounding);
}

TEST(ChordExcess, IsAnEighthOfWhatTheDoublingGained) {
  EXPECT_FALSE(chord_excess({}, 2, 1));
  EXPECT_EQ(*chord_excess({.level = 1}, 2.5, 2), 0.5 * 0.5 / 2 / 8);
}

}  // namespace
}  // namespace pullback
