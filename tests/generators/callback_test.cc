#include "pullback/generators/formula/callback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

namespace pullback {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
// The errors of fourth-order differences at their best steps, with what their derivatives of order 5 and 6 contribute.
const double kFirstDifference = 10 * std::pow(kEpsilon, 4.0 / 5);
const double kSecondDifference = 10 * std::pow(kEpsilon, 4.0 / 6);

// f(x, y) = (eˣ sin y, x y²).
Matrix value(const ConstMatrixRef& Z) {
  Matrix X(2, Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const double x = Z(0, k), y = Z(1, k);
    X.col(k) << std::exp(x) * std::sin(y), x * y * y;
  }
  return X;
}

Matrix jacobian(const ConstMatrixRef& Z) {
  Matrix J(2, 2 * Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const double x = Z(0, k), y = Z(1, k);
    J.middleCols(2 * k, 2) << std::exp(x) * std::sin(y), std::exp(x) * std::cos(y), y * y, 2 * x * y;
  }
  return J;
}

Matrix second(const ConstMatrixRef& Z, const ConstMatrixRef& V) {
  Matrix D(2, Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const double x = Z(0, k), y = Z(1, k), a = V(0, k), b = V(1, k);
    D.col(k) << std::exp(x) * (std::sin(y) * (a * a - b * b) + 2 * std::cos(y) * a * b), 4 * y * a * b + 2 * x * b * b;
  }
  return D;
}

Matrix points() { return (Matrix(2, 3) << 0.3, -0.7, 0, 1.2, 0.1, 0).finished(); }
Matrix directions() { return (Matrix(2, 3) << 1, 0.2, 3, -0.5, 0.9, 1e-3).finished(); }

Matrix second_of(const Generator& f, const Matrix& Z, const Matrix& V) {
  Workspace ws;
  Matrix D(f.ambient_dimension(), Z.cols());
  f.second_directional(Z, V, D, ws);
  return D;
}

TEST(Callback, GivenFunctionsAreUsedAsTheyAre) {
  const CallbackGenerator f(2, 2, {value, jacobian, second});
  EXPECT_EQ(f.value(points()), value(points()));
  EXPECT_EQ(f.jacobian(points()), jacobian(points()));
  EXPECT_EQ(second_of(f, points(), directions()), second(points(), directions()));
  EXPECT_EQ(f.traits().first, Derivative::kExact);
  EXPECT_EQ(f.traits().second, Derivative::kExact);
}

TEST(Callback, AMissingJacobianIsDifferencedToFourthOrder) {
  const CallbackGenerator f(2, 2, {value, {}, {}});
  EXPECT_EQ(f.traits().first, Derivative::kFiniteDifference);
  EXPECT_EQ(f.traits().second, Derivative::kFiniteDifference);
  EXPECT_LE((f.jacobian(points()) - jacobian(points())).cwiseAbs().maxCoeff(), kFirstDifference);
}

TEST(Callback, MissingSecondDerivativesAreDifferencedFromValues) {
  const CallbackGenerator f(2, 2, {value, {}, {}});
  const Matrix error = second_of(f, points(), directions()) - second(points(), directions());
  for (int k = 0; k < 3; ++k) {
    EXPECT_LE(error.col(k).cwiseAbs().maxCoeff(), kSecondDifference * directions().col(k).squaredNorm()) << k;
  }
}

TEST(Callback, MissingSecondDerivativesAreDifferencedFromJacobians) {
  const CallbackGenerator f(2, 2, {value, jacobian, {}});
  EXPECT_EQ(f.traits().first, Derivative::kExact);
  EXPECT_EQ(f.traits().second, Derivative::kFiniteDifference);
  const Matrix error = second_of(f, points(), directions()) - second(points(), directions());
  for (int k = 0; k < 3; ++k) {
    EXPECT_LE(error.col(k).cwiseAbs().maxCoeff(), kFirstDifference * directions().col(k).squaredNorm()) << k;
  }
}

TEST(Callback, ADirectionOfZeroHasNoSecondDerivative) {
  const Matrix zero = Matrix::Zero(2, 3);
  EXPECT_EQ(second_of(CallbackGenerator(2, 2, {value, jacobian, {}}), points(), zero), zero);
  // The weights 16 + 16 − 1 − 1 − 30 cancel to rounding.
  EXPECT_LE(second_of(CallbackGenerator(2, 2, {value, {}, {}}), points(), zero).cwiseAbs().maxCoeff(), 64 * kEpsilon);
}

TEST(Callback, AWrongShapeSaysWhatWasExpectedAndWhatCame) {
  const auto narrow = [](const ConstMatrixRef& Z) { return Matrix(Matrix::Zero(2, Z.cols() + 1)); };
  const auto narrow_second = [](const ConstMatrixRef& Z, const ConstMatrixRef&) {
    return Matrix(Matrix::Zero(1, Z.cols()));
  };
  Workspace ws;
  Matrix D(2, 3);
  EXPECT_THAT(
      [&] {
        CallbackGenerator(2, 2, {narrow, {}, {}}, {.name = "mine"}).value(points());
      },
      ThrowsMessage<std::invalid_argument>(
          AllOf(HasSubstr("mine"), HasSubstr("value"), HasSubstr("must return 2×3, got 2×4"))));
  EXPECT_THAT(
      [&] {
        CallbackGenerator(2, 2, {value, narrow, {}}).jacobian(points());
      },
      ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("jacobian"), HasSubstr("2×6, got 2×4"))));
  EXPECT_THAT(
      [&] {
        CallbackGenerator(2, 2, {value, jacobian, narrow_second}).second_directional(points(), points(), D, ws);
      },
      ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("second_directional"), HasSubstr("2×3, got 1×3"))));
}

TEST(Callback, AnExceptionOfTheFunctionPassesUnchanged) {
  struct Mine {
    std::string text;
  };
  const CallbackGenerator f(2, 2, {[](const ConstMatrixRef&) -> Matrix { throw Mine{"from inside"}; }, {}, {}});
  try {
    f.jacobian(points());
    FAIL() << "nothing thrown";
  } catch (const Mine& e) {
    EXPECT_EQ(e.text, "from inside");
  }
}

TEST(Callback, AValueFunctionIsRequired) {
  EXPECT_THAT(
      [] {
        CallbackGenerator(2, 2, {{}, jacobian, {}}, {.name = "mine"});
      },
      ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("mine"), HasSubstr("value function is required"))));
}

}  // namespace
}  // namespace pullback
