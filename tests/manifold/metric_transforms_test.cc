#include "pullback/manifold/metrics/metric_transforms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "pullback/generators/combine/compose.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/damped_manifold.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using ManifoldPointer = std::shared_ptr<const Manifold>;

// A few products and sums of numbers of size one.
constexpr double kRounding = 1e-13;
// Differences of fourth order, as MetricManifold promises of its derivatives.
constexpr double kDifferenced = 1e-8;

ManifoldPointer linear(const Matrix& A) { return std::make_shared<PullbackManifold>(std::make_shared<LinearMap>(A)); }

// (x, y, x²/2 + xy): J is linear in z, so that M is a quadratic.
ManifoldPointer quadratic() {
  return std::make_shared<PullbackManifold>(
      make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) -> Eigen::VectorX<T> {
        return Eigen::Vector3<T>(z(0), z(1), 0.5 * z(0) * z(0) + z(0) * z(1));
      }));
}

// The same metric without a map.
ManifoldPointer without_map(const ManifoldPointer& manifold) {
  return std::make_shared<MetricManifold>(
      manifold->dimension(), "given",
      [manifold](const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) { manifold->metric(Z, M, ws); });
}

Matrix some_points() {
  Matrix Z(2, 4);
  Z << 0.3, -0.7, 1.1, 0.2, 0.5, 0.4, -0.9, 1.6;
  return Z;
}

TEST(IsometrisingChart, MakesALinearMapAnIsometry) {
  Matrix A(3, 2);
  A << 1, 2, 0, 1e-3, -1, 1;
  const auto manifold = linear(A);
  Workspace ws;
  const Matrix chart = isometrising_chart(*manifold, some_points(), ws);
  EXPECT_LE((chart - chart.transpose()).norm(), kRounding * chart.norm());
  const Matrix M = in_linear_chart(manifold, chart)->metric(Vector::Zero(2));
  EXPECT_LE((M - Matrix::Identity(2, 2)).norm(), kRounding * 10);
}

// κ = 10⁸ would be lost in the square of M.
TEST(IsometrisingChart, DoesNotSquareTheConditionNumber) {
  const auto manifold = linear(Eigen::Vector2d(1, 1e-8).asDiagonal().toDenseMatrix());
  Workspace ws;
  const auto isometric = in_linear_chart(manifold, isometrising_chart(*manifold, some_points(), ws));
  const Matrix sigma = singular_values(*isometric, Vector::Zero(2), ws);
  EXPECT_NEAR(sigma(0), 1, kRounding);
  EXPECT_NEAR(sigma(1), 1, 1e-8);
}

TEST(IsometrisingChart, MakesTheMeanMetricTheIdentity) {
  for (const auto& manifold : {quadratic(), without_map(quadratic())}) {
    Workspace ws;
    const Matrix A = isometrising_chart(*manifold, some_points(), ws);
    const Matrix M = in_linear_chart(manifold, A)->metric(A.inverse() * some_points());
    Matrix mean = Matrix::Zero(2, 2);
    for (int k = 0; k < 4; ++k) mean += M.middleCols(2 * k, 2) / 4;
    EXPECT_LE((mean - Matrix::Identity(2, 2)).norm(), 100 * kRounding);
  }
}

TEST(Damped, AddsTheIdentityExactly) {
  Matrix A(3, 2);
  A << 1, 2, 0.5, -1, 3, 0;
  const Matrix M = damped(linear(A), 0.25)->metric(some_points().col(0));
  EXPECT_LE((M - A.transpose() * A - 0.25 * Matrix::Identity(2, 2)).norm(), kRounding * M.norm());
}

TEST(Damped, IsTheDampedManifoldByAnotherWay) {
  const auto stacked = damped(quadratic(), 0.3);
  ASSERT_NE(stacked->generator(), nullptr);
  const DampedManifold direct(quadratic(), 0.3, Matrix::Identity(2, 2));
  const Matrix Z = some_points();
  const Matrix V = Z.rowwise().reverse();
  Matrix ours(2, 4);
  Matrix theirs(2, 4);
  Workspace ws;
  stacked->acceleration(Z, V, ours, ws);
  direct.acceleration(Z, V, theirs, ws);
  EXPECT_LE((ours - theirs).norm(), 10 * kRounding * theirs.norm());
  EXPECT_LE((stacked->metric(Z) - direct.metric(Z)).norm(), kRounding * 10);
}

// Over a Gaussian of covariance C the mean of J(z+δ)ᵀJ(z+δ) is M(z) plus the mean of (J(z+δ) − J(z))ᵀ(…), for a J that
// is linear in z. Here the last row of J is (x + y, x).
TEST(Smoothed, IsTheGaussianMeanOfAQuadraticMetric) {
  Matrix L(2, 2);
  L << 0.4, 0, 0.1, 0.3;
  const Matrix C = L * L.transpose();
  Matrix row(2, 2);  // the last row of J as a linear function of z
  row << 1, 1, 1, 0;
  const Matrix expected_change = row * C * row.transpose();
  for (const auto& manifold : {quadratic(), without_map(quadratic())}) {
    const Matrix M = manifold->metric(some_points());
    const Matrix found = smoothed(manifold, L)->metric(some_points());
    for (int k = 0; k < 4; ++k) {
      EXPECT_LE((found.middleCols(2 * k, 2) - M.middleCols(2 * k, 2) - expected_change).norm(), kRounding * M.norm());
    }
  }
}

TEST(Smoothed, LeavesAFlatMetric) {
  Matrix A(2, 2);
  A << 1, 2, 0.5, -1;
  const Matrix M = smoothed(linear(A), 5 * Matrix::Identity(2, 2))->metric(some_points().col(0));
  EXPECT_LE((M - A.transpose() * A).norm(), kRounding * M.norm());
}

TEST(FloorFunction, JoinsBothPiecesThreeTimesSmoothly) {
  EXPECT_EQ(floor_function(0), 1);
  EXPECT_EQ(floor_function(0.25), 1);
  EXPECT_NEAR(floor_function(1.75 - 1e-12), 1.75, 1e-11);
  EXPECT_EQ(floor_function(3), 3);
  constexpr double kStep = 1e-3;
  double before = 0;
  for (double x = kStep; x < 2; x += kStep) {
    EXPECT_GE(floor_function(x), std::max(1.0, x));
    const double slope = (floor_function(x + kStep) - floor_function(x)) / kStep;
    EXPECT_GE(slope, before - 1e-12) << "convex";
    before = slope;
  }
  // The second derivative vanishes at both ends as the step's first does: with 60 u²/width² it is at most this.
  constexpr double kNear = 1e-2;
  for (const double x : {0.25, 1.75}) {
    const double second =
        (floor_function(x + kNear) - 2 * floor_function(x) + floor_function(x - kNear)) / kNear / kNear;
    EXPECT_LE(std::abs(second), 60 * kNear * kNear);
  }
}

TEST(Floored, RaisesWhatIsSmallAndNothingElse) {
  const auto manifold = linear(Eigen::Vector2d(1, 1e-6).asDiagonal().toDenseMatrix());
  Workspace ws;
  const Matrix sigma = singular_values(*floored(manifold, 0.05), Vector::Zero(2), ws);
  EXPECT_NEAR(sigma(0), 1, kRounding);
  EXPECT_NEAR(sigma(1), 0.05, 0.05 * kRounding * 400);  // M has the square of it beside 1
  const Matrix M = quadratic()->metric(some_points());
  EXPECT_LE((floored(quadratic(), 0.1)->metric(some_points()) - M).norm(), kRounding * M.norm());
}

TEST(Floored, TurnsWithTheSingularDirections) {
  Matrix A(2, 2);
  A << 0.6, -0.8e-6, 0.8, 0.6e-6;
  Matrix turn(2, 2);
  turn << 0.8, -0.6, 0.6, 0.8;
  const Matrix M = floored(linear(A * turn), 0.05)->metric(Vector::Zero(2));
  const Matrix expected = turn.transpose() * Eigen::Vector2d(1, 0.0025).asDiagonal() * turn;
  EXPECT_LE((M - expected).norm(), kRounding);
}

// c̈ = a keeps the speed, also where singular values cross the floor.
TEST(Floored, HasTheAccelerationOfItsMetric) {
  const auto manifold = floored(quadratic(), 1.2);
  const Vector v{{0.4, -0.7}};
  Workspace ws;
  for (const Vector& z : {Vector{{0.1, 0.2}}, Vector{{0.6, 0.1}}, Vector{{-0.8, 0.9}}}) {
    Vector a(2);
    manifold->acceleration(z, v, a, ws);
    constexpr double kStep = 1e-3;
    const auto square = [&](double s) { return v.dot(manifold->metric(Vector(z + s * v)) * v); };
    const double slope = (8 * (square(kStep) - square(-kStep)) - (square(2 * kStep) - square(-2 * kStep))) / 12 / kStep;
    EXPECT_NEAR(2 * manifold->inner(z, v, a) + slope, 0, kDifferenced * square(0));
  }
}

TEST(MetricTransforms, ActInTheOrderOfTheirCalls) {
  const auto manifold = linear(Eigen::Vector2d(1, 1e-3).asDiagonal().toDenseMatrix());
  const Vector z = Vector::Zero(2);
  const auto diagonal = [&](const ManifoldPointer& m) { return Vector(m->metric(z).diagonal()); };
  EXPECT_NEAR(diagonal(floored(damped(manifold, 0.01), 0.5))(1), 0.25, kRounding);
  EXPECT_NEAR(diagonal(damped(floored(manifold, 0.5), 0.01))(1), 0.26, kRounding);
}

TEST(MetricTransforms, KeepAGeneratorButForTheFloor) {
  const Matrix I = Matrix::Identity(2, 2);
  EXPECT_EQ(smoothed(damped(in_linear_chart(quadratic(), 2 * I), 0.1), I)->generator()->ambient_dimension(), 20);
  const auto metric_only = smoothed(damped(in_linear_chart(floored(quadratic(), 1), 2 * I), 0.1), I);
  EXPECT_EQ(metric_only->generator(), nullptr);
  EXPECT_TRUE(metric_only->metric(some_points()).allFinite());
}

TEST(LengthFactors, AreTheExtremesOverAllDirections) {
  const auto before = linear(Eigen::Vector2d(1, 0.1).asDiagonal().toDenseMatrix());
  Matrix A(2, 2);
  A << 0.5, 0, 0, 0.4;
  Workspace ws;
  const LengthFactors factors = length_factors(*before, *linear(A), some_points(), ws);
  EXPECT_NEAR(factors.smallest(0), 0.5, kRounding);
  EXPECT_NEAR(factors.largest(3), 4, kRounding * 10);
  const auto flat = linear(Eigen::Vector2d(1, 0).asDiagonal().toDenseMatrix());
  const LengthFactors raised = length_factors(*flat, *damped(flat, 0.21), some_points(), ws);
  EXPECT_NEAR(raised.smallest(0), 1.1, kRounding * 10);
  EXPECT_EQ(raised.largest(0), std::numeric_limits<double>::infinity());
}

TEST(MetricTransforms, SayWhatIsWrong) {
  const auto message = [](const char* text) { return ThrowsMessage<std::invalid_argument>(HasSubstr(text)); };
  EXPECT_THAT([] { damped(nullptr, 1); }, message("null"));
  EXPECT_THAT([] { damped(quadratic(), -1); }, message("-1"));
  EXPECT_THAT([] { floored(quadratic(), 0); }, message("positive"));
  EXPECT_THAT([] { smoothed(quadratic(), Matrix::Identity(3, 3)); }, message("2×2"));
  EXPECT_THAT([] { in_linear_chart(quadratic(), Matrix::Constant(2, 2, std::nan(""))); }, message("finite"));
  Workspace ws;
  EXPECT_THAT([&] { isometrising_chart(*quadratic(), Matrix(2, 0), ws); }, message("2×0"));
}

}  // namespace
}  // namespace pullback
