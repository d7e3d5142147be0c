#include "pullback/manifold/curves/curve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "pullback/manifold/curves/straight_line.h"
#include "tests/manifold/surface.h"

namespace pullback {
namespace {

using testing::surface;

// z(t) = (sin 2t, eᵗ), sampled at pieces + 1 nodes.
Matrix wave(const Vector& t) {
  Matrix z(2, t.size());
  z.row(0) = (2 * t.array()).sin().transpose();
  z.row(1) = t.array().exp().transpose();
  return z;
}

double through_error(int pieces) {
  const Curve curve = Curve::through(wave(uniform_times(pieces + 1)));
  const Vector t = uniform_times(997);
  return (curve.position(t) - wave(t)).cwiseAbs().maxCoeff();
}

TEST(CurveTest, ThroughIsOfFourthOrder) {
  const double slope = std::log2(through_error(64) / through_error(128));
  EXPECT_NEAR(slope, 4, 0.2);
}

TEST(CurveTest, QuinticIsOfSixthOrder) {
  const auto error = [](int pieces) {
    const Vector t = uniform_times(pieces + 1);
    Matrix v(2, t.size());
    Matrix a(2, t.size());
    v.row(0) = 2 * (2 * t.array()).cos().transpose();
    v.row(1) = t.array().exp().transpose();
    a.row(0) = -4 * (2 * t.array()).sin().transpose();
    a.row(1) = v.row(1);
    const Curve curve(t, wave(t), v, a);
    const Vector fine = uniform_times(997);
    return (curve.position(fine) - wave(fine)).cwiseAbs().maxCoeff();
  };
  EXPECT_NEAR(std::log2(error(4) / error(8)), 6, 0.35);
}

TEST(CurveTest, DerivativesAreThoseOfThePosition) {
  const Curve curve = Curve::through(wave(uniform_times(9)));
  const Vector t = Vector::LinSpaced(7, 0.06, 0.93);
  const double h = 1e-5;
  const Matrix difference =
      (curve.position((t.array() + h).matrix()) - curve.position((t.array() - h).matrix())) / (2 * h);
  EXPECT_LE((curve.velocity(t) - difference).cwiseAbs().maxCoeff(), 1e-8);
  const Matrix second = (curve.velocity((t.array() + h).matrix()) - curve.velocity((t.array() - h).matrix())) / (2 * h);
  EXPECT_LE((curve.acceleration(t) - second).cwiseAbs().maxCoeff(), 1e-7);
}

TEST(CurveTest, ReversedRunsBackwards) {
  const Curve curve = Curve::through(wave(uniform_times(9)));
  const Vector t = uniform_times(31);
  const Vector back = (1 - t.array()).matrix();
  EXPECT_LE((curve.reversed().position(t) - curve.position(back)).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LE((curve.reversed().velocity(t) + curve.velocity(back)).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(CurveTest, ConstantSpeedCoversEqualDistances) {
  const auto sphere = surface("sphere");
  // Along a meridian at a speed that is not constant: θ = 0.3 + t².
  const Vector t = uniform_times(65);
  Matrix z(2, t.size());
  z.row(0) = (0.3 + t.array().square()).transpose();
  z.row(1).setConstant(0.4);
  Workspace ws;
  const Curve even = constant_speed(*sphere, Curve::through(z), 10, ws);
  for (int i = 0; i <= 10; ++i)
    EXPECT_NEAR(even.positions()(0, i), 0.3 + 0.1 * i, 2e-5);  // within the arc polyline's h²
}

TEST(StraightLineTest, HasNodesAtEqualDistancesOnlyWhereTheChartChangesItsScale) {
  Workspace ws;
  const auto sphere = surface("sphere");
  EXPECT_EQ(straight_line(*sphere, Vector{{1.0, 0.0}}, Vector{{2.0, 1.0}}, ws).pieces(), 1);
  const auto line = surface("sphere-stereographic:d=1");
  for (const double end : {1e9, -1e9}) {
    const Curve far = straight_line(*line, Vector{{0.0}}, Vector{{end}}, ws);
    ASSERT_EQ(far.pieces(), 512);
    EXPECT_EQ(far.positions()(0, 512), end);
    // The angle from the pole, 2 atan |z|, in equal steps; nodes between points of the line are off by a part of one.
    for (int i = 0; i <= 512; ++i)
      EXPECT_NEAR(2 * std::atan(std::abs(far.positions()(0, i))), M_PI * i / 512, 0.15 * M_PI / 512);
  }
}

TEST(CurveTest, RefusesWhatIsNoCurve) {
  EXPECT_THROW(Curve(Vector{{0.0}}, Matrix::Zero(2, 1), Matrix::Zero(2, 1)), std::invalid_argument);
  EXPECT_THROW(Curve(Vector{{0.0, 0.5}}, Matrix::Zero(2, 2), Matrix::Zero(2, 2)), std::invalid_argument);
  EXPECT_THROW(Curve(Vector{{0.0, 0.7, 0.6, 1.0}}, Matrix::Zero(2, 4), Matrix::Zero(2, 4)), std::invalid_argument);
  EXPECT_THROW(Curve(Vector{{0.0, 1.0}}, Matrix::Zero(2, 2), Matrix::Zero(2, 3)), std::invalid_argument);
  EXPECT_THROW(Curve::straight(Vector::Zero(2), Vector::Zero(3)), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
