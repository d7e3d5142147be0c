#include "pullback/manifold/numerics/anderson.h"

#include <gtest/gtest.h>

namespace pullback {
namespace {

// g(x) = A x + b with four different eigenvalues, on two points of a plane: exact after five images.
class Linear : public ::testing::Test {
 protected:
  static Matrix map(const Matrix& x) {
    const Vector eigenvalues{{0.9, -0.8, 0.99, 1.5}};  // with the last the plain iteration diverges
    return (eigenvalues.cwiseProduct(Vector(x.reshaped())) + Vector::Ones(4)).reshaped(2, 2);
  }
  static Matrix identities() {
    Matrix out(2, 4);
    out << Matrix::Identity(2, 2), Matrix::Identity(2, 2);
    return out;
  }
  static double residual(const Matrix& x) { return (map(x) - x).norm(); }
};

TEST_F(Linear, IsSolvedInAsManyStepsAsThereAreEigenvalues) {
  AndersonMixing mixing(10);
  Matrix x = Matrix::Zero(2, 2);
  for (int k = 0; k < 4; ++k) {
    x = mixing.next(x, map(x), identities());
    EXPECT_GT(residual(x), 1e-6) << k;
  }
  x = mixing.next(x, map(x), identities());
  EXPECT_LE(residual(x), 1e-11);
}

TEST_F(Linear, WithoutMemoryIsThePlainIteration) {
  AndersonMixing mixing(0);
  Matrix x = Matrix::Zero(2, 2);
  for (int k = 0; k < 3; ++k) {
    const Matrix image = map(x);
    EXPECT_EQ(mixing.next(x, image, identities()), image);
    x = image;
  }
}

TEST_F(Linear, ForgetsWhenAsked) {
  AndersonMixing mixing(10);
  Matrix x = Matrix::Zero(2, 2);
  for (int k = 0; k < 2; ++k) x = mixing.next(x, map(x), identities());
  mixing.clear();
  EXPECT_EQ(mixing.next(x, map(x), identities()), map(x));
}

// In a chart y = x/s the iterates are those of x, divided by s, when the factors say so.
TEST_F(Linear, DoesNotDependOnTheChart) {
  const Vector scale{{1, 1e8}};
  Matrix factors(2, 4);
  factors << Matrix(scale.asDiagonal()), Matrix(scale.asDiagonal());
  AndersonMixing plain(3);
  AndersonMixing scaled(3);
  Matrix x = Matrix::Zero(2, 2);
  Matrix y = x;
  for (int k = 0; k < 4; ++k) {
    x = plain.next(x, map(x), identities());
    const Matrix image = scale.cwiseInverse().asDiagonal() * map(scale.asDiagonal() * y);
    y = scaled.next(y, image, factors);
    EXPECT_LE((scale.asDiagonal() * y - x).norm(), 1e-9 * x.norm());
  }
}

}  // namespace
}  // namespace pullback
