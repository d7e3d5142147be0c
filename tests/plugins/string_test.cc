#include "pullback/plugins/string/string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "pullback/plugins/string/flow.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

// What the default accuracy makes of the option.
constexpr double kTolerance = 2e-8;

using ::testing::HasSubstr;
using testing::kSphereLength;
using testing::problem;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using testing::vec;

constexpr double kPi = std::numbers::pi;

GeodesicProblem torus_problem() { return problem(surface("torus:R=3,r=1"), vec({0.3, 0}), vec({1.2, 1.2})); }

TEST(StringFlow, SolvesTheFlatSystem) {
  const Matrix b{{1, -2, 0.5, 3}, {0.3, 1, -1, 2}};
  for (const double shift : {0.0, 7.0}) {
    const Matrix x = solve_flat(b, shift);
    const double K = 5;
    Matrix product = (2 * K + shift) * x;
    product.leftCols(3) -= K * x.rightCols(3);
    product.rightCols(3) -= K * x.leftCols(3);
    EXPECT_LE((product - b).norm(), 1e-14 * b.norm());
  }
}

// What makes it a string: equal distances after every step, to the chords by which arcs are measured.
TEST(StringFlow, KeepsNodesAtEqualDistances) {
  const GeodesicProblem p = torus_problem();
  Workspace ws;
  Matrix nodes = constant_speed(*p.manifold, Curve::straight(p.from, p.to), 64, ws).positions();
  StringFlow flow(*p.manifold, nodes, 0, ws);
  for (int k = 0; k < 4; ++k) {
    const double before = flow.energy();
    ASSERT_TRUE(flow.step());
    EXPECT_LT(flow.energy(), before);
    Vector d(64);
    p.manifold->chords(nodes, d, ws);
    EXPECT_LE(d.maxCoeff() / d.minCoeff() - 1, 1e-4);
    EXPECT_EQ(nodes.col(0), p.from);
    EXPECT_EQ(nodes.col(64), p.to);
  }
}

// A long step leaves out the curvature alone: on the equator of a sphere the error across falls by (L/π)² a step, that
// of the promise by its square.
TEST(StringFlow, ConvergesAtTheRateOfTheCurvature) {
  const double length = 1.8;
  const auto sphere = surface("sphere");
  Workspace ws;
  Matrix nodes(2, 65);
  for (int i = 0; i <= 64; ++i) {
    const double t = i / 64.0;
    nodes.col(i) << kPi / 2 + 1e-2 * std::sin(kPi * t), length * t;
  }
  nodes.col(64)(0) = nodes.col(0)(0);
  StringFlow flow(*sphere, nodes, 0, ws);
  const double theory = std::pow(length / kPi, 4);
  for (int k = 0; k < 3; ++k) {
    const double before = flow.promise();
    ASSERT_TRUE(flow.step());
    EXPECT_NEAR(flow.promise() / before, theory, 0.02 * theory) << "step " << k;
  }
}

// Where an explicit step would need a number that grows as the square.
TEST(String, StepsDoNotGrowWithTheNodes) {
  std::vector<int> steps;
  for (const std::string nodes : {"64", "256", "1024"}) {
    const GeodesicResult result = solve("string:nodes=" + nodes + ",max_nodes=" + nodes, torus_problem());
    steps.push_back(result.effort.iterations);
  }
  EXPECT_LE(steps[1], steps[0] + 2);
  EXPECT_LE(steps[2], steps[0] + 2);
}

TEST(String, ExcessIsOfFourthOrder) {
  std::vector<double> excess;
  for (const std::string nodes : {"32", "64", "128"}) {
    const GeodesicResult result =
        solve("string:energy_tolerance=1e-14,nodes=" + nodes + ",max_nodes=" + nodes, torus_problem());
    excess.push_back(result.certificate.relative_excess);
  }
  for (std::size_t i = 1; i < excess.size(); ++i) {
    EXPECT_NEAR(std::log2(excess[i - 1] / excess[i]), 4, 0.5) << excess[i - 1] << " " << excess[i];
  }
}

TEST(String, IsExactAndTheSameFromBothEnds) {
  const GeodesicProblem there = torus_problem();
  GeodesicProblem back = there;
  std::swap(back.from, back.to);
  const GeodesicResult a = solve("string", there);
  const GeodesicResult b = solve("string", back);
  EXPECT_EQ(a.termination, Termination::kConverged) << a.message;
  EXPECT_NEAR(a.certificate.length, b.certificate.length, 10 * kTolerance * a.certificate.length);
  const GeodesicResult exact = solve("shooting", there);
  EXPECT_NEAR(a.certificate.length, exact.certificate.length, 10 * kTolerance * a.certificate.length);
}

TEST(String, DoesNotDependOnTheConditioningOfTheChart) {
  const int steps = solve("string", sphere_problem()).effort.iterations;
  for (const double s : {1.0, 1e3, 1e6}) {
    const auto manifold = surface("sheared-sphere:s=" + std::to_string(s));
    const GeodesicResult result = solve("string", problem(manifold, vec({kPi / 3, 0}), vec({2 * kPi / 3 - 2 * s, 2})));
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.certificate.length, kSphereLength, 10 * kTolerance * kSphereLength);
    EXPECT_NEAR(result.effort.iterations, steps, 1) << "s = " << s;
  }
}

TEST(String, WorksOnAMetricGivenDirectly) {
  const GeodesicResult result = solve("string", problem(half_plane(), vec({0, 1}), vec({3, 2})));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, 1.924847300238, 4e-7);
}

TEST(String, SaysWhenStepsRunOut) {
  const GeodesicResult result = solve("string:max_iterations=1", sphere_problem());
  EXPECT_EQ(result.termination, Termination::kMaxIterations);
  EXPECT_THAT(result.message, HasSubstr("raise max_iterations"));
}

TEST(String, SaysWhereTheMetricIsNotFinite) {
  const GeodesicResult result = solve("string", problem(half_plane(), vec({0, 1}), vec({1, -1})));
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_THAT(result.message, HasSubstr("not finite"));
}

// The example of the plugin's README.
TEST(String, RunsAsInItsReadme) {
  const SolverRegistry& solvers = testing::registries().solvers;
  GeodesicProblem torus = problem(surface("torus:R=3,r=1"), vec({0, 0.2}), vec({0.5, 1.4}));
  const GeodesicResult result = solvers.make("string:nodes=32")->solve(torus);
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_LT(result.certificate.length, 4.8);  // of the chart line: 0.5 along, 1.2 round a circle of at most 4
}

}  // namespace
}  // namespace pullback
