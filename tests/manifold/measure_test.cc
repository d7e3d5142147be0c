#include "pullback/manifold/curves/measure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/manifold/curves/bump_moves.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "tests/manifold/surface.h"

namespace pullback {
namespace {

using testing::surface;

TEST(MeasureTest, CircleOfLatitudeHasItsLength) {
  const auto sphere = surface("sphere");
  Workspace ws;
  const Measurement m = measure(*sphere, Curve::straight(Vector{{1.0, 0.0}}, Vector{{1.0, 2.0}}), ws);
  const double length = 2 * std::sin(1.0);
  EXPECT_NEAR(m.length, length, 1e-12);
  EXPECT_NEAR(m.metric_length, length, 1e-12);
  EXPECT_NEAR(m.energy, 0.5 * length * length, 1e-11);
  EXPECT_LE(m.speed_variation, 1e-12);
  // The polyline through 1,001 points is short by L³/24n² for the arc's curvature 1/sin θ. That is known from the
  // parts' chords, and a tenth is added to it.
  const double angle = 2.0 / 1000;
  const double short_by = length * angle * angle / 24;
  EXPECT_GE(m.length_error, short_by);
  EXPECT_NEAR(m.length_error, 1.1 * short_by, 1e-2 * short_by);
}

// Without evaluating them the polyline of samples is known to be within the error, and half as many parts do for less
// accuracy.
TEST(MeasureTest, SamplesLieWithinTheErrorAtEveryAccuracy) {
  const auto bump = surface("bump");
  const Curve curve = Curve::straight(Vector{{-1.0, 0.3}}, Vector{{1.2, -0.2}});
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  for (const double accuracy : {1e-10, 1e-6, 1e-4}) {
    Workspace ws;
    const Measurement m = measure(*bump, curve, ws, accuracy);
    Vector d(1000);
    Workspace other;
    bump->chords(curve.position(uniform_times(1001)), d, other);
    EXPECT_LE(std::abs(m.length - d.sum()), m.length_error) << accuracy;
    EXPECT_GE(8 * std::abs(m.length - d.sum()), m.length_error) << accuracy;
    EXPECT_LE(ws.counts().values, before) << accuracy;
    before = ws.counts().values;
  }
  EXPECT_LE(before, 64 * 8 + 6);
}

TEST(MeasureTest, SpeedVariationIsThatOfTheParametrisation) {
  const auto plane = surface("plane");
  const Vector t = uniform_times(33);
  Matrix z(2, t.size());
  z.row(0) = (t.array() + 0.25 * t.array().square()).transpose();  // speed 1 + t/2, mean 1.25
  z.row(1).setZero();
  Workspace ws;
  const Measurement m = measure(*plane, Curve::through(z), ws);
  EXPECT_NEAR(m.length, 1.25, 1e-12);
  EXPECT_NEAR(m.speed_variation, 0.2, 2e-3);  // the outermost quadrature points lie inside the ends
}

TEST(MeasureTest, AStepIsSeenByOneLengthAndNotTheOther) {
  const auto step = surface("step:h=0.5");
  Workspace ws;
  const Measurement m = measure(*step, Curve::straight(Vector{{-1.0, 0.0}}, Vector{{1.0, 0.0}}), ws);
  EXPECT_NEAR(m.metric_length, 2, 1e-12);
  EXPECT_NEAR(m.length, 2.5, m.length_error);
  EXPECT_LE(m.length_error, 5e-3);
}

TEST(MeasureTest, AWrongJacobianShows) {
  const auto doubled = std::make_shared<CallbackGenerator>(
      2, 2,
      Callbacks{
          .value = [](const ConstMatrixRef& Z) { return Matrix(2 * Z); },
          .jacobian = [](const ConstMatrixRef& Z) { return Matrix(Matrix::Identity(2, 2).replicate(1, Z.cols())); },
          .second_directional = {}});
  const PullbackManifold manifold(doubled);
  Workspace ws;
  const Measurement m = measure(manifold, Curve::straight(Vector{{0.0, 0.0}}, Vector{{1.0, 0.0}}), ws);
  EXPECT_NEAR(m.length, 2, 1e-12);
  EXPECT_NEAR(m.metric_length, 1, 1e-12);
}

TEST(MeasureTest, SingularValuesOfKnownMaps) {
  Workspace ws;
  const Matrix sigma = singular_values(*surface("sphere"), Vector{{1.0, 0.3}}, ws);
  EXPECT_NEAR(sigma(0, 0), 1, 1e-14);
  EXPECT_NEAR(sigma(1, 0), std::sin(1.0), 1e-14);
  EXPECT_NEAR(condition_number(sigma)(0), 1 / std::sin(1.0), 1e-13);
  EXPECT_NEAR(log_magnification(sigma)(0), std::log(std::sin(1.0)), 1e-13);
  // σ_min = 1e-8 comes from a QR of J: from JᵀJ it would be lost.
  const Matrix linear = singular_values(*surface("linear:k=8,u=0.7,v=0.5"), Vector{{0.0, 0.0}}, ws);
  EXPECT_NEAR(linear(1, 0), 1e-8, 1e-15);
  const Matrix collapsed = singular_values(*surface("collapsed-disc"), Vector{{0.1, 0.2}}, ws);
  EXPECT_EQ(collapsed(0, 0), 0);
  EXPECT_TRUE(std::isinf(condition_number(collapsed)(0)));
}

TEST(MeasureTest, TheHalfPlaneIsMeasuredWithoutAMap) {
  Workspace ws;
  const Measurement m = measure(*half_plane(), Curve::straight(Vector{{0.0, 1.0}}, Vector{{0.0, 2.0}}), ws);
  EXPECT_NEAR(m.length, std::log(2.0), 1e-11);
}

std::shared_ptr<const Manifold> circle() {
  return std::make_shared<PullbackManifold>(make_generator(
      1, 2, []<class T>(const Eigen::VectorX<T>& z) { return Eigen::Vector2<T>(cos(z(0)), sin(z(0))); }));
}

// Nodes at equal distances fall onto each other when the way is a power of two of periods.
TEST(MeasureTest, ChordsThatJumpOverPeriodsAreDivided) {
  const double many = 1024 * M_PI;
  Workspace ws;
  const Measurement m = measure(*circle(), Curve::straight(Vector{{0.0}}, Vector{{many}}), ws);
  EXPECT_NEAR(m.length, many, m.length_error);
  EXPECT_LE(m.numerical_error, 1e-6 * many);
  EXPECT_LE(m.disagreement, 1e-6 * many);
}

TEST(MeasureTest, WhatNoDivisionResolvesHasNoErrorBar) {
  Workspace ws;
  const Measurement m = measure(*circle(), Curve::straight(Vector{{0.0}}, Vector{{1e8}}), ws);
  EXPECT_TRUE(std::isinf(m.length_error)) << m.length << " ± " << m.length_error;
}

TEST(MeasureTest, RoundingOfTheMapIsInTheErrorBar) {
  const Vector from{{1.0, 0.3}};
  const Vector to{{1 + 1e-7, 0.3}};
  Workspace ws;
  const Measurement m = measure(*surface("sphere"), Curve::straight(from, to), ws);
  const double exact = to(0) - from(0);
  EXPECT_LE(std::abs(m.length - exact), m.length_error);
  EXPECT_LE(m.length_error, 1e-7 * exact);
}

TEST(MeasureTest, ACurveThatStaysHasNoLengthAndNoError) {
  Workspace ws;
  const Vector z{{1.0, 2.0}};
  const Measurement m = measure(*surface("torus:R=3,r=1"), Curve::straight(z, z), ws);
  EXPECT_EQ(m.length, 0);
  EXPECT_EQ(m.length_error, 0);
  EXPECT_EQ(m.numerical_error, 0);
}

TEST(MeasureTest, LengthsWhoseSquaresUnderflowOrOverflowAreMeasured) {
  Workspace ws;
  for (const double length : {1e-300, 1e-200, 1e200}) {
    const Measurement m = measure(*surface("plane"), Curve::straight(Vector{{0.0, 0.0}}, Vector{{length, 0.0}}), ws);
    EXPECT_NEAR(m.length, length, 1e-14 * length);
    EXPECT_LE(m.length_error, 1e-12 * length);
  }
}

// Neither chords nor Gauss points see a fold that an end lies just beyond.
TEST(MeasureTest, AFoldBesideAnEndIsInTheErrorBar) {
  Workspace ws;
  for (const double slope : {0.1, 1.0, 10.0}) {
    const auto fold = surface("relu-fold:s=" + std::to_string(slope));
    for (const double beyond : {1e-9, 1e-7, 1e-5, 3e-4}) {
      const Measurement m = measure(*fold, Curve::straight(Vector{{-1.0, 0.0}}, Vector{{beyond, 0.0}}), ws);
      const double exact = 1 + beyond * std::hypot(1.0, slope);
      EXPECT_NEAR(m.length, exact, 2e-10 * exact) << slope << ", " << beyond;
      EXPECT_LE(std::abs(m.length - exact), m.length_error) << slope << ", " << beyond;
    }
  }
}

// Nearly all of the length lies within 1e-8 of the way.
TEST(MeasureTest, AChartWhoseScaleChangesByOrdersIsMeasured) {
  const auto line = surface("sphere-stereographic:d=1");
  const Curve straight = Curve::straight(Vector{{0.0}}, Vector{{1e9}});
  Workspace ws;
  const Measurement m = measure(*line, straight, ws);
  EXPECT_NEAR(m.length, 2 * std::atan(1e9), 1e-9);
  const Vector times = constant_speed_times(*line, straight, 16, ws);
  Vector d(16);
  line->chords(straight.position(times), d, ws);
  EXPECT_LE(d.maxCoeff(), 1.1 * d.minCoeff());
}

// A great circle bent by ε sin(πt) is longer by ε²(π² − L²)/4L; one bump of the whole width takes most of that away.
TEST(BumpMovesTest, FindWhatACurveIsTooLongBy) {
  const auto sphere = surface("sphere");
  const double length = 2;
  Workspace ws;
  for (const double epsilon : {0.0, 1e-3, 1e-2}) {
    const Vector t = uniform_times(129);
    Matrix z(2, t.size());
    z.row(0) = (M_PI / 2 + epsilon * (M_PI * t.array()).sin()).transpose();
    z.row(1) = length * t.transpose();
    const double excess = epsilon * epsilon * (M_PI * M_PI - length * length) / (4 * length * length);
    const double gain = internal::shortening_by_bumps(*sphere, Curve::through(z), length, ws);
    EXPECT_GE(gain, 0.5 * excess);
    EXPECT_LE(gain, 1.05 * excess + 1e-8);
  }
}

}  // namespace
}  // namespace pullback
