#include "pullback/manifold/curves/relaxation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

PullbackManifold paraboloid() {
  return PullbackManifold(make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) {
    return Eigen::Vector3<T>(z(0), z(1), z(0) * z(0) + z(1) * z(1));
  }));
}

TEST(Relaxation, ComesNearTheGeodesic) {
  const PullbackManifold manifold = paraboloid();
  Workspace ws;
  const Vector from{{1.0, 0.0}};
  const Vector to{{std::cos(2.0), std::sin(2.0)}};
  const Curve curve = relaxed(manifold, Curve::straight(from, to), {}, ws);
  // It stops when a step gains less than 1e-3 of the energy, half of that in length, and steps gain ever less.
  EXPECT_NEAR(measure(manifold, curve, ws).length, 1.929194426596, 1e-3 * 1.93);
  EXPECT_EQ(curve.positions().leftCols(1), from);
  EXPECT_EQ(curve.positions().rightCols(1), to);
  EXPECT_LE(measure(manifold, curve, ws).speed_variation, 0.02);
}

TEST(Relaxation, NeverLengthensTheChords) {
  const PullbackManifold manifold = paraboloid();
  Workspace ws;
  Matrix nodes(2, 7);
  nodes << 1, 0.3, 0.9, -0.2, 0.4, -0.9, -1, 0, 0.8, -0.6, 0.7, -0.9, 0.3, 0;
  const Curve start = Curve::through(nodes);
  double before = measure(manifold, constant_speed(manifold, start, 32, ws), ws).length;
  for (int iterations = 1; iterations <= 5; ++iterations) {
    RelaxationOptions options;
    options.iterations = iterations;
    const double length = measure(manifold, relaxed(manifold, start, options, ws), ws).length;
    EXPECT_LT(length, before) << iterations;
    before = length;
  }
}

TEST(Relaxation, LeavesAGeodesicAlone) {
  const PullbackManifold manifold = paraboloid();
  Workspace ws;
  const Curve saddle = Curve::straight(Vector{{1.0, 0.0}}, Vector{{-1.0, 0.0}});
  const Curve curve = relaxed(manifold, saddle, {}, ws);
  EXPECT_EQ(curve.pieces(), 64);
  EXPECT_EQ(curve.positions().row(1).norm(), 0);
}

TEST(Relaxation, StopsWhenAsked) {
  const PullbackManifold manifold = paraboloid();
  Workspace ws;
  const Curve line = Curve::straight(Vector{{1.0, 0.0}}, Vector{{0.0, 1.0}});
  RelaxationOptions options;
  options.should_stop = [] { return true; };
  const Vector middle = relaxed(manifold, line, options, ws).position(Vector{{0.5}});
  EXPECT_LE((middle - Vector{{0.5, 0.5}}).norm(), 1e-12);
  options.chords = 1;
  EXPECT_THROW(relaxed(manifold, line, options, ws), std::invalid_argument);
}

TEST(Relaxation, DoesNotEnterWhereThereIsNoMetric) {
  const auto manifold = half_plane();
  Workspace ws;
  const Curve curve = relaxed(*manifold, Curve::straight(Vector{{0.0, 0.01}}, Vector{{3.0, 0.02}}), {}, ws);
  EXPECT_GT(curve.positions().row(1).minCoeff(), 0);
  EXPECT_TRUE(curve.positions().allFinite());
}

}  // namespace
}  // namespace pullback
