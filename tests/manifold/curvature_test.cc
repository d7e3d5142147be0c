#include "pullback/manifold/metrics/curvature.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/metric_transforms.h"
#include "pullback/manifold/metrics/named_metrics.h"
#include "tests/manifold/surface.h"

namespace pullback {
namespace {

using testing::surface;

Curvature gaussian(const Manifold& manifold, double x, double y) {
  Workspace ws;
  return sectional_curvature(manifold, Vector{{x, y}}, Vector{{1.0, 0.0}}, Vector{{0.0, 1.0}}, ws);
}

TEST(CurvatureTest, OfSurfaces) {
  EXPECT_NEAR(gaussian(*surface("paraboloid"), 1, 0).value, 0.16, 1e-13);
  EXPECT_NEAR(gaussian(*surface("torus:R=3,r=1"), 1, 0.3).value, 0.1526147371575, 1e-12);
  EXPECT_NEAR(gaussian(*surface("catenoid"), 0.7, 0.3).value, -std::pow(std::cosh(0.7), -4), 1e-12);
  EXPECT_NEAR(gaussian(*surface("helicoid"), 0.7, 0.3).value, -std::pow(std::cosh(0.7), -4), 1e-12);
  EXPECT_NEAR(gaussian(*surface("pseudosphere"), 1, 0.3).value, -1, 1e-12);
  EXPECT_NEAR(gaussian(*surface("swiss-roll"), 5, 0.3).value, 0, 1e-12);
  EXPECT_NEAR(gaussian(*surface("sheared-sphere:s=1e3"), 1, 0.001).value, 1, 1e-7);
}

TEST(CurvatureTest, OfMetricsAtEveryScale) {
  for (const double y : {1e-100, 1e-5, 1.0, 1e100}) {
    const Curvature k = gaussian(*half_plane(), 0.3, y);
    EXPECT_NEAR(k.value, -1, 1e-12) << y;
    EXPECT_EQ(k.error, 0);
  }
  EXPECT_NEAR(gaussian(*open_named_metric("fisher-normal"), 0, 2).value, -0.5, 1e-12);
  EXPECT_NEAR(gaussian(*open_named_metric("klein-disc"), 0.3, 0.6).value, -1, 1e-11);
}

TEST(CurvatureTest, OfPlanesInMoreDimensions) {
  Workspace ws;
  const auto ball = open_named_metric("poincare-ball:n=5");
  const auto sphere = surface("sphere-stereographic:d=4");
  const Vector u5{{1.0, 0.2, -0.3, 0.0, 0.1}};
  const Vector v5{{0.5, -1.0, 0.0, 0.7, 0.3}};
  EXPECT_NEAR(sectional_curvature(*ball, Vector::Constant(5, 0.2), u5, v5, ws).value, -1, 1e-11);
  EXPECT_NEAR(sectional_curvature(*sphere, Vector::Constant(4, 0.4), u5.head(4), v5.head(4), ws).value, 1, 1e-12);
  // The plane counts, and not the vectors.
  const auto hill = surface("hill:d=5");
  const double k = sectional_curvature(*hill, Vector::Constant(5, 0.4), u5, v5, ws).value;
  EXPECT_NEAR(sectional_curvature(*hill, Vector::Constant(5, 0.4), u5 + 2 * v5, -3e4 * v5, ws).value, k, 1e-11);
  EXPECT_GT(std::abs(k), 1e-3);
}

// Metrics of which only numbers are known, and transformed ones: by differences of Γ.
TEST(CurvatureTest, ByDifferencesWithinItsError) {
  const MetricManifold numbers(2, "numbers", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      M.middleCols<2>(2 * k) = Eigen::Matrix2d::Identity() / (Z(1, k) * Z(1, k));
    }
  });
  const Curvature k = gaussian(numbers, 0.3, 1e-3);
  EXPECT_NEAR(k.value, -1, 1e-6);
  EXPECT_LE(std::abs(k.value + 1), k.error + 1e-9);
  const auto torus = surface("torus:R=3,r=1");
  EXPECT_NEAR(gaussian(*floored(torus, 1e-3), 1, 0).value, 0.1526147371575, 1e-6);
}

TEST(CurvatureTest, RefusesWhatHasNone) {
  Workspace ws;
  const auto sphere = surface("sphere");
  const Vector z{{1.0, 0.0}};
  EXPECT_THROW(sectional_curvature(*sphere, z, z, 2 * z, ws), std::invalid_argument);
  EXPECT_THROW(sectional_curvature(*sphere, z, z, Vector::Zero(3), ws), std::invalid_argument);
  EXPECT_THROW(gaussian(*surface("relu-fold"), 1, 1), std::invalid_argument);
  EXPECT_TRUE(std::isnan(gaussian(*surface("sphere"), 0, 1).value));  // the pole
}

}  // namespace
}  // namespace pullback
