#include "pullback/manifold/fields/volume_variation.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <limits>
#include <memory>
#include <random>

#include "pullback/generators/combine/compose.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/data/data_region.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

std::shared_ptr<const Generator> surface(const std::string& spec) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return registry.open(spec).generator;
}

PullbackManifold in_chart(const std::shared_ptr<const Generator>& f, const Matrix& A, const Vector& b) {
  // w = Az + b, so that z = A⁻¹(w − b).
  const Matrix inverse = A.inverse();
  return PullbackManifold(std::make_shared<AffineInput>(f, inverse, -inverse * b, "chart"));
}

TEST(VolumeVariationTest, OfTheSphereIsTwiceTheCotangent) {
  // det M = sin²θ: the gradient is 2 cot θ along θ, here with deviations 0.3 and 5.
  const PullbackManifold sphere(surface("sphere"));
  const Matrix D = Vector{{0.3, 5}}.asDiagonal();
  const Matrix Z{{0.7, 1.0, 2.0}, {0, 1, 2}};
  Workspace ws;
  const double step = 1e-3;
  const Vector v = volume_variation(sphere, Z, D, ws, step);
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    // The difference is off by (0.3 step)²/24 of the third derivative, which is at most 12 / sin³θ here.
    const double truncation = 0.3 * std::pow(0.3 * step, 2) / 24 * 12 / std::pow(std::sin(Z(0, k)), 3);
    EXPECT_NEAR(v(k), 0.3 * 2 * std::abs(std::cos(Z(0, k)) / std::sin(Z(0, k))), truncation + 1e-11);
  }
}

TEST(VolumeVariationTest, IsZeroForAFlatMap) {
  const PullbackManifold flat(surface("linear:k=4"));
  Workspace ws;
  const Vector v = volume_variation(flat, Matrix::Random(2, 5), Matrix::Identity(2, 2), ws);
  // κ = 1e4 leaves κ ε in the smallest singular value, and the difference divides by the step.
  EXPECT_LE(v.maxCoeff(), 100 * 1e4 * std::numeric_limits<double>::epsilon() / kVariationStep);
}

TEST(VolumeVariationTest, IsTheSameInEveryChartWhateverTheStep) {
  const auto f = surface("torus:R=3,r=1");
  std::mt19937 engine(5);
  std::normal_distribution<double> normal;
  Matrix codes(2, 200);
  for (double& entry : codes.reshaped()) entry = normal(engine);
  const Matrix Z = codes.leftCols(20);
  const Matrix A{{30, 7}, {0.2, -0.5}};
  const Vector b{{4, -1}};
  const PullbackManifold base(f);
  const PullbackManifold moved = in_chart(f, A, b);
  const Matrix moved_codes = (A * codes).colwise() + b;
  const Matrix moved_Z = (A * Z).colwise() + b;
  Workspace ws;
  for (const double step : {1e-2, 0.5}) {
    const Vector v = volume_variation(base, Z, DataRegion(codes).factor().transpose(), ws, step);
    const Vector w = volume_variation(moved, moved_Z, DataRegion(moved_codes).factor().transpose(), ws, step);
    // κ(A) = 60 and coordinates of size 30 leave some 1e4 ε, which the difference divides by the step.
    EXPECT_LE((v - w).cwiseAbs().maxCoeff(), 1e4 * std::numeric_limits<double>::epsilon() / step) << step;
    EXPECT_GT(v.maxCoeff(), 0.1);
  }
}

TEST(VolumeVariationTest, CollapsedCoordinatesCanBeLeftOut) {
  // Along z₂ the map moves by 1e-9 e^{5 z₂}, along z₁ it is e^{z₁}: det M = 1e-18 · (e^{2z₁} · 25 e^{10 z₂}).
  const auto f = make_generator(2, 2, [](const auto& z) {
    using std::exp;
    using Scalar = std::decay_t<decltype(z(0))>;
    return Eigen::Vector<Scalar, 2>(exp(z(0)), 1e-9 * exp(5.0 * z(1)));
  });
  const PullbackManifold manifold(f);
  Workspace ws;
  const Vector z{{0.3, 0.1}};
  // log det is linear, so that any step is exact, and the least singular value has only the digits that κ leaves.
  const double tolerance = 1e10 * std::numeric_limits<double>::epsilon() / kVariationStep;
  EXPECT_NEAR(volume_variation(manifold, z, Matrix::Identity(2, 2), ws)(0), std::hypot(2, 10), 100 * tolerance);
  EXPECT_NEAR(volume_variation(manifold, z, Matrix::Identity(2, 1), ws)(0), 2, 1e-12);
  const Matrix sigma = singular_values_along(manifold, z, Matrix::Identity(2, 1), ws);
  EXPECT_NEAR(sigma(0, 0), std::exp(0.3), 1e-14);
}

TEST(VolumeVariationTest, IsUndefinedWhereTheJacobianLosesRank) {
  const PullbackManifold disc(surface("collapsed-disc"));
  Workspace ws;
  EXPECT_TRUE(std::isnan(volume_variation(disc, Vector{{0.1, 0.1}}, Matrix::Identity(2, 2), ws)(0)));
  const Vector outside = Vector{{std::nan(""), 0}};
  EXPECT_TRUE(std::isnan(volume_variation(disc, outside, Matrix::Identity(2, 2), ws)(0)));
}

TEST(VolumeVariationTest, RefusesWrongShapes) {
  const PullbackManifold plane(surface("plane"));
  Workspace ws;
  EXPECT_THROW(volume_variation(plane, Matrix::Zero(3, 1), Matrix::Identity(2, 2), ws), std::invalid_argument);
  EXPECT_THROW(volume_variation(plane, Matrix::Zero(2, 1), Matrix::Identity(3, 3), ws), std::invalid_argument);
  EXPECT_THROW(volume_variation(plane, Matrix::Zero(2, 1), Matrix::Identity(2, 2), ws, 0), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
