#include "pullback/plugins/shooting/shooting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "pullback/plugins/shooting/joints.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

// What the default accuracy makes of the option.
constexpr double kTolerance = 1e-9;

using ::testing::HasSubstr;
using testing::kSphereLength;
using testing::problem;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using testing::vec;

// Known lengths are written to this relative accuracy.
constexpr double kAnswer = 1e-12;

GeodesicProblem stereographic5() {
  return problem(surface("sphere-stereographic:d=5"), -Vector::LinSpaced(5, 0, 1), Vector::Constant(5, 0.5));
}
constexpr double kStereographic5Length = 2.402574774576;

TEST(Shooting, FindsTheGeodesicWithAnyNumberOfSegments) {
  for (const char* solver : {"shooting", "shooting:segments=1", "shooting:segments=4", "shooting:segments=16"}) {
    const GeodesicResult result = solve(solver, sphere_problem());
    EXPECT_EQ(result.termination, Termination::kConverged) << solver << ": " << result.message;
    EXPECT_NEAR(result.certificate.length, kSphereLength, kAnswer * kSphereLength) << solver;
    EXPECT_EQ(result.certificate.endpoint_error, 0) << solver;
    EXPECT_LE(result.certificate.residual, 1e-6) << solver;
  }
}

TEST(Shooting, GoesBackTheSameWay) {
  GeodesicProblem there = stereographic5();
  GeodesicProblem back = there;
  std::swap(back.from, back.to);
  const GeodesicResult a = solve("shooting", there);
  const GeodesicResult b = solve("shooting", back);
  const Vector t = uniform_times(65);
  const double size = there.from.norm() + there.to.norm();
  // The miss allowed, ten times over for what the chart makes of it.
  const double allowed = 10 * kTolerance * size;
  EXPECT_LE((a.curve.position(t) - b.curve.reversed().position(t)).cwiseAbs().maxCoeff(), allowed);
}

TEST(Shooting, CurveIsContinuousWithItsVelocityAtTheJoints) {
  const GeodesicProblem sphere = sphere_problem();
  const GeodesicResult result = solve("shooting:segments=4", sphere);
  const double step = 1e-6;
  for (const double t : {0.25, 0.5, 0.75}) {
    const Matrix v = result.curve.velocity(vec({t - step, t + step}));
    const Matrix a = result.curve.acceleration(vec({t}));
    EXPECT_LE((v.col(1) - v.col(0) - 2 * step * a).norm(), 1e-8) << "t = " << t;
  }
}

TEST(Shooting, RelaxationKeepsItFromTheLongWayRound) {
  const GeodesicResult relaxed = solve("shooting", stereographic5());
  EXPECT_EQ(relaxed.termination, Termination::kConverged) << relaxed.message;
  EXPECT_NEAR(relaxed.certificate.length, kStereographic5Length, kAnswer * kStereographic5Length);
  const GeodesicResult direct = solve("shooting:relaxation=0,segments=1", stereographic5());
  EXPECT_NE(direct.termination, Termination::kConverged) << direct.message;
  EXPECT_GT(direct.certificate.length, 1.2 * kStereographic5Length);
}

TEST(Shooting, FollowsItsInitialCurveToOneOfTwoMinimisers) {
  GeodesicProblem torus = problem(surface("torus"), vec({0, 0}), vec({0, 1.8}));
  EXPECT_EQ(solve("shooting", torus).termination, Termination::kStationary);
  for (const double side : {1.0, -1.0}) {
    Matrix nodes(2, 5);
    nodes << 0, 0.5 * side, 0.7 * side, 0.5 * side, 0, 0, 0.45, 0.9, 1.35, 1.8;
    torus.initial = Curve::through(nodes);
    const GeodesicResult result = solve("shooting", torus);
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.certificate.length, 7.072436648904, kAnswer * 7.1);
    EXPECT_GT(side * result.curve.position(vec({0.5}))(0), 0.1);
  }
}

TEST(Shooting, DoesNotDependOnTheConditioningOfTheChart) {
  const double pi = std::numbers::pi;
  const int iterations = solve("shooting", sphere_problem()).effort.iterations;
  for (const double s : {1.0, 1e3, 1e6}) {
    const auto manifold = surface("sheared-sphere:s=" + std::to_string(s));
    const GeodesicResult result = solve("shooting", problem(manifold, vec({pi / 3, 0}), vec({2 * pi / 3 - 2 * s, 2})));
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    // Rounding of coordinates of size 2s moves the ends themselves.
    const double rounding = 1e-16 * 2 * s;
    EXPECT_NEAR(result.certificate.length, kSphereLength, kAnswer * kSphereLength + rounding) << "s = " << s;
    EXPECT_LE(result.effort.iterations, iterations + 1) << "s = " << s;
  }
}

TEST(Shooting, KeepsTheInitialCurveWhereItFails) {
  const GeodesicProblem cusp = problem(surface("cusp"), vec({-1, 0}), vec({1, 1}));
  const GeodesicResult result = solve("shooting", cusp);
  EXPECT_NE(result.termination, Termination::kConverged);
  EXPECT_THAT(result.message, HasSubstr("the curve is the one it started from"));
  EXPECT_LE((result.curve.position(vec({0.5})) - vec({0, 0.5})).norm(), 1e-14);
}

TEST(Shooting, SaysWhenIterationsRunOut) {
  const GeodesicResult result = solve("shooting:relaxation=0,segments=1,max_iterations=1", sphere_problem());
  EXPECT_EQ(result.termination, Termination::kMaxIterations);
  EXPECT_THAT(result.message, HasSubstr("raise max_iterations"));
  EXPECT_EQ(result.effort.iterations, 1);
}

TEST(Shooting, SaysThatItDoesNotSeeKinks) {
  const GeodesicProblem fold = problem(surface("relu-fold"), vec({-1, 0}), vec({1, 2}));
  const GeodesicResult result = solve("shooting", fold);
  EXPECT_THAT(result.message, HasSubstr("does not see the kinks"));
  EXPECT_NE(result.termination, Termination::kConverged);
}

TEST(Shooting, StopsInsideAFlow) {
  const std::int64_t all = solve("shooting:segments=1,relaxation=0", sphere_problem()).effort.evaluations.jacobians;
  int asked = 0;
  SolveControl control;
  control.should_stop = [&asked] { return ++asked > 20; };
  const GeodesicResult result = solve("shooting:segments=1,relaxation=0", sphere_problem(), control);
  EXPECT_EQ(result.termination, Termination::kStopped);
  EXPECT_LE(asked, 20 + 5);  // it does not go on asking
  EXPECT_LT(result.effort.evaluations.jacobians, all);
  EXPECT_THAT(result.message, HasSubstr("the curve is the one it started from"));
}

TEST(Shooting, ToleranceIsThatOfTheMiss) {
  const SolveControl control;
  const GeodesicProblem sphere = sphere_problem();
  for (const double tolerance : {1e-3, 1e-6, 1e-10}) {
    Workspace ws;
    SolveContext context(control, ws);
    const Curve start = constant_speed(*sphere.manifold, Curve::straight(sphere.from, sphere.to), 64, ws);
    const Shot shot = shoot(*sphere.manifold, joints_on(start, 2), sphere.to, {tolerance, 1e-12, 50}, 0, context);
    ASSERT_EQ(shot.status, IterationStatus::kConverged);
    EXPECT_LE(shot.miss, tolerance);
    EXPECT_NEAR(shot.length, kSphereLength, 10 * tolerance);
    EXPECT_EQ(shot.curve.positions().rightCols(1), sphere.to);
  }
}

TEST(Shooting, WorksOnAMetricGivenDirectly) {
  const GeodesicResult result = solve("shooting", problem(half_plane(), vec({0, 1}), vec({3, 2})));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, 1.924847300238, 1e-10);  // its derivatives are differences
}

TEST(Shooting, RefusesOptionsWithoutMeaning) {
  const SolverRegistry& solvers = testing::registries().solvers;
  for (const char* chain :
       {"shooting:segments=-1", "shooting:tolerance=-1", "shooting:steps=3", "shooting:segments=x"}) {
    EXPECT_THROW(solvers.make(chain), std::invalid_argument) << chain;
  }
}

}  // namespace
}  // namespace pullback
