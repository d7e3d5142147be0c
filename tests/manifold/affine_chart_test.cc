#include "pullback/manifold/metrics/affine_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
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
