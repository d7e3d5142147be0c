#include "pullback/manifold/metrics/whitened_chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "pullback/generators/combine/compose.h"
#include "pullback/generators/generator_registry.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

std::shared_ptr<const Manifold> surface(const std::string& name) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return std::make_shared<PullbackManifold>(registry.open(name).generator);
}

Matrix mean_metric(const Manifold& manifold, const Curve& curve) {
  const int n = manifold.dimension();
  const Matrix M = manifold.metric(curve.position(uniform_times(33)));
  Matrix mean = Matrix::Zero(n, n);
  for (int k = 0; k < 33; ++k) mean += M.middleCols(n * k, n) / 33;
  return mean;
}

TEST(MeanFactor, IsThatOfTheMeanMetric) {
  const auto manifold = surface("paraboloid");
  const Curve line = Curve::straight(Vector{{1, 0.5}}, Vector{{-0.5, 1}});
  Workspace ws;
  const Matrix W = mean_factor(*manifold, line, ws);
  EXPECT_LE((W.transpose() * W - mean_metric(*manifold, line)).norm(), 1e-12);
  EXPECT_EQ(W(1, 0), 0);
}

TEST(MeanFactor, LeavesOutWhereThereIsNoMetric) {
  const auto manifold = half_plane();
  Workspace ws;
  const Matrix W = mean_factor(*manifold, Curve::straight(Vector{{0, 1}}, Vector{{0, -1}}), ws);
  EXPECT_TRUE(W.allFinite());
  EXPECT_NE(W, Matrix::Identity(2, 2));
  EXPECT_EQ(mean_factor(*manifold, Curve::straight(Vector{{0, -2}}, Vector{{0, -1}}), ws), Matrix::Identity(2, 2));
}

// Whatever the chart was, rotated and squeezed by 10¹⁰, the mean metric along the curve is the identity.
TEST(WhitenedChart, MakesTheMeanMetricTheIdentity) {
  for (const double kappa : {1.0, 1e5, 1e10}) {
    Matrix A(2, 2);
    A << 0.8, 0.6 / kappa, -0.6, 0.8 / kappa;
    const auto manifold = std::make_shared<PullbackManifold>(
        std::make_shared<AffineInput>(surface("paraboloid")->shared_generator(), A, Vector::Zero(2)));
    const Curve line = Curve::straight(Vector{{0.2, 0.1 * kappa}}, Vector{{0.7, -0.4 * kappa}});
    Workspace ws;
    const auto chart = WhitenedChart(manifold, line, ws).manifold();
    // The mean is of entries up to κ², of which the rounding of A leaves κε.
    EXPECT_LE((mean_metric(*chart, chart->to_chart(line)) - Matrix::Identity(2, 2)).norm(), 1e-14 * kappa + 1e-13);
  }
}

TEST(WhitenedChart, MeanMetricAlongTheCurveIsTheIdentity) {
  Workspace ws;
  for (const char* name : {"sphere", "sheared-sphere:s=1000", "sphere-scaled:epsilon=1e-6"}) {
    const auto sphere = surface(name);
    const Curve line = Curve::straight(Vector{{0.4, 0.1}}, Vector{{0.9, 0.7}});
    const WhitenedChart chart(sphere, line, ws);
    const Matrix R = chart.factor(chart.to_chart(line.position(uniform_times(33))), ws);
    Matrix mean = Matrix::Zero(2, 2);
    for (int k = 0; k < 33; ++k) mean += R.middleCols(2 * k, 2).transpose() * R.middleCols(2 * k, 2) / 33;
    // Rounding of the coordinates moves the metrics by about κ ε.
    EXPECT_LE((mean - Matrix::Identity(2, 2)).norm(), 1e-8) << name;
  }
}

TEST(WhitenedChart, GoesThereAndBack) {
  Workspace ws;
  const auto sphere = surface("sheared-sphere:s=1000");
  Matrix nodes(2, 4);
  nodes << 1, -500, -1200, -2000, 0, 0.5, 1.2, 2;
  const Curve curve = with_geodesic_accelerations(*sphere, Curve::through(nodes), ws);
  const WhitenedChart chart(sphere, curve, ws);
  const Curve whitened = chart.to_chart(curve);
  EXPECT_TRUE(whitened.quintic());
  EXPECT_EQ(whitened.positions().col(0), Vector(Vector::Zero(2)));
  const Curve back = chart.from_chart(whitened, nodes.col(0), nodes.col(3));
  const Vector t = uniform_times(21);
  const double rounding = 1e-12 * nodes.norm();
  EXPECT_LE((back.position(t) - curve.position(t)).norm(), rounding);
  EXPECT_LE((back.velocity(t) - curve.velocity(t)).norm(), 100 * rounding);
  EXPECT_EQ(back.positions().leftCols(1), nodes.leftCols(1));
  EXPECT_EQ(back.positions().rightCols(1), nodes.rightCols(1));
  // The accelerations of the whitened chart are those of the curve.
  Matrix A(2, 4);
  chart.acceleration(whitened.positions(), whitened.velocities(), A, ws);
  EXPECT_LE((A - whitened.accelerations()).norm(), 1e-9 * A.norm());
}

TEST(WhitenedChart, ResidualIsThatOfTheGeodesicEquation) {
  // In the plane a(c, ċ) = 0, so that the residual of c = (t, t³ − t²) is its acceleration, (0, 6t − 2).
  Workspace ws;
  const auto plane = surface("plane");
  const Vector t = Vector{{0.0, 0.3, 1.0}};
  Matrix positions(2, 3), velocities(2, 3), accelerations(2, 3);
  for (int k = 0; k < 3; ++k) {
    const double x = t(k);
    positions.col(k) << x, x * x * x - x * x;
    velocities.col(k) << 1, 3 * x * x - 2 * x;
    accelerations.col(k) << 0, 6 * x - 2;
  }
  const WhitenedChart chart(plane, Curve::straight(positions.col(0), positions.col(2)), ws);
  const Vector residual = chart.residuals(chart.to_chart(Curve(t, positions, velocities, accelerations)), ws);
  // The quadrature takes the residual for none at the nodes: the inner points alone, weights 49/180, 64/180, 49/180.
  for (int i = 0; i < 2; ++i) {
    const double h = t(i + 1) - t(i);
    const double middle = 6 * (t(i) + h / 2) - 2;
    const double offset = 6 * h * 0.5 * std::sqrt(3.0 / 7.0);
    const double expected = (98 * (middle * middle + offset * offset) + 64 * middle * middle) / 180;
    EXPECT_NEAR(residual(i), std::sqrt(expected), 1e-12);
  }
}

}  // namespace
}  // namespace pullback
