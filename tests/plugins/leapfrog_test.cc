#include "pullback/plugins/leapfrog/leapfrog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Geometry>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "pullback/plugins/leapfrog/broken_geodesic.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

using ::testing::HasSubstr;
using testing::kSphereLength;
using testing::problem;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using testing::vec;

constexpr double kPi = std::numbers::pi;

// The straight line of the Clifford torus' chart, solved exactly.
RawSolution straight(const GeodesicProblem& piece) {
  RawSolution out;
  out.curve = Curve::straight(piece.from, piece.to);
  out.claim = Termination::kConverged;
  return out;
}

// The great circle from one point of the sphere's polar chart to another.
RawSolution great_circle(const GeodesicProblem& piece) {
  const auto ambient = [](const Vector& z) {
    return Eigen::Vector3d(std::sin(z(0)) * std::cos(z(1)), std::sin(z(0)) * std::sin(z(1)), std::cos(z(0)));
  };
  const Eigen::Vector3d a = ambient(piece.from);
  const Eigen::Vector3d b = ambient(piece.to);
  const double angle = std::atan2(a.cross(b).norm(), a.dot(b));
  Matrix nodes(2, 33);
  for (int i = 0; i <= 32; ++i) {
    const double s = i / 32.0;
    const Eigen::Vector3d x = std::sin((1 - s) * angle) * a + std::sin(s * angle) * b;
    nodes.col(i) << std::atan2(x.head<2>().norm(), x(2)), std::atan2(x(1), x(0));
  }
  nodes.col(0) = piece.from;
  nodes.col(32) = piece.to;
  RawSolution out;
  out.curve = Curve::through(nodes);
  out.claim = Termination::kConverged;
  return out;
}

// The factor by which a plain sweep shrinks the moves of the joints, in the limit.
double measured_rate(GeodesicProblem p, int pieces, const PieceSolver& solver) {
  p.initial = Curve::straight(p.from, p.to);
  Workspace ws;
  BrokenGeodesic geodesic(p, pieces, solver, ws);
  Matrix joints = geodesic.joints();
  for (Eigen::Index i = 0; i < joints.cols(); ++i) joints(0, i) += 1e-4 * (1 + std::cos(3.0 * static_cast<double>(i)));
  geodesic.move_joints(joints);
  const int sweeps = pieces * pieces;
  double before = 0;
  double rate = 0;
  for (int k = 0; k < sweeps; ++k) {
    joints = geodesic.joints();
    geodesic.sweep();
    const double move = (geodesic.joints() - joints).row(0).norm();
    if (k > 0) rate = move / before;
    before = move;
  }
  return rate;
}

// As a nonlinear Gauss–Seidel iteration: cos²(π/m), which tends to 1 with the number of pieces.
TEST(Leapfrog, ConvergesAtTheRateOfTheSchwarzAnalysisInFlatSpace) {
  const GeodesicProblem flat = problem(surface("clifford-torus"), vec({0, 0}), vec({2, 1}));
  for (const int pieces : {3, 4, 6, 8}) {
    const double theory = std::pow(std::cos(kPi / pieces), 2);
    EXPECT_NEAR(measured_rate(flat, pieces, straight), theory, 1e-3) << pieces << " pieces";
  }
}

// Across the equator a joint goes to (y_{i−1} + y_{i+1}) / (2 cos h), h = L/m: slower than in flat space.
TEST(Leapfrog, ConvergesAtTheRateOfTheCurvatureOnTheSphere) {
  const double length = 1.8;
  const GeodesicProblem sphere = problem(surface("sphere"), vec({kPi / 2, 0}), vec({kPi / 2, length}));
  for (const int pieces : {3, 4, 6}) {
    const double theory = std::pow(std::cos(kPi / pieces) / std::cos(length / pieces), 2);
    EXPECT_NEAR(measured_rate(sphere, pieces, great_circle), theory, 2e-3) << pieces << " pieces";
  }
}

TEST(Leapfrog, PlainSweepsGrowWithThePiecesAndMixingMakesThemFew) {
  std::vector<int> plain;
  for (const std::string pieces : {"4", "8"}) {
    const GeodesicResult slow = solve("leapfrog:memory=0,pieces=" + pieces, sphere_problem());
    const GeodesicResult fast = solve("leapfrog:pieces=" + pieces, sphere_problem());
    EXPECT_EQ(slow.termination, Termination::kConverged) << slow.message;
    EXPECT_EQ(fast.termination, Termination::kConverged) << fast.message;
    EXPECT_LT(2 * fast.effort.iterations, slow.effort.iterations);
    EXPECT_NEAR(fast.certificate.length, kSphereLength, 2e-7 * kSphereLength);
    plain.push_back(slow.effort.iterations);
  }
  EXPECT_GT(plain[1], 2 * plain[0]);
}

TEST(Leapfrog, TakesAnySolverForThePieces) {
  const GeodesicProblem p = problem(surface("paraboloid"), vec({1, 0}), vec({std::cos(2.0), std::sin(2.0)}));
  for (const char* inner : {"energy", "shooting", "georce"}) {
    const GeodesicResult result = solve(std::string("leapfrog(") + inner + ")", p);
    EXPECT_EQ(result.termination, Termination::kConverged) << inner << ": " << result.message;
    EXPECT_NEAR(result.certificate.length, 1.929194426596, 2e-7);
  }
}

TEST(Leapfrog, SaysWhenTheInnerSolverFindsNoGeodesics) {
  const GeodesicResult result = solve("leapfrog:pieces=2,max_sweeps=2(graph)", sphere_problem());
  EXPECT_NE(result.termination, Termination::kConverged) << result.message;
  EXPECT_THAT(result.message, HasSubstr("graph found no geodesic"));
}

TEST(Leapfrog, RefusesUnknownSolversAndOptions) {
  const SolverRegistry& solvers = testing::registries().solvers;
  EXPECT_THROW(solvers.make("leapfrog(nothing)"), std::invalid_argument);
  EXPECT_THROW(solvers.make("leapfrog:outer=energy"), std::invalid_argument);
  EXPECT_THROW(solvers.make("leapfrog:pieces=1"), std::invalid_argument);
}

TEST(Leapfrog, ListsItsInnerSolver) {
  EXPECT_EQ(testing::registries().solvers.entries().at("leapfrog").inner, "georce");
}

TEST(Leapfrog, DoesNotDependOnTheConditioningOfTheChart) {
  const int sweeps = solve("leapfrog", sphere_problem()).effort.iterations;
  for (const double s : {1.0, 1e3, 1e6}) {
    const auto manifold = surface("sheared-sphere:s=" + std::to_string(s));
    const GeodesicResult result =
        solve("leapfrog", problem(manifold, vec({kPi / 3, 0}), vec({2 * kPi / 3 - 2 * s, 2})));
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.effort.iterations, sweeps, 1) << "s = " << s;
  }
}

// Lengths of pieces are no curves met on the way of the whole problem.
TEST(Leapfrog, KeepsThePiecesToItself) {
  const GeodesicResult result = solve("leapfrog", sphere_problem());
  EXPECT_FALSE(result.certificate.shorter_known.has_value());
  ASSERT_FALSE(result.trace.empty());
  EXPECT_EQ(static_cast<int>(result.trace.size()), result.effort.iterations);
  EXPECT_NEAR(result.trace.back().length, kSphereLength, 1e-3 * kSphereLength);
}

TEST(Leapfrog, SaysWhenSweepsRunOut) {
  const GeodesicResult result = solve("leapfrog:max_sweeps=1", sphere_problem());
  EXPECT_EQ(result.termination, Termination::kMaxIterations);
  EXPECT_THAT(result.message, HasSubstr("raise max_sweeps"));
}

// The example of the plugin's README.
TEST(Leapfrog, RunsAsInItsReadme) {
  const SolverRegistry& solvers = testing::registries().solvers;
  GeodesicProblem torus = problem(surface("torus:R=3,r=1"), vec({0, 0.2}), vec({0.5, 1.4}));
  const GeodesicResult result = solvers.make("leapfrog:pieces=4(energy)")->solve(torus);
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_LT(result.certificate.length, 4.8);  // of the chart line: 0.5 along, 1.2 round a circle of at most 4
}

}  // namespace
}  // namespace pullback
