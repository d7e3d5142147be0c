#include "pullback/manifold/metrics/gaussian_process_manifold.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <stdexcept>

#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/curves/exponential.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "tests/contract/cases.h"

namespace pullback {
namespace {

using testing::known_process;

constexpr double kDigits = 1e-12;  // of the values written below

TEST(GaussianProcessManifoldTest, ExpectedMetricHasTheKnownValues) {
  const GaussianProcessManifold manifold(known_process());
  const Matrix M = manifold.metric(Matrix(Vector{{0.5, 0.5}}));
  EXPECT_NEAR(M(0, 0), 2.23648009285, 5 * kDigits);  // its last digit
  EXPECT_NEAR(M(0, 1), -0.1544574669054, kDigits);
  EXPECT_NEAR(M(1, 0), -0.1544574669054, kDigits);
  EXPECT_NEAR(M(1, 1), 1.353865996247, kDigits);
  const Matrix far = manifold.metric(Matrix(Vector{{8, 8}}));
  EXPECT_LE((far - 2 * Matrix::Identity(2, 2)).norm(), 1e-15);
}

TEST(GaussianProcessManifoldTest, WhatTheMeanLacksIsTheCovarianceOfTheJacobian) {
  const GaussianProcessManifold manifold(known_process());
  const PullbackManifold mean(known_process());
  const Matrix z = Vector{{0.5, 0.5}};
  const Matrix rest = manifold.metric(z) - mean.metric(z);
  EXPECT_LE((rest - 2 * 0.05542557176623 * Matrix::Identity(2, 2)).norm(), 2 * kDigits);
}

// Far from the data the mean lets distances vanish; the expected metric is flat there.
TEST(GaussianProcessManifoldTest, FarFromTheDataTheUncertaintyKeepsDistances) {
  const Matrix Z{{9, 12}, {9, 9}};
  Workspace ws;
  const Curve line = Curve::straight(Z.col(0), Z.col(1));
  EXPECT_NEAR(measure(GaussianProcessManifold(known_process()), line, ws).length, 3 * std::sqrt(2.0), 1e-9);
  EXPECT_LE(measure(PullbackManifold(known_process()), line, ws).length, 1e-10);
}

// E‖f(b) − f(a)‖² = ‖Δμ‖² + D Var(f(b) − f(a)), by the posterior covariance written out.
TEST(GaussianProcessManifoldTest, ChordsAreExpectedDistances) {
  const auto process = known_process();
  const Matrix& X = process->data().inputs;
  const auto kernel = [](const Vector& a, const Vector& b) { return std::exp(-0.5 * (a - b).squaredNorm()); };
  Matrix K(4, 4);
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) K(i, j) = kernel(X.col(i), X.col(j)) + (i == j ? 0.01 : 0);
  }
  const Matrix Z{{-0.4, 2.0}, {0.3, 1.1}};
  const auto covariance = [&](int p, int q) {
    Vector a(4);
    Vector b(4);
    for (int i = 0; i < 4; ++i) {
      a(i) = kernel(Z.col(p), X.col(i));
      b(i) = kernel(Z.col(q), X.col(i));
    }
    return kernel(Z.col(p), Z.col(q)) - a.dot(K.inverse() * b);
  };
  const double variance = 2 * (covariance(0, 0) + covariance(1, 1) - 2 * covariance(0, 1));
  const Matrix mean = process->value(Z);
  Vector d(1);
  Workspace ws;
  GaussianProcessManifold(process).chords(Z, d, ws);
  EXPECT_NEAR(d(0) * d(0), (mean.col(1) - mean.col(0)).squaredNorm() + variance, 1e-12);
}

TEST(GaussianProcessManifoldTest, ExponentialMapEndsWhereTheGeodesicDoes) {
  const GaussianProcessManifold manifold(known_process());
  // The initial velocity of the geodesic of the known answers, from the same independent integration.
  const Vector v{{1.9533365366564, 0.2724208831095}};
  Workspace ws;
  const GeodesicFlow flow = exponential_flow(manifold, Vector{{-0.3, 0.2}}, v, ws);
  EXPECT_LE((flow.end_position - Vector{{1.6, 1.1}}).norm(), 1e-8);
  EXPECT_NEAR(measure(manifold, flow.path, ws).length, 2.73958444224, 1e-9);
}

TEST(GaussianProcessManifoldTest, EveryGeneratorHasItsMetric) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  EXPECT_NE(std::dynamic_pointer_cast<const GaussianProcessManifold>(expected_manifold(known_process())), nullptr);
  EXPECT_NE(std::dynamic_pointer_cast<const PullbackManifold>(expected_manifold(registry.open("torus").generator)),
            nullptr);
  EXPECT_THROW(expected_manifold(nullptr), std::invalid_argument);
  EXPECT_THROW(GaussianProcessManifold(nullptr), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
