#include "pullback/manifold/metrics/affine_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "pullback/generators/combine/compose.h"
#include "pullback/generators/generator_registry.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::shared_ptr<const Generator> surface(const std::string& name) {
  GeneratorRegistry generators;
  register_surfaces(generators);
  return generators.open(name).generator;
}

Matrix mean_metric(const Manifold& manifold, const Curve& curve) {
  const int n = manifold.dimension();
  const Matrix M = manifold.metric(curve.position(uniform_times(33)));
  Matrix mean = Matrix::Zero(n, n);
  for (int k = 0; k < 33; ++k) mean += M.middleCols(n * k, n) / 33;
  return mean;
}

TEST(MeanFactor, IsThatOfTheMeanMetric) {
  const PullbackManifold manifold(surface("paraboloid"));
  const Curve line = Curve::straight(Vector{{1, 0.5}}, Vector{{-0.5, 1}});
  Workspace ws;
  const Matrix W = mean_factor(manifold, line, ws);
  EXPECT_LE((W.transpose() * W - mean_metric(manifold, line)).norm(), 1e-12);
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
    const auto manifold =
        std::make_shared<PullbackManifold>(std::make_shared<AffineInput>(surface("paraboloid"), A, Vector::Zero(2)));
    const Curve line = Curve::straight(Vector{{0.2, 0.1 * kappa}}, Vector{{0.7, -0.4 * kappa}});
    Workspace ws;
    const auto chart = whitened_chart(manifold, line, ws);
    // The mean is of entries up to κ², of which the rounding of A leaves κε.
    EXPECT_LE((mean_metric(*chart, chart->to_chart(line)) - Matrix::Identity(2, 2)).norm(), 1e-14 * kappa + 1e-13);
  }
}

TEST(AffineChart, MovesPointsAndCurvesThereAndBack) {
  const auto manifold = std::make_shared<PullbackManifold>(surface("torus"));
  const Matrix A{{2, 1}, {0, 0.5}};
  const AffineChart chart(manifold, A, Vector{{1, -1}});
  const Matrix Y{{0.3, 1.0}, {-2.0, 0.25}};
  EXPECT_TRUE(chart.to_chart(chart.from_chart(Y)).isApprox(Y, 1e-15));
  EXPECT_EQ(chart.from_chart(Vector::Zero(2)), (Vector{{1, -1}}));
  const Curve curve = Curve::straight(Vector{{0.1, 0.2}}, Vector{{0.5, 0.9}});
  const Vector t{{0.0, 0.3, 1.0}};
  EXPECT_TRUE(chart.from_chart(chart.to_chart(curve)).position(t).isApprox(curve.position(t), 1e-15));
  ASSERT_NE(chart.generator(), nullptr);
  Workspace ws;
  Matrix there(3, 2);
  Matrix here(3, 2);
  chart.generator()->value(Y, there, ws);
  manifold->generator()->value(chart.from_chart(Y), here, ws);
  EXPECT_TRUE(there.isApprox(here, 1e-14));
}

TEST(AffineChart, RefusesWhatIsNoChart) {
  const auto manifold = half_plane();
  const Vector b = Vector::Zero(2);
  const auto refuses = [](auto make, const char* why) {
    EXPECT_THAT(make, ThrowsMessage<std::invalid_argument>(HasSubstr(why)));
  };
  refuses([&] { AffineChart(nullptr, Matrix::Identity(2, 2), b); }, "null");
  refuses([&] { AffineChart(manifold, Matrix::Identity(3, 3), b); }, "A must be 2×2 and b of size 2, got 3×3 and 2");
  refuses([&] { AffineChart(manifold, Matrix::Zero(2, 2), b); }, "singular");
  refuses([&] { AffineChart(manifold, Matrix::Identity(2, 2), Vector{{0, std::nan("")}}); }, "finite");
}

}  // namespace
}  // namespace pullback
