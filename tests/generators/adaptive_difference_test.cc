#include "pullback/generators/adaptive_difference.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "pullback/generators/formula/callback.h"

namespace pullback {
namespace {

// (sin s(x − c), cos s(x − c), y): varies over a length of 1/s, whatever |z| is.
Matrix wave(const ConstMatrixRef& Z, double scale, double centre) {
  Matrix X(3, Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const double t = scale * (Z(0, k) - centre);
    X.col(k) << std::sin(t), std::cos(t), Z(1, k);
  }
  return X;
}

Matrix wave_jacobian(const ConstMatrixRef& Z, double scale, double centre) {
  Matrix J = Matrix::Zero(3, 2 * Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const double t = scale * (Z(0, k) - centre);
    J.col(2 * k) << scale * std::cos(t), -scale * std::sin(t), 0;
    J(2, 2 * k + 1) = 1;
  }
  return J;
}

struct Scale {
  double scale;
  double centre;
};
class ScaleTest : public ::testing::TestWithParam<Scale> {};

TEST_P(ScaleTest, DifferencesFindTheScaleOfTheFunction) {
  const double scale = GetParam().scale;
  const double centre = GetParam().centre;
  const auto value = [=](const ConstMatrixRef& Z) { return wave(Z, scale, centre); };
  const auto jacobian = [=](const ConstMatrixRef& Z) { return wave_jacobian(Z, scale, centre); };
  const Matrix Z = (Matrix(2, 2) << centre + 0.3 / scale, centre - 1.1 / scale, 0.5, -2).finished();
  const Matrix V = (Matrix(2, 2) << 1 / scale, -0.5 / scale, 0.1, 2).finished();
  Matrix expected = Matrix::Zero(3, 2);
  for (Eigen::Index k = 0; k < 2; ++k) {
    const double t = scale * (Z(0, k) - centre);
    expected.col(k).head(2) =
        -std::pow(scale * V(0, k), 2) * Vector::Map(std::array{std::sin(t), std::cos(t)}.data(), 2);
  }
  // The argument s(x − c) is itself off by the rounding of c.
  const double rounding = std::numeric_limits<double>::epsilon() * std::abs(centre * scale);
  const CallbackGenerator with_jacobian(2, 3, {value, jacobian, {}});
  const CallbackGenerator without(2, 3, {value, {}, {}});
  Workspace ws;
  Matrix D(3, 2);
  with_jacobian.second_directional(Z, V, D, ws);
  EXPECT_LT((D - expected).norm(), (1e-7 + 1e4 * rounding) * expected.norm());
  without.second_directional(Z, V, D, ws);
  EXPECT_LT((D - expected).norm(), (1e-5 + 1e6 * rounding) * expected.norm());
  EXPECT_LT((without.jacobian(Z) - jacobian(Z)).leftCols(1).norm(), (1e-7 + 1e4 * rounding) * scale);
}

INSTANTIATE_TEST_SUITE_P(All, ScaleTest,
                         ::testing::Values(Scale{1, 0}, Scale{1e6, 0}, Scale{1e-6, 0}, Scale{1e3, 0.4}, Scale{1, 1e4},
                                           Scale{1, 1e6}),
                         [](const auto& info) { return "n" + std::to_string(info.index); });

TEST(AdaptiveDifference, CostsFourSamplesWhereTheFirstStepIsRight) {
  int samples = 0;
  const auto g = [&](const ConstMatrixRef& points, const std::vector<Eigen::Index>&, MatrixRef out) {
    samples += static_cast<int>(points.cols());
    out = points.array().sin();
  };
  const Matrix Z = (Matrix(1, 3) << 0.2, 1, -3).finished();
  Matrix D(1, 3);
  Workspace ws;
  internal::adaptive_difference(g, Z, Matrix::Ones(1, 3), {}, D, ws);
  EXPECT_EQ(samples, 12);
  EXPECT_LT((D.array() - Z.array().cos()).abs().maxCoeff(), 1e-11);
}

TEST(AdaptiveDifference, StaysInsideOfTheDomain) {
  const auto g = [](const ConstMatrixRef& points, const std::vector<Eigen::Index>&, MatrixRef out) {
    out = points.array().log();  // NaN left of 0
  };
  const Matrix Z = Matrix::Constant(1, 1, 1e-6);
  Matrix D(1, 1);
  Workspace ws;
  internal::adaptive_difference(g, Z, Matrix::Ones(1, 1), {}, D, ws);
  EXPECT_NEAR(D(0, 0), 1e6, 1);
}

TEST(AdaptiveDifference, NothingMovesWithoutADirectionAndNaNStaysNaN) {
  const auto g = [](const ConstMatrixRef& points, const std::vector<Eigen::Index>&, MatrixRef out) { out = points; };
  const Matrix Z = (Matrix(1, 2) << 1, std::numeric_limits<double>::quiet_NaN()).finished();
  const Matrix V = (Matrix(1, 2) << 0, 1).finished();
  Matrix D(1, 2);
  Workspace ws;
  internal::adaptive_difference(g, Z, V, {}, D, ws);
  EXPECT_EQ(D(0, 0), 0);
  EXPECT_TRUE(std::isnan(D(0, 1)));
}

}  // namespace
}  // namespace pullback
