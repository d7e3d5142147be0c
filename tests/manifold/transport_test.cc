#include "pullback/manifold/curves/transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "pullback/manifold/curves/exponential.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "tests/manifold/surface.h"

namespace pullback {
namespace {

using testing::surface;

// The angle from v to its transport along a closed curve, 0 to π.
double holonomy(const Manifold& manifold, const Curve& loop, const Vector& v) {
  Workspace ws;
  const Transported moved = parallel_transport(manifold, loop, v, ws);
  const Vector z = loop.positions().col(0);
  EXPECT_NEAR(manifold.norm(z, moved.vector), manifold.norm(z, v), 1e-9);
  EXPECT_LE(moved.error, 1e-9);
  const double cosine = manifold.inner(z, v, moved.vector) / manifold.norm(z, v) / manifold.norm(z, moved.vector);
  return std::acos(std::clamp(cosine, -1.0, 1.0));
}

TEST(TransportTest, HolonomyOfCircles) {
  for (const Vector& v : {Vector{{1.0, 0.0}}, Vector{{0.3, -0.7}}}) {
    const Curve on_sphere = Curve::straight(Vector{{M_PI / 3, 0.0}}, Vector{{M_PI / 3, 2 * M_PI}});
    EXPECT_NEAR(holonomy(*surface("sphere"), on_sphere, v), M_PI, 1e-5);  // acos is flat at −1
    const Curve on_torus = Curve::straight(Vector{{1.0, 0.0}}, Vector{{1.0, 2 * M_PI}});
    EXPECT_NEAR(holonomy(*surface("torus:R=3,r=1"), on_torus, v), 2 * M_PI - 5.287118128163, 1e-9);
    const Curve flat = Curve::straight(Vector{{0.0, 0.3}}, Vector{{2 * M_PI, 0.3}});
    EXPECT_NEAR(holonomy(*surface("clifford-torus"), flat, v), 0, 1e-7);
  }
}

// At y the Euclidean angle of a vector carried along y = 1 over the way x has turned by x.
TEST(TransportTest, HorocycleOfTheHalfPlane) {
  Workspace ws;
  const double x = 1.5;
  const Transported moved =
      parallel_transport(*half_plane(), Curve::straight(Vector{{0.0, 1.0}}, Vector{{x, 1.0}}), Vector{{1.0, 0.0}}, ws);
  EXPECT_NEAR(moved.vector(0), std::cos(x), 1e-9);
  EXPECT_NEAR(std::abs(moved.vector(1)), std::sin(x), 1e-9);
}

TEST(TransportTest, AGeodesicCarriesItsVelocity) {
  Workspace ws;
  for (const char* name : {"sphere", "torus:R=3,r=1", "paraboloid", "swiss-roll"}) {
    const auto manifold = surface(name);
    const GeodesicFlow flow = exponential_flow(*manifold, Vector{{1.0, 0.2}}, Vector{{0.4, 0.9}}, ws);
    ASSERT_EQ(flow.status, FlowStatus::kComplete);
    const Transported moved = parallel_transport(*manifold, flow.path, Vector{{0.4, 0.9}}, ws);
    const double off = manifold->norm(flow.end_position, moved.vector - flow.end_velocity);
    EXPECT_LE(off, 1e-8 * manifold->norm(flow.end_position, flow.end_velocity)) << name;
  }
}

// A map with kinks has no Γ: the ladder carries vectors where it settles, and says so where a fold keeps it from that.
TEST(TransportTest, MapsWithKinksGoByALadder) {
  Workspace ws;
  const auto fold = surface("relu-fold:s=3");
  const Vector v{{1.0, 0.5}};
  const Transported beside = parallel_transport(*fold, Curve::straight(Vector{{0.5, 0.0}}, Vector{{1.0, 1.0}}), v, ws);
  EXPECT_LE((beside.vector - v).norm(), 1e-6);
  EXPECT_LE(beside.error, 1e-6);
  const Transported across = parallel_transport(*fold, Curve::straight(Vector{{-1.0, 0.0}}, Vector{{1.0, 0.0}}), v, ws);
  const Vector unfolded{{1 / std::sqrt(10.0), 0.5}};
  EXPECT_TRUE(std::isinf(across.error) || (across.vector - unfolded).norm() <= across.error);
}

TEST(TransportTest, RefusesWrongSizes) {
  Workspace ws;
  const auto sphere = surface("sphere");
  const Curve curve = Curve::straight(Vector{{1.0, 0.0}}, Vector{{1.0, 1.0}});
  EXPECT_THROW(parallel_transport(*sphere, curve, Vector::Zero(3), ws), std::invalid_argument);
  EXPECT_THROW(parallel_transport(*sphere, Curve(), Vector::Zero(2), ws), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
