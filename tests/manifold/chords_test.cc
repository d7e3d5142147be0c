#include "pullback/manifold/numerics/chords.h"

#include <gtest/gtest.h>

#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

// The plane, with its second axis twice as long.
PullbackManifold stretched_plane() {
  return PullbackManifold(make_generator(2, 2, []<class T>(const T* z, T* x) {
    x[0] = z[0];
    x[1] = 2.0 * z[1];
  }));
}

TEST(Chords, LengthAndEnergyOfAPolyline) {
  Workspace ws;
  Matrix nodes(2, 3);
  nodes << 0, 3, 3, 0, 2, 3;  // chords of length 5 and 2
  EXPECT_NEAR(chord_length(stretched_plane(), nodes, ws), 7, 1e-14);
  EXPECT_NEAR(chord_energy(stretched_plane(), nodes, ws), 0.5 * 2 * (25 + 4), 1e-13);
  EXPECT_NEAR(chord_length(stretched_plane(), Curve::straight(Vector{{0.0, 0.0}}, Vector{{3.0, 2.0}}), 8, ws), 5,
              1e-14);
}

TEST(MovedNodes, StepInWhitenedCoordinatesBetweenTheEnds) {
  Matrix nodes(2, 3), factors(2, 6), step(2, 1);
  nodes << 0, 1, 2, 0, 1, 2;
  factors << 1, 0, 2, 1, 1, 0, 0, 1, 0, 4, 0, 1;  // R_1 = [2 1; 0 4]
  step << 4, 8;
  const Matrix moved = moved_nodes(nodes, factors, step, 0.5);
  EXPECT_EQ(moved.col(0), nodes.col(0));
  EXPECT_EQ(moved.col(2), nodes.col(2));
  EXPECT_EQ(moved.col(1), (Vector{{1 + 0.5 * 1, 1 + 0.5 * 2}}));  // R_1⁻¹ (4, 8) = (1, 2)
}

TEST(DoubledNodes, KeepTheNodesAndLieOnTheCurveThroughThem) {
  Matrix nodes(1, 4);
  nodes << 0, 1, 8, 27;
  const Matrix doubled = doubled_nodes(nodes);
  ASSERT_EQ(doubled.cols(), 7);
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(doubled(0, 2 * i), nodes(0, i), 1e-13);
  EXPECT_NEAR(doubled(0, 3), Curve::through(nodes).position(Vector::Constant(1, 0.5))(0, 0), 1e-13);
}

}  // namespace
}  // namespace pullback
