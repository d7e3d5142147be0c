#include "pullback/generators/uncertain/radial_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "pullback/generators/surfaces/surfaces.h"

namespace pullback {
namespace {

using testing::HasSubstr;

// A few roundings of numbers of the size of the expected ones.
constexpr double kRounding = 64 * std::numeric_limits<double>::epsilon();

RadialNetwork deviation() {
  return RadialNetwork({Vector::Zero(2), Vector::Ones(2)}, Matrix::Ones(4, 1), Vector::Constant(4, 0.01),
                       RadialOutput::kInverseRoot);
}

// The deviation of the surface rbf-variance, written there as a formula.
TEST(RadialNetworkTest, OneCentreIsTheAnalyticDeviation) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  const auto surface = registry.open("rbf-variance").generator;
  const RadialNetwork sigma = deviation();
  const Matrix Z{{1, 0.3, -2}, {0, -0.7, 1.5}};
  const Matrix V{{0.4, 1, -0.2}, {-1, 0.1, 0.7}};
  EXPECT_LE((sigma.value(Z) - surface->value(Z).bottomRows(4)).cwiseAbs().maxCoeff(), kRounding * 10);
  EXPECT_LE((sigma.jacobian(Z) - surface->jacobian(Z).bottomRows(4)).cwiseAbs().maxCoeff(), kRounding * 10);
  Workspace ws;
  Matrix got(4, 3);
  Matrix expected(6, 3);
  sigma.second_directional(Z, V, got, ws);
  surface->second_directional(Z, V, expected, ws);
  EXPECT_LE((got - expected.bottomRows(4)).cwiseAbs().maxCoeff(), kRounding * expected.cwiseAbs().maxCoeff());
}

// M_rr(1) = 1 + 4 (σ')² with σ' = r exp(−r²) β^(−3/2).
TEST(RadialNetworkTest, MetricAtRadiusOneIsTheClosedForm) {
  const Matrix J = deviation().jacobian(Vector{{1, 0}});
  EXPECT_NEAR(1 + J.col(0).squaredNorm(), 11.032547722344, 1e-11);
  EXPECT_NEAR(J.col(1).norm(), 0, 1e-15);
}

TEST(RadialNetworkTest, FarFromAllCentresTheDeviationIsTheRootOfTheFloor) {
  const Vector far{{40, 0}};
  const RadialNetwork sigma = deviation();
  EXPECT_NEAR(sigma.value(far)(0), 10, 1e-13);
  EXPECT_EQ(sigma.jacobian(far).norm(), 0);
}

TEST(RadialNetworkTest, RefusesWhatMakesNoSense) {
  const RadialBasis basis{Matrix::Zero(2, 3), Matrix::Ones(2, 3)};
  const auto message = [](RadialBasis b, Matrix weight, Vector bias, RadialOutput output) -> std::string {
    try {
      RadialNetwork(std::move(b), std::move(weight), std::move(bias), output, "n");
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  const Matrix W = Matrix::Ones(4, 3);
  const Vector b = Vector::Ones(4);
  using enum RadialOutput;
  EXPECT_EQ(message(basis, W, b, kInverseRoot), "accepted");
  EXPECT_THAT(message({Matrix(2, 0), Matrix(2, 0)}, Matrix(4, 0), b, kIdentity), HasSubstr("a centre"));
  EXPECT_THAT(message({basis.centres, Matrix::Ones(2, 2)}, W, b, kIdentity), HasSubstr("rates must be 2×3"));
  EXPECT_THAT(message(basis, Matrix::Ones(4, 2), b, kIdentity), HasSubstr("3 columns"));
  EXPECT_THAT(message(basis, W, Vector::Ones(3), kIdentity), HasSubstr("4 elements"));
  EXPECT_THAT(message({basis.centres, -basis.rates}, W, b, kIdentity), HasSubstr("positive"));
  EXPECT_THAT(message(basis, W * std::nan(""), b, kIdentity), HasSubstr("NaN"));
  EXPECT_EQ(message(basis, -W, b, kIdentity), "accepted");
  EXPECT_THAT(message(basis, -W, b, kInverseRoot), HasSubstr("must not be negative, found -1"));
  EXPECT_THAT(message(basis, W, Vector::Zero(4), kInverseRoot), HasSubstr("must be positive, found 0"));
}

}  // namespace
}  // namespace pullback
