#include "pullback/manifold/metrics/metric_manifold.h"

#include <gtest/gtest.h>

#include <cmath>

#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/metrics/ambient_pullback.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

std::shared_ptr<const Generator> torus() {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return registry.open("torus:R=3,r=1").generator;
}

// On the half-plane: ẍ = 2ẋẏ/y, ÿ = (ẏ² − ẋ²)/y.
TEST(MetricManifoldTest, HalfPlaneAccelerationIsTheClosedForm) {
  Workspace ws;
  const double y = 0.7;
  const Vector v{{0.3, -0.4}};
  Vector a(2);
  half_plane()->acceleration(Vector{{1.5, y}}, v, a, ws);
  EXPECT_NEAR(a(0), 2 * v(0) * v(1) / y, 1e-9);
  EXPECT_NEAR(a(1), (v(1) * v(1) - v(0) * v(0)) / y, 1e-9);
}

TEST(MetricManifoldTest, IdentityAmbientMetricIsTheEuclideanPullback) {
  const PullbackManifold euclidean(torus());
  const AmbientPullback ambient(torus(),
                                [](const ConstVectorRef& x) { return Matrix(Matrix::Identity(x.size(), x.size())); });
  const Vector z{{0.4, 1.1}};
  const Vector v{{0.7, -0.2}};
  Workspace ws;
  EXPECT_LE((ambient.metric(z) - euclidean.metric(z)).norm(), 1e-14 * euclidean.metric(z).norm());
  Vector a(2);
  Vector b(2);
  ambient.acceleration(z, v, a, ws);
  euclidean.acceleration(z, v, b, ws);
  EXPECT_LE((a - b).norm(), 1e-9 * b.norm());
}

// A conformal ambient metric e^{2x₁}I, pulled back through a plane (x,y,0): Γ gives ẍ = −ẋ² + ẏ², ÿ = −2ẋẏ.
TEST(MetricManifoldTest, CurvedAmbientMetricBendsGeodesics) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  const AmbientPullback manifold(registry.open("plane").generator, [](const ConstVectorRef& x) {
    return Matrix(std::exp(2 * x(0)) * Matrix::Identity(x.size(), x.size()));
  });
  const Vector v{{0.6, 0.5}};
  Vector a(2);
  Workspace ws;
  manifold.acceleration(Vector{{0.2, -0.3}}, v, a, ws);
  EXPECT_NEAR(a(0), -v(0) * v(0) + v(1) * v(1), 1e-9);
  EXPECT_NEAR(a(1), -2 * v(0) * v(1), 1e-9);
  EXPECT_NEAR(manifold.norm(Vector{{0.2, -0.3}}, v), std::exp(0.2) * v.norm(), 1e-14);
}

TEST(MetricManifoldTest, RefusesWhatDoesNotFit) {
  EXPECT_THROW(MetricManifold(2, "null", nullptr), std::invalid_argument);
  EXPECT_THROW(MetricManifold("null", nullptr), std::invalid_argument);
  EXPECT_THROW(PullbackManifold(nullptr), std::invalid_argument);
  EXPECT_THROW(AmbientPullback(nullptr, [](const ConstVectorRef&) { return Matrix(); }), std::invalid_argument);
  EXPECT_THROW(AmbientPullback(torus(), AmbientPullback::AmbientMetric()), std::invalid_argument);
  EXPECT_THROW(AmbientPullback(torus(), std::shared_ptr<const MetricField>()), std::invalid_argument);
  const AmbientPullback wrong(torus(), [](const ConstVectorRef&) { return Matrix(Matrix::Identity(2, 2)); });
  EXPECT_THROW(wrong.metric(Vector{{0.0, 0.0}}), std::invalid_argument);
  Workspace ws;
  Vector a(2);
  EXPECT_THROW(half_plane()->acceleration(Vector::Zero(3), Vector::Zero(3), a, ws), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
