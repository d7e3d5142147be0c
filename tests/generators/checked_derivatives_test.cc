// What is opened through the registry has right derivatives, or differences in their place.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "pullback/generators/check_derivatives.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/generators/generator_registry.h"

namespace pullback {
namespace {

// (x, y, sin 2x · y), with a mistake in one entry of one derivative where x > 1.5: at a few of the probes.
Matrix value(const ConstMatrixRef& Z) {
  Matrix X(3, Z.cols());
  X.topRows(2) = Z;
  X.row(2) = (2 * Z.row(0).array()).sin() * Z.row(1).array();
  return X;
}

Matrix jacobian(const ConstMatrixRef& Z, double mistake) {
  Matrix J = Matrix::Zero(3, 2 * Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const double x = Z(0, k), y = Z(1, k);
    J.middleCols(2 * k, 2) << 1, 0, 0, 1, 2 * std::cos(2 * x) * y, std::sin(2 * x) * (x > 1.5 ? 1 + mistake : 1);
  }
  return J;
}

Matrix second(const ConstMatrixRef& Z, const ConstMatrixRef& V, double mistake) {
  Matrix D = Matrix::Zero(3, Z.cols());
  for (Eigen::Index k = 0; k < Z.cols(); ++k) {
    const double x = Z(0, k), y = Z(1, k), u = V(0, k), v = V(1, k);
    D(2, k) = (-4 * std::sin(2 * x) * y * u * u + 4 * std::cos(2 * x) * u * v) * (x > 1.5 ? 1 + mistake : 1);
  }
  return D;
}

std::shared_ptr<const Generator> wave(double first_mistake, double second_mistake) {
  Callbacks callbacks;
  callbacks.value = value;
  callbacks.jacobian = [=](const ConstMatrixRef& Z) { return jacobian(Z, first_mistake); };
  callbacks.second_directional = [=](const ConstMatrixRef& Z, const ConstMatrixRef& V) {
    return second(Z, V, second_mistake);
  };
  return std::make_shared<CallbackGenerator>(2, 3, std::move(callbacks), GeneratorTraits{.name = "wave"});
}

TEST(CheckedDerivatives, WhatIsRightIsLeftAlone) {
  const auto f = wave(0, 0);
  EXPECT_EQ(with_checked_derivatives(f, {}), f);
  const auto kinked = make_generator(2, 2,
                                     []<class T>(const T* z, T* x) {
                                       using std::abs;
                                       x[0] = z[0] > 0.3 ? z[0] : 3 * z[0] - 0.6;
                                       x[1] = z[1];
                                     },
                                     {.name = "fold", .smooth = false});
  EXPECT_EQ(with_checked_derivatives(kinked, {}), kinked);
}

TEST(CheckedDerivatives, AMistakeAtAFewProbesIsReplacedByDifferences) {
  const Matrix Z = (Matrix(2, 3) << 0.3, 1.7, 2.5, -1, 0.4, 2).finished();
  for (const double mistake : {1e-4, 0.3}) {
    const auto first = with_checked_derivatives(wave(mistake, 0), {});
    EXPECT_EQ(first->traits().name, "wave");
    EXPECT_EQ(first->traits().first, Derivative::kFiniteDifference);
    EXPECT_EQ(first->traits().second, Derivative::kFiniteDifference);
    EXPECT_LT((first->jacobian(Z) - jacobian(Z, 0)).norm(), 1e-9);
    const auto other = with_checked_derivatives(wave(0, mistake), {});
    EXPECT_EQ(other->traits().first, Derivative::kExact);
    EXPECT_EQ(other->traits().second, Derivative::kFiniteDifference);
    EXPECT_EQ(check_derivatives(*other, Z).verdict(), DerivativeVerdict::kAgrees);
  }
}

TEST(CheckedDerivatives, ThePointsGivenAreAmongTheProbes) {
  // The mistake shows beyond x = 1.5, and in this chart no other probe comes there.
  const auto shifted = [](double mistake) {
    const Vector offset = (Vector(2) << -1000, 0).finished();
    Callbacks callbacks;
    callbacks.value = [=](const ConstMatrixRef& Z) { return value(Matrix(Z.colwise() + offset)); };
    callbacks.jacobian = [=](const ConstMatrixRef& Z) { return jacobian(Matrix(Z.colwise() + offset), mistake); };
    return std::make_shared<CallbackGenerator>(2, 3, std::move(callbacks));
  };
  const Matrix codes = (Matrix(2, 1) << 1002, 1).finished();
  EXPECT_EQ(with_checked_derivatives(shifted(0.1), {})->traits().first, Derivative::kExact);
  EXPECT_EQ(with_checked_derivatives(shifted(0.1), codes)->traits().first, Derivative::kFiniteDifference);
  EXPECT_EQ(with_checked_derivatives(shifted(0), codes)->traits().first, Derivative::kExact);
}

TEST(CheckedDerivatives, TheRegistryChecksWhatItDidNotBringItself) {
  GeneratorRegistry registry;
  registry.add_named("wrong", "", {}, [](const ParameterValues&) { return wave(0.3, 0); });
  registry.add_named(
      "tested", "", {}, [](const ParameterValues&) { return wave(0.3, 0); }, DerivativeCheckAt::kBefore);
  EXPECT_EQ(registry.open("wrong").generator->traits().first, Derivative::kFiniteDifference);
  EXPECT_EQ(registry.open("tested").generator->traits().first, Derivative::kExact);
}

TEST(CheckedDerivatives, RefusesWhatIsNoGeneratorAndPointsOfAnotherDimension) {
  EXPECT_THROW(with_checked_derivatives(nullptr, {}), std::invalid_argument);
  EXPECT_THROW(with_checked_derivatives(wave(0, 0), Matrix(3, 1)), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
