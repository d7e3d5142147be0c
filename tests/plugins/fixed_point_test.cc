#include "pullback/plugins/fixed_point/fixed_point.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "pullback/plugins/fixed_point/acceleration_process.h"
#include "pullback/plugins/fixed_point/iteration.h"
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

// What the solver promises of the length where it converges.
constexpr double kPromise = 1e-6;

// The curve c = sin(3t + 0.3), whose accelerations are given.
Matrix sine(const Vector& t, int derivative) {
  const double phase = 0.3 + derivative * std::numbers::pi / 2;
  return std::pow(3.0, derivative) * (3 * t.array() + phase).sin().matrix().transpose();
}

TEST(AccelerationProcess, IntegratesAsExactlyAsItsHeaderSays) {
  const struct {
    int points;
    double velocity_error;  // as in the header, with a factor for what rounding differs between machines
  } cases[] = {{10, 2e-2}, {20, 3e-4}, {40, 1e-5}, {80, 1e-6}, {160, 2e-7}, {320, 1e-7}};
  double before = 1;
  for (const auto& c : cases) {
    const AccelerationProcess process(c.points);
    const Vector& t = process.times();
    const Vector from = sine(t, 0).leftCols(1);
    const Vector to = sine(t, 0).rightCols(1);
    const Matrix A = sine(t, 2);
    const double error = (process.velocities(A, from, to) - sine(t, 1)).cwiseAbs().maxCoeff();
    EXPECT_LE(error, c.velocity_error) << c.points;
    EXPECT_LE(error, before) << c.points;
    before = error;
    EXPECT_LE((process.positions(A, from, to) - sine(t, 0)).cwiseAbs().maxCoeff(), c.velocity_error) << c.points;
    EXPECT_EQ(process.positions(A, from, to).leftCols(1), from);
    EXPECT_EQ(process.positions(A, from, to).rightCols(1), to);
    EXPECT_LE((process.accelerations(A, t) - A).cwiseAbs().maxCoeff(), 1e-4) << c.points;
  }
}

TEST(AccelerationProcess, HasTheStraightLineForItsMean) {
  const AccelerationProcess process(10);
  const Vector from = vec({1, 2});
  const Vector to = vec({3, -1});
  const Matrix none = Matrix::Zero(2, 10);
  EXPECT_LE((process.positions(none, from, to) - Curve::straight(from, to).position(process.times())).norm(), 1e-14);
  EXPECT_LE((process.velocities(none, from, to).colwise() - (to - from)).norm(), 1e-14);
  EXPECT_NEAR(process.length_scale(), std::sqrt(0.5 / 9), 1e-15);
  EXPECT_THROW(AccelerationProcess(2), std::invalid_argument);
}

struct Iterated {
  FixedPoint found;
  std::int64_t accelerations;
};

// From the straight line, as published unless there is a memory.
Iterated run(const GeodesicProblem& p, int points, double tolerance, bool every, int memory) {
  const SolveControl control;
  Workspace ws;
  SolveContext context(control, ws);
  const WhitenedChart chart(p.manifold, Curve::straight(p.from, p.to), ws);
  const AccelerationProcess process(points);
  const std::int64_t before = ws.counts().second_derivatives;
  Iterated out;
  out.found = iterate(chart, process, chart.to_chart(p.from), chart.to_chart(p.to),
                      Matrix::Zero(chart.dimension(), points), {tolerance, every, 1000, memory}, 0, context);
  out.accelerations = ws.counts().second_derivatives - before;
  return out;
}

GeodesicProblem paraboloid() { return problem(surface("paraboloid"), vec({2, 0}), vec({-1.5, 1.5})); }

TEST(FixedPoint, PublishedIterationTakesFewSteps) {
  const std::vector<GeodesicProblem> problems{sphere_problem(), paraboloid(),
                                              problem(surface("catenoid"), vec({-1, 0}), vec({1, 1.5})),
                                              problem(surface("torus"), vec({0, 0.2}), vec({0.5, 1.4}))};
  for (const GeodesicProblem& p : problems) {
    const Iterated published = run(p, 10, std::sqrt(0.1), true, 0);
    EXPECT_EQ(published.found.status, IterationStatus::kConverged) << p.manifold->name();
    EXPECT_LE(published.found.iterations, 10) << p.manifold->name();
    EXPECT_GE(published.found.iterations, 1) << p.manifold->name();
  }
}

TEST(FixedPoint, CostIsLinearInTheMesh) {
  for (const GeodesicProblem& p : {sphere_problem(), paraboloid()}) {
    const int coarse = run(p, 20, 1e-6, false, 0).found.iterations;
    for (const int points : {20, 40, 80}) {
      const Iterated at = run(p, points, 1e-6, false, 0);
      ASSERT_EQ(at.found.status, IterationStatus::kConverged);
      // The steps do not depend on the mesh, and a step costs a point's acceleration for each of at most 3 trials.
      EXPECT_NEAR(at.found.iterations, coarse, 2);
      EXPECT_LE(at.accelerations, static_cast<std::int64_t>(points) * (3 * at.found.iterations + 1));
      EXPECT_GE(at.accelerations, static_cast<std::int64_t>(points) * (at.found.iterations + 1));
    }
  }
}

TEST(FixedPoint, CombiningIteratesTakesFewerSteps) {
  const GeodesicProblem p =
      problem(surface("sphere-stereographic:d=5"), -Vector::LinSpaced(5, 0, 1), Vector::Constant(5, 0.5));
  const Iterated plain = run(p, 40, 1e-7, false, 0);
  const Iterated combined = run(p, 40, 1e-7, false, 20);
  ASSERT_EQ(combined.found.status, IterationStatus::kConverged);
  EXPECT_LT(combined.found.iterations, 0.7 * plain.found.iterations);
}

TEST(FixedPoint, PublishedStopIsTooLooseAndIsNotClaimed) {
  const GeodesicResult result = solve("fixed_point:max_points=10,relaxation=0,memory=0", paraboloid());
  EXPECT_EQ(result.termination, Termination::kStalled) << result.message;
  EXPECT_THAT(result.message, HasSubstr("10 points leaves a residual"));
  EXPECT_GT(result.certificate.relative_excess, 1e-6);
  EXPECT_GT(result.certificate.length, 4.817922606085 * (1 + 1e-6));
}

TEST(FixedPoint, RefinesUntilItDeservesTheClaim) {
  const struct {
    GeodesicProblem problem;
    double length;
  } cases[] = {{sphere_problem(), kSphereLength},
               {problem(surface("catenoid"), vec({-1, 0}), vec({1, 1.5})), 2.924383491321},
               {problem(half_plane(), vec({0, 1}), vec({3, 2})), 1.924847300238},
               {problem(surface("pseudosphere"), vec({1, 0}), vec({2, 3})), 1.425046814894}};
  for (const auto& c : cases) {
    const GeodesicResult result = solve("fixed_point", c.problem);
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.certificate.length, c.length, kPromise * c.length);
    EXPECT_EQ(result.certificate.endpoint_error, 0);
  }
}

TEST(FixedPoint, DoesNotDependOnTheConditioningOfTheChart) {
  const double pi = std::numbers::pi;
  const GeodesicResult plain = solve("fixed_point", sphere_problem());
  for (const double s : {1.0, 1e3, 1e6}) {
    const auto manifold = surface("sheared-sphere:s=" + std::to_string(s));
    const GeodesicResult result =
        solve("fixed_point", problem(manifold, vec({pi / 3, 0}), vec({2 * pi / 3 - 2 * s, 2})));
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.certificate.length, kSphereLength, kPromise * kSphereLength) << "s = " << s;
    EXPECT_NEAR(result.effort.iterations, plain.effort.iterations, 2) << "s = " << s;
  }
}

TEST(FixedPoint, SaysThatItStallsWhereTheMeshCannotFollow) {
  const GeodesicProblem near_pole = problem(surface("sphere"), vec({0.01, 0}), vec({0.01, 3}));
  const GeodesicResult result = solve("fixed_point", near_pole);
  EXPECT_NE(result.termination, Termination::kConverged) << result.message;
  EXPECT_THAT(result.message, HasSubstr("the curve is"));
  // Not the straight line, which is 0.03 long.
  EXPECT_LT(result.certificate.length, 0.021);
}

TEST(FixedPoint, FollowsItsInitialCurve) {
  GeodesicProblem torus = problem(surface("torus"), vec({0, 0}), vec({0, 1.8}));
  for (const double side : {1.0, -1.0}) {
    Matrix nodes(2, 5);
    nodes << 0, 0.5 * side, 0.7 * side, 0.5 * side, 0, 0, 0.45, 0.9, 1.35, 1.8;
    torus.initial = Curve::through(nodes);
    const GeodesicResult result = solve("fixed_point", torus);
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.certificate.length, 7.072436648904, kPromise * 7.1);
    EXPECT_GT(side * result.curve.position(vec({0.5}))(0), 0.1);
  }
}

}  // namespace
}  // namespace pullback
