#include "pullback/manifold/data/data_region.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <random>

namespace pullback {
namespace {

constexpr double kPi = std::numbers::pi;

// Points of the unit circle, equally spaced, or on the annulus with radii 0.9 and 1.1 by turns.
Matrix ring(int count, double thickness = 0) {
  Matrix codes(2, count);
  for (int i = 0; i < count; ++i) {
    const double angle = 2 * kPi * i / count;
    const double radius = 1 + (i % 2 == 0 ? thickness : -thickness);
    codes.col(i) << radius * std::cos(angle), radius * std::sin(angle);
  }
  return codes;
}

Matrix normal_points(int rows, int count) {
  std::mt19937 engine(3);
  std::normal_distribution<double> normal;
  Matrix points(rows, count);
  for (double& entry : points.reshaped()) entry = normal(engine);
  return points;
}

TEST(DataRegionTest, DistancesAreThoseToTheKthNeighbourInDeviations) {
  // On a line at 0, 1, …, 9: mean 4.5, variance (10² − 1)/12 = 8.25.
  const Matrix codes = Vector::LinSpaced(10, 0, 9).transpose();
  const double deviation = std::sqrt(8.25);
  const DataRegion region(codes, Matrix(), {.neighbours = 2});
  EXPECT_NEAR(region.factor().cwiseAbs()(0, 0), deviation, 1e-12);
  // From 0.2 the neighbours are 0 and 1, from 12 they are 9 and 8.
  const Vector distance = region.distance(Matrix{{0.2, 12.0}});
  EXPECT_NEAR(distance(0), 0.8 / deviation, 1e-12);
  EXPECT_NEAR(distance(1), 4.0 / deviation, 1e-12);
  // Without themselves the codes have their second neighbour at 1, at either end at 2: 80 % have at most 1.
  EXPECT_NEAR(region.radius(), 2 / deviation, 1e-12);
  EXPECT_NEAR(DataRegion(codes, Matrix(), {.neighbours = 2, .share = 0.8}).radius(), 1 / deviation, 1e-12);
}

TEST(DataRegionTest, ARingHasAHole) {
  const DataRegion region(ring(200));
  const auto inside = region.contains(Matrix{{0, 1, 0, 1.5}, {0, 0, -1, 0}});
  EXPECT_FALSE(inside(0));
  EXPECT_TRUE(inside(1));
  EXPECT_TRUE(inside(2));
  EXPECT_FALSE(inside(3));
}

TEST(DataRegionTest, TheShareOfTheDataIsInside) {
  const int count = 2000;
  const Matrix codes = normal_points(2, count);
  const DataRegion region(codes);
  // Of the data themselves by construction; of others of the same distribution up to 4 deviations of a share of them.
  const Matrix others = normal_points(2, 2 * count).rightCols(count);
  const double share = static_cast<double>(region.contains(others).count()) / count;
  EXPECT_NEAR(share, 0.95, 4 * std::sqrt(0.95 * 0.05 / count));
}

TEST(DataRegionTest, IsTheSameInEveryChart) {
  Matrix codes = normal_points(3, 300);
  codes.row(0).array() += codes.row(1).array().square();  // no ellipsoid
  const Matrix blur = Vector{{0.1, 0.0, 0.3}}.asDiagonal();
  const DataRegion region(codes, blur);
  const Matrix Z = 2 * normal_points(3, 200);
  for (const double kappa : {1.0, 1e3, 1e6}) {
    const Matrix A{{1, 0, 0}, {2 * kappa, kappa, 0}, {-3, 1, 0.5}};
    const Vector b{{5, -7, 1e3}};
    const DataRegion moved((A * codes).colwise() + b, A * blur);
    const Matrix moved_points = (A * Z).colwise() + b;
    // Coordinates of size κ cancel in the mean and the chart, and b adds its own rounding: 100 κ ε is what is left.
    const double tolerance = 100 * kappa * 1e3 * std::numeric_limits<double>::epsilon();
    EXPECT_NEAR(moved.radius(), region.radius(), tolerance) << kappa;
    EXPECT_LE((moved.distance(moved_points) - region.distance(Z)).cwiseAbs().maxCoeff(), tolerance) << kappa;
    EXPECT_TRUE((moved.contains(moved_points) == region.contains(Z)).all()) << kappa;
  }
}

TEST(DataRegionTest, ACollapsedCoordinateIsAsWideAsItsPosterior) {
  Matrix codes = normal_points(2, 1000);
  codes.row(1) *= 0.01;  // the means of a coordinate that the encoder leaves to the prior
  const Matrix points{{0, 0}, {0.5, 50}};
  const DataRegion narrow(codes);
  EXPECT_FALSE(narrow.contains(points)(0));
  const DataRegion wide(codes, Vector{{0, 1}});
  EXPECT_NEAR(wide.factor().col(1).norm(), 1, 1e-3);  // √(1 + 0.01²·1.0)
  EXPECT_TRUE(wide.contains(points)(0));
  EXPECT_FALSE(wide.contains(points)(1));
}

TEST(DataRegionTest, DirectionsWithoutExtentAreFarAndNotNan) {
  Matrix codes = normal_points(2, 50);
  codes.row(1).setConstant(3);
  const DataRegion region(codes);
  EXPECT_TRUE(region.contains(Vector{{0, 3}})(0));
  EXPECT_GT(region.distance(Vector{{0, 3.001}})(0), 1e3);
  const DataRegion point(Matrix::Constant(2, 5, 1.0));
  EXPECT_TRUE(point.contains(Vector{{1, 1}})(0));
  EXPECT_FALSE(point.contains(Vector{{1, 2}})(0));
}

TEST(DataRegionTest, PointsThatAreNotFiniteAreOutside) {
  const DataRegion region(ring(50));
  EXPECT_FALSE(region.contains(Vector{{std::nan(""), 0}})(0));
}

TEST(DataRegionTest, ACurveIsMeasuredByItsArc) {
  // Clusters at a square's corners, so small that a chord between them is outside but for its ends.
  Matrix codes = 1e-3 * normal_points(2, 400);
  codes.row(0).rightCols(200).array() += 1;
  for (Eigen::Index k = 0; k < codes.cols(); k += 2) codes(1, k) += 1;
  const DataRegion region(codes);
  const CurveInRegion chord = locate(region, Curve::straight(Vector{{0, 0}}, Vector{{1, 0}}));
  const double deviation = 0.5;  // along a side
  EXPECT_NEAR(chord.arc, 1 / deviation, 0.01);
  EXPECT_LT(chord.share_inside, 0.02);
  EXPECT_NEAR(chord.farthest, 0.5 / deviation, 0.02);
  const CurveInRegion standing = locate(region, Curve::straight(Vector{{0, 0}}, Vector{{0, 0}}));
  EXPECT_EQ(standing.share_inside, 1);
  EXPECT_EQ(standing.arc, 0);
}

TEST(DataRegionTest, HalfOfACurveIsHalfOfItsArcWhateverItsSpeed) {
  const DataRegion region(ring(400, 0.05));
  // Radially from the ring's middle to its crest, at a speed that grows: inside only where it is near the crest.
  const Vector t = uniform_times(33);
  Matrix nodes = Matrix::Zero(2, t.size());
  nodes.row(0) = t.array().square().transpose();
  double border = 1;  // the first point inside, from a fine search
  while (border > 0 && region.contains(Vector{{border, 0}})(0)) border -= 1e-4;
  EXPECT_NEAR(locate(region, Curve::through(nodes)).share_inside, 1 - border, 3e-3);  // a chord at the end is 2/1024
}

TEST(DataRegionTest, RefusesWhatIsNoData) {
  EXPECT_THROW(DataRegion(Matrix::Zero(2, 1)), std::invalid_argument);
  EXPECT_THROW(DataRegion(Matrix::Constant(2, 5, std::nan(""))), std::invalid_argument);
  EXPECT_THROW(DataRegion(ring(5), Matrix::Zero(3, 1)), std::invalid_argument);
  EXPECT_THROW(DataRegion(ring(5), Matrix(), {.neighbours = 0}), std::invalid_argument);
  EXPECT_THROW(DataRegion(ring(5), Matrix(), {.share = 0}), std::invalid_argument);
  EXPECT_THROW(locate(DataRegion(ring(5)), Curve()), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
