// What every registered solver, and every chain that the project names, must keep.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/solvers/registry.h"

#include "cases.h"
#include "solvers_under_test.h"

namespace pullback {
namespace {

using testing::Case;
using testing::case_manifold;
using testing::CaseKind;
using testing::chains_under_test;
using testing::known_cases;
using testing::solvers_under_test;
using testing::test_name;

// Relative error of the length that "converged" may hide, whatever the solver: that of the weakest promise.
constexpr double kConvergedTolerance = 1e-6;
// Digits to which the known answers are written.
constexpr double kAnswerTolerance = 2e-10;
constexpr double kParaboloidLength = 1.929194426596;

// What a solver promises on smooth problems: the relative error of the length; 0: nothing (a graph's path).
double promise(const std::string& chain) { return solvers_under_test().traits(chain).accuracy; }

GeodesicProblem problem_of(const Case& c) {
  GeodesicProblem problem;
  problem.manifold = case_manifold(c);
  problem.from = c.from;
  problem.to = c.to;
  return problem;
}

double sampled_length(const Manifold& manifold, const Curve& curve, int points) {
  Workspace ws;
  Vector d(points - 1);
  manifold.chords(curve.position(uniform_times(points)), d, ws);
  return d.sum();
}

std::string outcome(const GeodesicResult& result) {
  std::ostringstream text;
  text.precision(13);
  text << to_string(result.termination) << " (" << result.message << "), length " << result.certificate.length;
  return text.str();
}

class SolverOnCase : public ::testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  const std::string& chain() const { return std::get<0>(GetParam()); }
  const Case& known() const { return std::get<1>(GetParam()); }
};

void expect_kind(const Case& c, const GeodesicResult& result, double promised) {
  const double error = result.certificate.length / c.shortest - 1;
  const bool converged = result.termination == Termination::kConverged;
  switch (c.kind) {
    case CaseKind::kSmooth:
      if (promised > 0) {
        EXPECT_TRUE(converged) << result.message;
        EXPECT_LE(std::abs(error), promised + kAnswerTolerance);
      }
      break;
    case CaseKind::kSaddle:
      EXPECT_TRUE(converged || result.termination == Termination::kStationary || promised == 0) << result.message;
      if (result.termination == Termination::kStationary) {
        EXPECT_LE(result.certificate.second_variation, 0);
        EXPECT_TRUE(result.certificate.conjugate_point.has_value());
      }
      break;
    case CaseKind::kJump:
    case CaseKind::kNoGeodesic:
      EXPECT_FALSE(converged);
      break;
    case CaseKind::kHard:
    case CaseKind::kKink:
    case CaseKind::kDegenerate:
      break;  // right or not converged, which holds for all
  }
}

TEST_P(SolverOnCase, IsRightOrSaysThatItIsNot) {
  const auto solver = solvers_under_test().make(chain());
  const GeodesicProblem problem = problem_of(known());
  const GeodesicResult result = solver->solve(problem);
  SCOPED_TRACE(chain() + ": " + outcome(result));
  ASSERT_FALSE(result.message.empty());
  expect_kind(known(), result, promise(chain()));
  if (result.curve.empty()) {
    EXPECT_NE(result.termination, Termination::kConverged);
    return;
  }
  EXPECT_EQ(result.curve.positions().leftCols(1), problem.from);
  EXPECT_EQ(result.curve.positions().rightCols(1), problem.to);
  EXPECT_EQ(result.certificate.endpoint_error, 0);
  if (result.termination != Termination::kConverged) return;
  EXPECT_LE(std::abs(result.certificate.length / known().shortest - 1), kConvergedTolerance);
  EXPECT_LE(std::abs(sampled_length(*problem.manifold, result.curve, 1001) - result.certificate.length),
            result.certificate.length_error * (1 + 1e-12));
  EXPECT_GE(2 * result.certificate.energy, std::pow(result.certificate.length, 2) * (1 - 1e-9));
}

// Only where one minimiser is promised.
class SolverBackwards : public SolverOnCase {};

TEST_P(SolverBackwards, FindsTheSameCurve) {
  const auto solver = solvers_under_test().make(chain());
  GeodesicProblem problem = problem_of(known());
  const GeodesicResult there = solver->solve(problem);
  std::swap(problem.from, problem.to);
  const GeodesicResult back = solver->solve(problem);
  EXPECT_EQ(there.termination, back.termination);
  EXPECT_NEAR(there.certificate.length, back.certificate.length, 2 * promise(chain()) * there.certificate.length);
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<std::string, Case>>& info) {
  return test_name(std::get<0>(info.param)) + "_" + std::get<1>(info.param).name;
}

std::vector<Case> smooth_cases() {
  std::vector<Case> out;
  for (const Case& c : known_cases()) {
    if (c.kind == CaseKind::kSmooth) out.push_back(c);
  }
  return out;
}

std::vector<std::string> promising_chains() {
  std::vector<std::string> out = chains_under_test();
  std::erase_if(out, [](const std::string& chain) { return promise(chain) == 0; });
  return out;
}

// Empty for a plugin of starts alone, which promise nothing.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SolverBackwards);
INSTANTIATE_TEST_SUITE_P(Known, SolverBackwards,
                         ::testing::Combine(::testing::ValuesIn(promising_chains()),
                                            ::testing::ValuesIn(smooth_cases())),
                         name_of);

INSTANTIATE_TEST_SUITE_P(Known, SolverOnCase,
                         ::testing::Combine(::testing::ValuesIn(chains_under_test()),
                                            ::testing::ValuesIn(known_cases())),
                         name_of);

class EverySolver : public ::testing::TestWithParam<std::string> {
 protected:
  static GeodesicProblem paraboloid() {
    for (const Case& c : known_cases()) {
      if (c.name == "Paraboloid") return problem_of(c);
    }
    throw std::logic_error("no such case");
  }
};

TEST_P(EverySolver, IsDeterministic) {
  const auto solver = solvers_under_test().make(GetParam());
  const GeodesicResult first = solver->solve(paraboloid());
  const GeodesicResult second = solver->solve(paraboloid());
  EXPECT_EQ(first.curve.positions(), second.curve.positions());
  EXPECT_EQ(first.certificate.length, second.certificate.length);
  EXPECT_EQ(first.effort.evaluations.jacobians, second.effort.evaluations.jacobians);
}

// The accuracy is asked for once: the length is right to it, and what is asked for less exactly costs no more.
TEST_P(EverySolver, FollowsTheAccuracyAskedFor) {
  if (promise(GetParam()) == 0) GTEST_SKIP() << "claims no geodesic";
  const auto solver = solvers_under_test().make(GetParam());
  std::int64_t cost = 0;
  for (const double accuracy : {1e-4, 1e-6, 1e-8}) {
    SolveControl control;
    control.accuracy = accuracy;
    const GeodesicResult result = solver->solve(paraboloid(), control);
    SCOPED_TRACE(GetParam() + ": " + outcome(result));
    EXPECT_LE(std::abs(result.certificate.length / kParaboloidLength - 1), accuracy + kAnswerTolerance) << accuracy;
    if (accuracy >= promise(GetParam())) EXPECT_EQ(result.termination, Termination::kConverged) << accuracy;
    const EvaluationCounts& counts = result.effort.evaluations;
    const std::int64_t now = counts.values + counts.jacobians + counts.second_derivatives;
    EXPECT_GE(now, cost) << accuracy;
    cost = now;
  }
}

TEST_P(EverySolver, StopsWhenAsked) {
  SolveControl control;
  control.should_stop = [] { return true; };
  const GeodesicResult result = solvers_under_test().make(GetParam())->solve(paraboloid(), control);
  EXPECT_EQ(result.termination, Termination::kStopped) << result.message;
}

TEST_P(EverySolver, RespectsItsTimeLimit) {
  SolveControl control;
  control.time_limit = 1e-9;
  const GeodesicResult result = solvers_under_test().make(GetParam())->solve(paraboloid(), control);
  EXPECT_EQ(result.termination, Termination::kTimeLimit) << result.message;
}

// Counts the points that it hands on, as a workspace does.
class Counting final : public Generator {
 public:
  explicit Counting(std::shared_ptr<const Generator> inner)
      : Generator(inner->latent_dimension(), inner->ambient_dimension(), inner->traits()), inner_(std::move(inner)) {}
  mutable std::int64_t points = 0;

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override {
    points += Z.cols();
    inner_->value(Z, X, ws);
  }
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override {
    points += Z.cols();
    inner_->value_and_jacobian(Z, X, J, ws);
  }
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& ws) const override {
    points += Z.cols();
    inner_->second_directional(Z, V, D, ws);
  }
  void do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H,
                           Workspace& ws) const override {
    points += Z.cols();
    inner_->weighted_hessian(Z, W, H, ws);
  }
  void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                       Workspace& ws) const override {
    points += 2 * Z.cols();
    inner_->second_order(Z, V, X, J, D, ws);
  }

  std::shared_ptr<const Generator> inner_;
};

// Whatever a solver is doing, not one further point is evaluated for it once it is to stop, and a curve with the right
// ends is returned.
TEST_P(EverySolver, EvaluatesNothingMoreOnceItIsToStop) {
  GeodesicProblem problem = paraboloid();
  const auto counting = std::make_shared<Counting>(problem.manifold->shared_generator());
  problem.manifold = std::make_shared<PullbackManifold>(counting);
  for (const std::int64_t most : {1, 10, 100, 1000}) {
    counting->points = 0;
    std::int64_t at_stop = -1;
    SolveControl control;
    control.should_stop = [&] {
      if (counting->points < most) return false;
      if (at_stop < 0) at_stop = counting->points;
      return true;
    };
    const GeodesicResult result = solvers_under_test().make(GetParam())->solve(problem, control);
    SCOPED_TRACE("after " + std::to_string(most) + " points: " + outcome(result));
    ASSERT_FALSE(result.curve.empty());
    EXPECT_EQ(result.curve.positions().leftCols(1), problem.from);
    EXPECT_EQ(result.curve.positions().rightCols(1), problem.to);
    EXPECT_TRUE(result.curve.finite());
    const EvaluationCounts& counts = result.effort.evaluations;
    const std::int64_t evaluated = counts.values + counts.jacobians + counts.second_derivatives + counts.products;
    if (result.termination != Termination::kStopped) continue;  // it had finished
    EXPECT_LE(evaluated, at_stop);
  }
}

TEST_P(EverySolver, JoinsAPointToItself) {
  GeodesicProblem problem = paraboloid();
  problem.to = problem.from;
  const GeodesicResult result = solvers_under_test().make(GetParam())->solve(problem);
  EXPECT_LE(result.certificate.length, 1e-12) << result.message;
}

TEST_P(EverySolver, RefusesBadEnds) {
  const auto solver = solvers_under_test().make(GetParam());
  GeodesicProblem problem = paraboloid();
  problem.from = Vector::Zero(3);
  EXPECT_THROW(solver->solve(problem), std::invalid_argument);
  problem.from = Vector{{0.0, std::nan("")}};
  EXPECT_THROW(solver->solve(problem), std::invalid_argument);
  problem.from = Vector{{0.0, INFINITY}};
  EXPECT_THROW(solver->solve(problem), std::invalid_argument);
}

TEST_P(EverySolver, SurvivesAGeneratorThatIsNotANumberSomewhere) {
  // The half-plane has no metric below y = 0.
  GeodesicProblem problem;
  problem.manifold = case_manifold({"", "half-plane", {}, {}, 0, CaseKind::kHard});
  problem.from = Vector{{0.0, 1.0}};
  problem.to = Vector{{1.0, -1.0}};
  const GeodesicResult result = solvers_under_test().make(GetParam())->solve(problem);
  EXPECT_NE(result.termination, Termination::kConverged);
  EXPECT_FALSE(result.message.empty());
}

INSTANTIATE_TEST_SUITE_P(All, EverySolver, ::testing::ValuesIn(chains_under_test()),
                         [](const auto& info) { return test_name(info.param); });

}  // namespace
}  // namespace pullback
