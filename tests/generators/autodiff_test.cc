#include "pullback/generators/formula/autodiff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "pullback/generators/check_derivatives.h"

namespace pullback {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
// A handful of operations, each rounded once.
constexpr double kRounding = 16 * std::numeric_limits<double>::epsilon();

using Number = Jet<0>;
using Dual = Jet<2>;

// u + t along the first direction and u + s along the second.
Dual variable(double value) {
  Dual x(value);
  x.tangent = {1, 0};
  return x;
}

void expect_jet(const Dual& x, double value, double first, double second) {
  EXPECT_EQ(x.value, value);
  EXPECT_EQ(x.tangent[0], first);
  EXPECT_EQ(x.tangent[1], 0);
  EXPECT_EQ(x.second, second);
}

// All functions of one and two numbers, x in (0.1, 0.9).
constexpr auto kAllFunctions = []<class T>(const Eigen::VectorX<T>& z) {
  const T& x = z(0);
  const T& y = z(1);
  Eigen::VectorX<T> f(37);
  f << exp(x), expm1(x), log(x), log1p(x), sqrt(x), cbrt(x), sin(x), cos(x), tan(x), asin(x), acos(x), atan(x), sinh(x),
      cosh(x), tanh(x), asinh(x), acosh(1 + x), atanh(x), erf(x), pow(x, 2.5), pow(x, 3), pow(x, y), pow(2.0, x),
      atan2(x, y), atan2(x, 0.3), atan2(-0.3, x), hypot(x, y), abs(x - 1), fabs(x), max(x, 0.05), min(0.95, x), x + y,
      2 - x * y, (x - 3) / y, 1 / (2 * x), x / 3 - y * 2, -(x * x) * 0.5 + 1;
  return f;
};

double std_functions(int row, double x, double y) {
  const double values[] = {std::exp(x),
                           std::expm1(x),
                           std::log(x),
                           std::log1p(x),
                           std::sqrt(x),
                           std::cbrt(x),
                           std::sin(x),
                           std::cos(x),
                           std::tan(x),
                           std::asin(x),
                           std::acos(x),
                           std::atan(x),
                           std::sinh(x),
                           std::cosh(x),
                           std::tanh(x),
                           std::asinh(x),
                           std::acosh(1 + x),
                           std::atanh(x),
                           std::erf(x),
                           std::pow(x, 2.5),
                           std::pow(x, 3),
                           std::pow(x, y),
                           std::pow(2.0, x),
                           std::atan2(x, y),
                           std::atan2(x, 0.3),
                           std::atan2(-0.3, x),
                           std::hypot(x, y),
                           1 - x,
                           x,
                           x,
                           x,
                           x + y,
                           2 - x * y,
                           (x - 3) / y,
                           1 / (2 * x),
                           x / 3 - y * 2,
                           1 - x * x / 2};
  return values[row];
}

TEST(Autodiff, EveryFunctionHasItsValueAndItsDerivatives) {
  const auto f = make_generator(2, 37, kAllFunctions);
  Matrix Z(2, 3);
  Z << 0.2, 0.5, 0.8, 0.7, 0.4, 0.3;
  const Matrix X = f->value(Z);
  for (int k = 0; k < 3; ++k) {
    for (int row = 0; row < 37; ++row) {
      const double expected = std_functions(row, Z(0, k), Z(1, k));
      EXPECT_NEAR(X(row, k), expected, kRounding * std::abs(expected)) << "row " << row;
    }
  }
  DerivativeCheckOptions options;
  options.directions = 5;
  const DerivativeReport report = check_derivatives(*f, Z, options);
  EXPECT_EQ(report.verdict(), DerivativeVerdict::kAgrees) << report.summary();
}

TEST(Autodiff, PowersAtZeroHaveTheirTaylorCoefficients) {
  expect_jet(pow(variable(0), 0), 1, 0, 0);
  expect_jet(pow(variable(0), 1), 0, 1, 0);
  expect_jet(pow(variable(0), 2), 0, 0, 2);
  expect_jet(pow(variable(0), 2.0), 0, 0, 2);
  expect_jet(pow(variable(0), 3), 0, 0, 0);
  expect_jet(pow(variable(0), Dual(2)), 0, 0, 2);
  expect_jet(pow(variable(0), 1.5), 0, 0, kInfinity);
  expect_jet(sqrt(variable(0)), 0, kInfinity, -kInfinity);
}

TEST(Autodiff, TheSquareRootOfAConstantOrMinimalZeroIsNoNaN) {
  expect_jet(sqrt(Dual(0)), 0, 0, 0);
  const Dual x = variable(0);
  // |x|: slope 0 by symmetry, and the kink's infinite curvature.
  expect_jet(sqrt(x * x), 0, 0, kInfinity);
  expect_jet(hypot(x, Dual(0)), 0, 0, kInfinity);
  expect_jet(acos(Dual(1)), 0, 0, 0);
  expect_jet(acosh(Dual(1)), 0, 0, 0);
}

TEST(Autodiff, PlainNumbersNeverMeetTheIntegerAbs) {
  EXPECT_EQ(abs(Number(-2.75)).value, 2.75);
  EXPECT_EQ(max(Number(1.5), 2).value, 2);
  EXPECT_EQ(min(1, Number(1.5)).value, 1);
}

TEST(Autodiff, AKinkHasTheDerivativeOfItsPiece) {
  expect_jet(abs(variable(-2)), 2, -1, 0);
  expect_jet(abs(variable(0)), 0, 1, 0);
  expect_jet(max(variable(-1), 0), 0, 0, 0);
  expect_jet(max(0, variable(1)), 1, 1, 0);
  expect_jet(min(variable(-1), 0), -1, 1, 0);
}

TEST(Autodiff, NaNPassesThroughMaxAndMin) {
  EXPECT_TRUE(isnan(max(Number(kNaN), 0)));
  EXPECT_TRUE(isnan(max(0, Number(kNaN))));
  EXPECT_TRUE(isnan(max(Number(0), Number(kNaN))));
  EXPECT_TRUE(isnan(min(Number(0), Number(kNaN))));
  EXPECT_TRUE(isnan(min(Number(kNaN), 0)));
  EXPECT_TRUE(isnan(min(0, Number(kNaN))));
  EXPECT_FALSE(isfinite(Number(kInfinity)));
  EXPECT_TRUE(isinf(Number(kInfinity)));
}

TEST(Autodiff, JetsCompareByValue) {
  EXPECT_TRUE(variable(1) == Dual(1));
  EXPECT_TRUE(variable(1) < 2);
  EXPECT_TRUE(0.5 < variable(1));
  EXPECT_FALSE(Number(kNaN) < 1 || Number(kNaN) >= 1);
}

// The same sphere in every form that a functor may have.
struct PointerSphere {
  template <class T>
  void operator()(const T* z, T* x) const {
    x[0] = sin(z[0]) * cos(z[1]);
    x[1] = sin(z[0]) * sin(z[1]);
    x[2] = cos(z[0]);
  }
};

struct VectorSphere {
  template <class T>
  auto operator()(const Eigen::Matrix<T, -1, 1>& z) const -> Eigen::Matrix<T, -1, 1> {
    Eigen::Matrix<T, -1, 1> x(3);
    x << sin(z(0)) * cos(z(1)), sin(z(0)) * sin(z(1)), cos(z(0));
    return x;
  }
};

TEST(Autodiff, EveryFormOfFunctorGivesTheSame) {
  const auto pointer = make_generator(2, 3, PointerSphere{});
  const auto vector = make_generator(2, 3, VectorSphere{});
  const auto fixed = make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) {
    return Eigen::Vector3<T>(sin(z(0)) * cos(z(1)), sin(z(0)) * sin(z(1)), cos(z(0)));
  });
  const auto generic = make_generator(2, 3, [](const auto& z) {
    using std::cos;
    using std::sin;
    std::decay_t<decltype(z)> x(3);
    x << sin(z(0)) * cos(z(1)), sin(z(0)) * sin(z(1)), cos(z(0));
    return x;
  });
  const Eigen::Vector2d z(1.1, 0.4);
  const Matrix J = (Matrix(3, 2) << std::cos(1.1) * std::cos(0.4), -std::sin(1.1) * std::sin(0.4),
                    std::cos(1.1) * std::sin(0.4), std::sin(1.1) * std::cos(0.4), -std::sin(1.1), 0)
                       .finished();
  for (const auto& f : {pointer, vector, fixed, generic}) {
    EXPECT_LE((f->jacobian(z) - J).cwiseAbs().maxCoeff(), kRounding);
    EXPECT_EQ(f->value(z), pointer->value(z));
  }
}

TEST(Autodiff, EigenExpressionsAndMatricesOfDoubleMix) {
  const Matrix A = (Matrix(2, 3) << 1, 2, 3, -1, 0.5, 4).finished();
  const Vector b = Vector::LinSpaced(2, 0.1, 0.2);
  const auto f = make_generator(3, 2, [&](const auto& z) {
    return ((A * z + b).array().tanh() * 2 + z.squaredNorm() + z.norm() + z.cwiseAbs().maxCoeff()).matrix().eval();
  });
  const Eigen::Vector3d z(0.3, -0.2, 0.6);
  const Vector expected = ((A * z + b).array().tanh() * 2 + z.squaredNorm() + z.norm() + 0.6).matrix();
  EXPECT_LE((f->value(z) - expected).cwiseAbs().maxCoeff(), kRounding * 10);
  const DerivativeReport report = check_derivatives(*f, z);
  EXPECT_EQ(report.verdict(), DerivativeVerdict::kAgrees) << report.summary();
}

// More latent dimensions than tangents at once, whole passes and a remainder.
class AutodiffDimension : public testing::TestWithParam<int> {};

TEST_P(AutodiffDimension, AQuadraticFormHasItsDerivatives) {
  const int n = GetParam();
  const Matrix Q =
      Matrix::NullaryExpr(n, n, [](Eigen::Index i, Eigen::Index j) { return 1.0 / double(1 + i + 2 * j); });
  const auto f = make_generator(n, 1, [Q](const auto& z) { return (z.transpose() * (Q * z).eval()).eval(); });
  const Vector z = Vector::LinSpaced(n, -1, 1);
  const Vector v = Vector::LinSpaced(n, 0.5, 2);
  Workspace ws;
  Matrix X(1, 1), J(1, n), D(1, 1), H(n, n);
  const double tolerance = kRounding * n * n;
  f->second_order(z, v, X, J, D, ws);
  EXPECT_NEAR(X(0, 0), z.dot(Q * z), tolerance);
  EXPECT_LE((J - z.transpose() * (Q + Q.transpose())).cwiseAbs().maxCoeff(), tolerance);
  EXPECT_NEAR(D(0, 0), 2 * v.dot(Q * v), 8 * tolerance);
  EXPECT_LE((f->jacobian(z) - J).cwiseAbs().maxCoeff(), tolerance);
  f->weighted_hessian(z, Matrix::Ones(1, 1), H, ws);
  EXPECT_LE((H - Q - Q.transpose()).cwiseAbs().maxCoeff(), 8 * tolerance);
}

INSTANTIATE_TEST_SUITE_P(Latent, AutodiffDimension, testing::Values(1, 3, 4, 5, 8, 11));

TEST(Autodiff, AVectorOfTheWrongSizeIsRefused) {
  const auto f =
      make_generator(2, 4, []<class T>(const Eigen::VectorX<T>& z) { return Eigen::Vector3<T>(z(0), z(1), z(0)); },
                     {.name = "short one"});
  EXPECT_THAT([&] { f->value(Matrix::Zero(2, 1)); },
              testing::ThrowsMessage<std::invalid_argument>(
                  testing::AllOf(testing::HasSubstr("short one"), testing::HasSubstr("return 4 numbers, got 3"))));
}

TEST(Autodiff, TraitsAreTheCallersButTheDerivativesAreExact) {
  const auto f =
      make_generator(2, 3, PointerSphere{},
                     {.name = "s", .smooth = false, .stochastic = true, .first = Derivative::kFiniteDifference});
  EXPECT_EQ(f->traits().name, "s");
  EXPECT_FALSE(f->traits().smooth);
  EXPECT_TRUE(f->traits().stochastic);
  EXPECT_EQ(f->traits().first, Derivative::kExact);
  EXPECT_THROW(make_generator(0, 3, PointerSphere{}), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
