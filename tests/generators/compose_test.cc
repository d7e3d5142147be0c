// AffineInput and Stacked.
#include "pullback/generators/combine/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include "pullback/generators/combine/stack.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/formula/callback.h"

namespace pullback {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;
using GeneratorPointer = std::shared_ptr<const Generator>;

// Entries below 3, at most 4 of them in a sum, second derivatives below 1e3.
constexpr double kRounding = 1e5 * std::numeric_limits<double>::epsilon();

GeneratorPointer wave() {
  return make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) {
    return Eigen::Vector3<T>(sin(z(0)) * z(1), exp(0.3 * z(1)) + z(0), z(0) * z(1) * z(1));
  });
}

GeneratorPointer line() {
  return make_generator(2, 1,
                        []<class T>(const Eigen::VectorX<T>& z) { return Eigen::Vector<T, 1>(cos(z(0) - 2 * z(1))); },
                        {.name = "line", .smooth = false});
}

// Random numbers in [−1, 1] with few digits, so that shrunk examples can be read.
Matrix random_matrix(Eigen::Index rows, Eigen::Index cols) {
  return Matrix::NullaryExpr(rows, cols, [] { return *rc::gen::inRange(-64, 65) / 64.0; });
}

struct All {
  All(const Generator& f, const Matrix& Z, const Matrix& V, const Matrix& W)
      : X(f.ambient_dimension(), Z.cols()),
        J(f.ambient_dimension(), Z.size()),
        D(X),
        G(Z),
        H(f.latent_dimension(), Z.size()) {
    Workspace ws;
    f.second_order(Z, V, X, J, D, ws);
    f.vjp(Z, W, G, ws);
    f.weighted_hessian(Z, W, H, ws);
    Matrix again(D.rows(), D.cols());
    f.second_directional(Z, V, again, ws);
    RC_ASSERT(again == D);
  }
  Matrix X, J, D, G, H;
};

bool near(const Matrix& a, const Matrix& b) { return (a - b).cwiseAbs().maxCoeff() <= kRounding; }

RC_GTEST_PROP(AffineInput, FollowsTheChainRule, ()) {
  const auto n = *rc::gen::inRange<Eigen::Index>(1, 5);
  const Matrix A = random_matrix(2, n);
  const Vector b = random_matrix(2, 1);
  const Matrix Z = random_matrix(n, 2), V = random_matrix(n, 2), W = random_matrix(3, 2);
  const AffineInput g(wave(), A, b);
  const Matrix Y = (A * Z).colwise() + b;
  const All outer(g, Z, V, W);
  const All inner(*wave(), Y, A * V, W);
  RC_ASSERT(g.latent_dimension() == n);
  RC_ASSERT(near(outer.X, wave()->value(Y)));
  RC_ASSERT(near(outer.D, inner.D));
  RC_ASSERT(near(outer.G, A.transpose() * inner.G));
  for (Eigen::Index k = 0; k < 2; ++k) {
    RC_ASSERT(near(outer.J.middleCols(n * k, n), inner.J.middleCols(2 * k, 2) * A));
    RC_ASSERT(near(outer.H.middleCols(n * k, n), A.transpose() * inner.H.middleCols(2 * k, 2) * A));
  }
}

RC_GTEST_PROP(AffineInput, TwoInARowAreTheirProduct, ()) {
  const Matrix A = random_matrix(2, 3), B = random_matrix(3, 2);
  const Vector a = random_matrix(2, 1), b = random_matrix(3, 1);
  const Matrix Z = random_matrix(2, 2), V = random_matrix(2, 2), W = random_matrix(3, 2);
  const AffineInput twice(std::make_shared<AffineInput>(wave(), A, a), B, b);
  const AffineInput once(wave(), A * B, A * b + a);
  const All x(twice, Z, V, W);
  const All y(once, Z, V, W);
  RC_ASSERT(near(x.X, y.X) && near(x.J, y.J) && near(x.D, y.D) && near(x.G, y.G) && near(x.H, y.H));
}

RC_GTEST_PROP(Stacked, IsItsPartsOneBelowTheOther, ()) {
  const Matrix Z = random_matrix(2, 3), V = random_matrix(2, 3), W = random_matrix(7, 3);
  const Stacked g({wave(), line(), wave()});
  const All all(g, Z, V, W);
  const All first(*wave(), Z, V, W.topRows(3)), second(*line(), Z, V, W.row(3)), third(*wave(), Z, V, W.bottomRows(3));
  RC_ASSERT(all.X.topRows(3) == first.X && all.X.row(3) == second.X && all.X.bottomRows(3) == third.X);
  RC_ASSERT(all.J.topRows(3) == first.J && all.J.row(3) == second.J && all.J.bottomRows(3) == third.J);
  RC_ASSERT(all.D.topRows(3) == first.D && all.D.row(3) == second.D && all.D.bottomRows(3) == third.D);
  RC_ASSERT(near(all.G, first.G + second.G + third.G));
  RC_ASSERT(near(all.H, first.H + second.H + third.H));
}

RC_GTEST_PROP(Stacked, ItsMetricIsTheSumOfTheParts, ()) {
  const Matrix z = random_matrix(2, 1);
  const auto metric = [&](const Generator& f) { return Matrix(f.jacobian(z).transpose() * f.jacobian(z)); };
  RC_ASSERT(near(metric(Stacked({wave(), line()})), metric(*wave()) + metric(*line())));
}

TEST(AffineInput, KeepsTheTraitsAndNamesItself) {
  const AffineInput g(line(), Matrix::Identity(2, 2), Vector::Zero(2));
  EXPECT_EQ(g.traits().name, "line(Az+b)");
  EXPECT_FALSE(g.traits().smooth);
  EXPECT_EQ(AffineInput(line(), Matrix::Identity(2, 2), Vector::Zero(2), "mine").traits().name, "mine");
}

TEST(AffineInput, RefusesWhatDoesNotFit) {
  EXPECT_THAT([] { AffineInput(line(), Matrix::Zero(3, 2), Vector::Zero(2)); },
              ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("2×n"), HasSubstr("got 3×2 and 2"))));
  EXPECT_THROW(AffineInput(line(), Matrix::Zero(2, 2), Vector::Zero(3)), std::invalid_argument);
  EXPECT_THROW(AffineInput(line(), Matrix(2, 0), Vector::Zero(2)), std::invalid_argument);
  EXPECT_THROW(AffineInput(nullptr, Matrix::Zero(2, 2), Vector::Zero(2)), std::invalid_argument);
}

TEST(Stacked, CombinesTheTraits) {
  const auto differenced = std::make_shared<CallbackGenerator>(
      2, 3, Callbacks{[](const ConstMatrixRef& Z) { return wave()->value(Z); }, {}, {}});
  const Stacked smooth({wave(), wave()}, true, "ensemble");
  EXPECT_EQ(smooth.traits().name, "ensemble");
  EXPECT_TRUE(smooth.traits().smooth);
  EXPECT_TRUE(smooth.traits().stochastic);
  EXPECT_EQ(smooth.traits().second, Derivative::kExact);
  const Stacked mixed({wave(), line(), differenced});
  EXPECT_EQ(mixed.traits().name, "(function, line, callback)");
  EXPECT_FALSE(mixed.traits().smooth);
  EXPECT_FALSE(mixed.traits().stochastic);
  EXPECT_EQ(mixed.traits().first, Derivative::kFiniteDifference);
  EXPECT_EQ(mixed.traits().second, Derivative::kFiniteDifference);
  EXPECT_EQ(mixed.ambient_dimension(), 7);
}

TEST(Stacked, RefusesWhatDoesNotFit) {
  const auto wide = std::make_shared<AffineInput>(wave(), Matrix::Zero(2, 3), Vector::Zero(2));
  EXPECT_THAT(
      [&] {
        Stacked({line(), wide});
      },
      ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("'line' has 2"), HasSubstr("3"))));
  EXPECT_THAT([] { Stacked({line()}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("at least 2 generators, got 1")));
  EXPECT_THROW(Stacked({line(), nullptr}), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
