#include "pullback/manifold/curves/saddle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "pullback/generators/generator_registry.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

PullbackManifold surface(const std::string& name) {
  GeneratorRegistry generators;
  register_surfaces(generators);
  return PullbackManifold(generators.open(name).generator);
}

// Over the vertex of a paraboloid the line is a geodesic, and shorter to either side of it.
TEST(BesideSaddle, FindsBothSidesOfTheVertex) {
  const PullbackManifold paraboloid = surface("paraboloid");
  const Vector from{{1.0, 0.0}};
  const Vector to{{-1.0, 0.0}};
  const Curve line = Curve::straight(from, to);
  Workspace ws;
  const std::vector<Curve> sides = beside_saddle(paraboloid, line, 64, ws);
  ASSERT_EQ(sides.size(), 2u);
  const double length = measure(paraboloid, line, ws).length;
  double product = 1;
  for (const Curve& side : sides) {
    EXPECT_LT(measure(paraboloid, side, ws).length, 0.999 * length);
    EXPECT_EQ(side.positions().col(0), from);
    EXPECT_EQ(Vector(side.positions().rightCols(1)), to);
    product *= side.position(Vector{{0.5}})(1);
  }
  EXPECT_LT(product, -0.01);  // on different sides
}

TEST(BesideSaddle, LeavesAMinimumAlone) {
  Workspace ws;
  EXPECT_TRUE(
      beside_saddle(surface("torus:R=3,r=1"), Curve::straight(Vector{{M_PI, 0}}, Vector{{M_PI, 2}}), 32, ws).empty());
  EXPECT_THROW(beside_saddle(surface("plane"), Curve::straight(Vector{{0, 0}}, Vector{{1, 0}}), 5, ws),
               std::invalid_argument);
}

}  // namespace
}  // namespace pullback
