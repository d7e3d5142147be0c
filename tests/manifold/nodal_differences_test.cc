#include "pullback/manifold/numerics/nodal_differences.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "pullback/base/random.h"
#include "pullback/generators/combine/compose.h"
#include "pullback/manifold/metrics/affine_chart.h"
#include "pullback/manifold/metrics/damped_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

double monomial(int degree, double t) { return std::pow(t - 0.3, degree); }
double slope(int degree, double t) { return degree < 1 ? 0 : degree * std::pow(t - 0.3, degree - 1); }
double bend(int degree, double t) { return degree < 2 ? 0 : degree * (degree - 1) * std::pow(t - 0.3, degree - 2); }

// Of order p: exact for polynomials up to degree p, the second derivative also for p + 1, at every column.
TEST(NodalDifferences, AreExactForPolynomialsOfTheirOrder) {
  for (const auto& [order, degree] : {std::pair(DifferenceOrder::kFourth, 4), std::pair(DifferenceOrder::kSixth, 6)}) {
    for (const int K : {8, 9, 13, 32}) {
      for (int p = 0; p <= degree + 1; ++p) {
        Matrix nodes(1, K + 1);
        for (int i = 0; i <= K; ++i) nodes(i) = monomial(p, static_cast<double>(i) / K);
        const Matrix first = nodal_velocities(nodes, order);
        const Matrix second = nodal_accelerations(nodes, order);
        for (int i = 0; i <= K; ++i) {
          const double t = static_cast<double>(i) / K;
          if (p <= degree) EXPECT_NEAR(first(i), slope(p, t), 1e-11) << p << " at " << i << " of " << K;
          if (i > 0 && i < K) EXPECT_NEAR(second(i - 1), bend(p, t), 1e-9) << p << " at " << i << " of " << K;
        }
      }
    }
  }
}

TEST(NodalDifferences, FewNodesLeaveRoomForTheFourthOrderOnly) {
  for (const Eigen::Index K : {5, 6, 7}) {
    for (Eigen::Index i = 1; i < K; ++i) {
      const NodalDifference six = second_difference(i, K, DifferenceOrder::kSixth);
      EXPECT_EQ(six.weights, second_difference(i, K, DifferenceOrder::kFourth).weights);
      EXPECT_LE(six.first + six.count, K + 1);
    }
  }
  EXPECT_THROW(nodal_velocities(Matrix::Zero(2, 5), DifferenceOrder::kSixth), std::invalid_argument);
}

// On a flat manifold the gradient is linear in the nodes, and its derivative the coupling and the Hessian's curvature,
// which is zero: the same in another chart, and when the metric is damped.
TEST(SmoothCoupling, IsTheDerivativeOfTheGradient) {
  const Matrix A = Random(1).normal_matrix(5, 3);
  const auto flat = std::make_shared<PullbackManifold>(std::make_shared<LinearMap>(A));
  const Matrix chart{{2, 1, 0}, {0, 0.5, 0.1}, {0.3, 0, 1}};
  const auto sheared = std::make_shared<AffineChart>(flat, chart, Vector{{1, 2, 3}});
  const auto damped = std::make_shared<DampedManifold>(sheared, 0.3, Matrix::Identity(3, 3));
  const Eigen::Index K = 17;
  Workspace ws;
  for (const auto& manifold : std::initializer_list<std::shared_ptr<const Manifold>>{flat, sheared, damped}) {
    const Matrix Z = Random(2).normal_matrix(3, K + 1);
    const Matrix step = Random(3).normal_matrix(3, K - 1);
    const Variation before = manifold->variation(Z, ws);
    Matrix moved = Z;
    for (Eigen::Index i = 1; i < K; ++i) {
      moved.col(i) += before.factor.middleCols(3 * i, 3).triangularView<Eigen::Upper>().solve(step.col(i - 1));
    }
    const Variation after = manifold->variation(moved, ws);
    ASSERT_TRUE(before.coupling.known());
    EXPECT_TRUE(before.coupling.times(step).isApprox(after.gradient - before.gradient, 1e-11));
  }
}

}  // namespace
}  // namespace pullback
