#include "pullback/manifold/metrics/mean_chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

PullbackManifold surface(const std::string& name) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return PullbackManifold(registry.open(name).generator);
}

TEST(MeanChart, MeanMetricAlongTheCurveIsTheIdentity) {
  Workspace ws;
  for (const char* name : {"sphere", "sheared-sphere:s=1000", "sphere-scaled:epsilon=1e-6"}) {
    const PullbackManifold sphere = surface(name);
    const Curve line = Curve::straight(Vector{{0.4, 0.1}}, Vector{{0.9, 0.7}});
    const MeanChart chart(sphere, line, ws);
    const Matrix R = chart.factor(chart.whiten(line.position(uniform_times(33))), ws);
    Matrix mean = Matrix::Zero(2, 2);
    for (int k = 0; k < 33; ++k) mean += R.middleCols(2 * k, 2).transpose() * R.middleCols(2 * k, 2) / 33;
    // Rounding of the coordinates moves the metrics by about κ ε.
    EXPECT_LE((mean - Matrix::Identity(2, 2)).norm(), 1e-8) << name;
  }
}

TEST(MeanChart, GoesThereAndBack) {
  Workspace ws;
  const PullbackManifold sphere = surface("sheared-sphere:s=1000");
  Matrix nodes(2, 4);
  nodes << 1, -500, -1200, -2000, 0, 0.5, 1.2, 2;
  const Curve curve = with_geodesic_accelerations(sphere, Curve::through(nodes), ws);
  const MeanChart chart(sphere, curve, ws);
  const Curve whitened = chart.whiten(curve);
  EXPECT_TRUE(whitened.quintic());
  EXPECT_EQ(whitened.positions().col(0), Vector(Vector::Zero(2)));
  const Curve back = chart.unwhiten(whitened, nodes.col(0), nodes.col(3));
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

TEST(MeanChart, ResidualIsThatOfTheGeodesicEquation) {
  // In the plane a(c, ċ) = 0, so that the residual of c = (t, t³ − t²) is its acceleration, (0, 6t − 2).
  Workspace ws;
  const PullbackManifold plane = surface("plane");
  const Vector t = Vector{{0.0, 0.3, 1.0}};
  Matrix positions(2, 3), velocities(2, 3), accelerations(2, 3);
  for (int k = 0; k < 3; ++k) {
    const double x = t(k);
    positions.col(k) << x, x * x * x - x * x;
    velocities.col(k) << 1, 3 * x * x - 2 * x;
    accelerations.col(k) << 0, 6 * x - 2;
  }
  const MeanChart chart(plane, Curve::straight(positions.col(0), positions.col(2)), ws);
  const Vector residual = chart.residuals(chart.whiten(Curve(t, positions, velocities, accelerations)), ws);
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
