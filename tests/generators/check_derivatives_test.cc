#include "pullback/generators/check_derivatives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>

#include "pullback/generators/extrapolated_difference.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/formula/callback.h"

namespace pullback {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// f(x, y) = (sin x, xy², eʸ) with a mistake put in through `Mistakes`, each of which changes one result.
struct Mistakes {
  std::function<void(MatrixRef)> value = {}, jacobian = {}, second = {}, vjp = {}, hessian = {}, order = {};
};

class Surface final : public Generator {
 public:
  explicit Surface(Mistakes mistakes) : Generator(2, 3, {.name = "surface"}), mistakes_(std::move(mistakes)) {}

 private:
  static void apply(const std::function<void(MatrixRef)>& mistake, MatrixRef result) {
    if (mistake) mistake(result);
  }
  static Matrix hessian(double x, double y, const Vector& w) {
    return (Matrix(2, 2) << -w(0) * std::sin(x), 2 * w(1) * y, 2 * w(1) * y, 2 * w(1) * x + w(2) * std::exp(y))
        .finished();
  }
  static void evaluate(const ConstMatrixRef& Z, MatrixRef X) {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      X.col(k) << std::sin(Z(0, k)), Z(0, k) * Z(1, k) * Z(1, k), std::exp(Z(1, k));
    }
  }

  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace&) const override {
    evaluate(Z, X);
    apply(mistakes_.value, X);
  }
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace&) const override {
    evaluate(Z, X);
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      const double x = Z(0, k), y = Z(1, k);
      J.middleCols(2 * k, 2) << std::cos(x), 0, y * y, 2 * x * y, 0, std::exp(y);
    }
    apply(mistakes_.jacobian, J);
  }
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D, Workspace&) const override {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      for (int m = 0; m < 3; ++m) D(m, k) = V.col(k).dot(hessian(Z(0, k), Z(1, k), Vector::Unit(3, m)) * V.col(k));
    }
    apply(mistakes_.second, D);
  }
  void do_vjp(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef G, Workspace& ws) const override {
    Matrix X(3, Z.cols()), J(3, 2 * Z.cols());
    do_value_and_jacobian(Z, X, J, ws);
    for (Eigen::Index k = 0; k < Z.cols(); ++k) G.col(k) = J.middleCols(2 * k, 2).transpose() * W.col(k);
    apply(mistakes_.vjp, G);
  }
  void do_weighted_hessian(const ConstMatrixRef& Z, const ConstMatrixRef& W, MatrixRef H, Workspace&) const override {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) H.middleCols(2 * k, 2) = hessian(Z(0, k), Z(1, k), W.col(k));
    apply(mistakes_.hessian, H);
  }
  void do_second_order(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef X, MatrixRef J, MatrixRef D,
                       Workspace& ws) const override {
    do_value_and_jacobian(Z, X, J, ws);
    do_second_directional(Z, V, D, ws);
    apply(mistakes_.order, D);
  }

  Mistakes mistakes_;
};

Matrix points() { return (Matrix(2, 3) << 0.4, -1.1, 2, 0.7, 0.3, -0.8).finished(); }

DerivativeReport check(Mistakes mistakes) { return check_derivatives(Surface(std::move(mistakes)), points()); }

// The first quantity that is called wrong, "" if none.
std::string first_wrong(const DerivativeReport& report) {
  for (const DerivativeCheck& check : report.checks) {
    if (check.verdict == DerivativeVerdict::kWrong) return check.quantity;
  }
  return "";
}

// A relative mistake in every block, as small as the checker promises to see.
void slightly_more(MatrixRef result) { result *= 1 + 4 * DerivativeCheckOptions().tolerance; }

TEST(CheckDerivatives, RightDerivativesAgreeAndFarBelowTheTolerance) {
  const DerivativeReport report = check({});
  EXPECT_EQ(report.verdict(), DerivativeVerdict::kAgrees) << report.summary();
  for (const DerivativeCheck& quantity : report.checks) {
    EXPECT_LE(quantity.error, 1e-3 * quantity.tolerance) << quantity.quantity;
    EXPECT_GE(quantity.point, 0) << quantity.quantity << " was not compared";
  }
  EXPECT_THAT(report.kinks, IsEmpty());
}

TEST(CheckDerivatives, AMistakeIsFoundWhereItIs) {
  EXPECT_EQ(first_wrong(check({.value = slightly_more})), "value");
  EXPECT_EQ(first_wrong(check({.jacobian = slightly_more})), "jacobian");
  EXPECT_EQ(first_wrong(check({.second = slightly_more})), "second_directional");
  EXPECT_EQ(first_wrong(check({.vjp = slightly_more})), "vjp");
  EXPECT_EQ(first_wrong(check({.hessian = slightly_more})), "weighted_hessian");
  EXPECT_EQ(first_wrong(check({.order = slightly_more})), "second_order");
}

TEST(CheckDerivatives, AWrongEntryIsNamed) {
  const DerivativeReport report = check({.jacobian = [](MatrixRef J) {
    for (Eigen::Index k = 0; k < J.cols() / 2; ++k) J(1, 2 * k + 1) *= 1.5;
  }});
  const DerivativeCheck& jacobian = report.of("jacobian");
  EXPECT_EQ(jacobian.verdict, DerivativeVerdict::kWrong);
  EXPECT_EQ(jacobian.row, 1);
  EXPECT_EQ(jacobian.column, 1);
  EXPECT_NEAR(jacobian.got, 1.5 * jacobian.expected, 1e-9 * std::abs(jacobian.got));
  EXPECT_THAT(report.summary(), HasSubstr("jacobian            wrong"));
}

TEST(CheckDerivatives, ABatchThatMixesItsPointsIsFound) {
  const DerivativeReport report = check({.jacobian = [](MatrixRef J) {
    if (J.cols() == 6) J.middleCols(2, 2).swap(J.middleCols(4, 2));
  }});
  EXPECT_EQ(first_wrong(report), "batch");
}

TEST(CheckDerivatives, NaNIsWrong) {
  EXPECT_EQ(first_wrong(check({.second = [](MatrixRef D) { D(1, 0) = std::numeric_limits<double>::quiet_NaN(); }})),
            "second_directional");
}

TEST(CheckDerivatives, FiniteDifferencesAgreeWithinTheirOwnTolerance) {
  const Surface exact({});
  const auto value = [&](const ConstMatrixRef& Z) { return exact.value(Z); };
  const auto jacobian = [&](const ConstMatrixRef& Z) { return exact.jacobian(Z); };
  for (const Callbacks& callbacks : {Callbacks{value, {}, {}}, Callbacks{value, jacobian, {}}}) {
    const DerivativeReport report = check_derivatives(CallbackGenerator(2, 3, callbacks), points());
    EXPECT_EQ(report.verdict(), DerivativeVerdict::kAgrees) << report.summary();
  }
}

TEST(CheckDerivatives, AtAKinkNothingIsDecided) {
  const auto fold = make_generator(2, 2, [](const auto& z) {
    std::decay_t<decltype(z)> x(2);
    x << 3 * max(z(0), 0), z(1);
    return x;
  });
  const Matrix Z = (Matrix(2, 3) << 0.5, 0, -1e-9, 0.1, 0.2, 0.3).finished();
  const DerivativeReport report = check_derivatives(*fold, Z);
  EXPECT_EQ(report.verdict(), DerivativeVerdict::kUndecided) << report.summary();
  EXPECT_THAT(report.kinks, ElementsAre(1, 2));  // every step from −1e-9 straddles the kink
  EXPECT_EQ(report.of("jacobian").verdict, DerivativeVerdict::kUndecided);
  EXPECT_GE(report.of("jacobian").error, 0.4);  // 3 or 0 against 1.5
  EXPECT_EQ(report.of("vjp").verdict, DerivativeVerdict::kAgrees);
  EXPECT_THAT(report.summary(), HasSubstr("at point 1 2"));
}

TEST(CheckDerivatives, AKinkDoesNotExcuseAMistakeElsewhere) {
  const Surface wrong({.jacobian = [](MatrixRef J) {
    for (Eigen::Index k = 0; k < J.cols() / 2; ++k) slightly_more(J.col(2 * k));
  }});
  const auto both = CallbackGenerator(
      2, 3,
      {[&](const ConstMatrixRef& Z) { return Matrix(wrong.value(Z) + Matrix::Ones(3, 1) * Z.row(0).cwiseAbs()); },
       [&](const ConstMatrixRef& Z) {
         Matrix J = wrong.jacobian(Z);
         for (Eigen::Index k = 0; k < Z.cols(); ++k) J.col(2 * k).array() += Z(0, k) < 0 ? -1 : 1;
         return J;
       },
       {}});
  const Matrix Z = (Matrix(2, 2) << 0, 1, 0.3, 0.4).finished();
  const DerivativeReport report = check_derivatives(both, Z);
  EXPECT_THAT(report.kinks, ElementsAre(0));
  EXPECT_EQ(report.of("jacobian").verdict, DerivativeVerdict::kWrong);
  EXPECT_EQ(report.of("jacobian").point, 1);
}

TEST(CheckDerivatives, AJumpIsNoticed) {
  const auto step = make_generator(1, 1, [](const auto& z) {
    auto x = z;
    x(0) = z(0) > 0 ? z(0) + 1 : z(0);
    return x;
  });
  const DerivativeReport report = check_derivatives(*step, Matrix::Zero(1, 1));
  EXPECT_EQ(report.verdict(), DerivativeVerdict::kUndecided);
  EXPECT_THAT(report.kinks, ElementsAre(0));
}

TEST(CheckDerivatives, AKinkWithinTheLongStepsOnlyDoesNoHarm) {
  const auto fold = make_generator(1, 1, [](const auto& z) {
    auto x = z;
    x(0) = 3 * max(z(0), 0) + sin(z(0));
    return x;
  });
  const DerivativeReport report = check_derivatives(*fold, Matrix::Constant(1, 1, 0.01));
  EXPECT_EQ(report.verdict(), DerivativeVerdict::kAgrees) << report.summary();
}

TEST(CheckDerivatives, TheEdgeOfTheDomainIsStayedAwayFrom) {
  const auto root = make_generator(1, 1, [](const auto& z) {
    auto x = z;
    x(0) = sqrt(z(0));
    return x;
  });
  // The longer steps reach x < 0.
  EXPECT_EQ(check_derivatives(*root, Matrix::Constant(1, 1, 0.01)).verdict(), DerivativeVerdict::kAgrees);
  // No value there at all.
  EXPECT_EQ(check_derivatives(*root, Matrix::Constant(1, 1, -1)).of("jacobian").verdict, DerivativeVerdict::kUndecided);
}

// Columns of J of very different size, and functions far more curved than 1 + |z|.
class Scales : public testing::TestWithParam<double> {};

TEST_P(Scales, AreNoHindrance) {
  const double s = GetParam();
  const auto f = make_generator(2, 2, [s](const auto& z) {
    std::decay_t<decltype(z)> x(2);
    x << sin(s * z(0)) + z(1), cos(s * z(0)) * z(1);
    return x;
  });
  const DerivativeReport report = check_derivatives(*f, points());
  EXPECT_EQ(report.of("jacobian").verdict, DerivativeVerdict::kAgrees) << report.summary();
  EXPECT_NE(report.verdict(), DerivativeVerdict::kWrong) << report.summary();
}

TEST_P(Scales, HideNoMistake) {
  const double s = GetParam();
  const auto value = [s](const ConstMatrixRef& Z) { return Matrix((s * Z.row(0)).array().sin() + Z.row(1).array()); };
  const auto jacobian = [s](const ConstMatrixRef& Z) {
    Matrix J(1, 2 * Z.cols());
    for (Eigen::Index k = 0; k < Z.cols(); ++k) J.middleCols(2 * k, 2) << 1.01 * s * std::cos(s * Z(0, k)), 1;
    return J;
  };
  const DerivativeReport report = check_derivatives(CallbackGenerator(2, 1, {value, jacobian, {}}), points());
  EXPECT_EQ(report.of("jacobian").verdict, DerivativeVerdict::kWrong) << report.summary();
}

INSTANTIATE_TEST_SUITE_P(OfTheFirstCoordinate, Scales, testing::Values(1e-6, 1e-3, 1, 30, 1000));

TEST(CheckDerivatives, AStepOfOnePeriodIsNoTrap) {
  // Halved five times the longest step would be all but a period, and every longer one a multiple of it.
  const double s = 0.995 * 2 * std::numbers::pi * 32 / DerivativeCheckOptions().step;
  const auto f = make_generator(1, 1, [s](const auto& z) { return sin(s * z.array()).matrix().eval(); });
  const DerivativeReport report = check_derivatives(*f, Matrix::Zero(1, 1));
  EXPECT_EQ(report.of("jacobian").verdict, DerivativeVerdict::kAgrees) << report.summary();
}

TEST(CheckDerivatives, ARippleAsShortAsTheShortestStepIsNoMistake) {
  // The longer steps agree on the slope without the ripple, 10 times smaller.
  const auto f = make_generator(
      1, 1, [](const auto& z) { return (sin(z.array()) + 1e-3 * sin(1e4 * z.array())).matrix().eval(); });
  const DerivativeReport report = check_derivatives(*f, Matrix(Eigen::RowVectorXd::LinSpaced(50, -1, 1)));
  EXPECT_NE(report.of("jacobian").verdict, DerivativeVerdict::kWrong) << report.summary();
}

// The difference at 0 of a function of one number.
template <class Function>
internal::Difference difference_of(Function function, double h = 0.1) {
  return internal::extrapolated_difference(internal::difference_offsets(h).unaryExpr(function), h, 0);
}

TEST(ExtrapolatedDifference, IsAsExactAsItSays) {
  const internal::Difference d = difference_of([](double t) { return std::exp(3 * t); });
  EXPECT_LE(std::abs(d.derivative(0) - 3), d.uncertainty(0));
  EXPECT_LE(d.uncertainty(0), 1e-12);
  EXPECT_FALSE(d.kink);
}

TEST(ExtrapolatedDifference, KnowsNothingWithoutAValueInTheMiddle) {
  const internal::Difference d = difference_of([](double t) { return std::sin(t) / t; });
  EXPECT_EQ(d.uncertainty(0), std::numeric_limits<double>::infinity());
}

TEST(ExtrapolatedDifference, LongStepsThatContradictShortOnesAreUncertain) {
  // To all but the last steps a line of slope 1 with some noise; in truth of slope 1 + 10.
  const internal::Difference d = difference_of([](double t) { return t + 1e-3 * std::sin(1e4 * t); });
  EXPECT_LE(std::abs(d.derivative(0) - 11), d.uncertainty(0));
}

TEST(CheckDerivatives, WithoutAValueNothingIsDecided) {
  const auto f = make_generator(1, 1, [](const auto& z) { return (sin(z.array()) / z.array()).matrix().eval(); });
  EXPECT_EQ(check_derivatives(*f, Matrix::Zero(1, 1)).of("jacobian").verdict, DerivativeVerdict::kUndecided);
}

TEST(CheckDerivatives, IsDeterministic) {
  const auto wrong = [] { return check({.second = slightly_more}); };
  EXPECT_EQ(wrong().summary(), wrong().summary());
}

TEST(CheckDerivatives, RefusesWhatMakesNoSense) {
  const Surface f({});
  EXPECT_THROW(check_derivatives(f, Matrix::Zero(3, 2)), std::invalid_argument);
  EXPECT_THROW(check_derivatives(f, points(), {.tolerance = 0}), std::invalid_argument);
  EXPECT_THROW(check_derivatives(f, points(), {.step = -1}), std::invalid_argument);
  EXPECT_THROW(check_derivatives(f, points(), {.directions = 0}), std::invalid_argument);
  EXPECT_THAT([] { (void)check({}).of("jacobean"); },
              testing::ThrowsMessage<std::invalid_argument>(HasSubstr("choose from value, jacobian")));
}

}  // namespace
}  // namespace pullback
