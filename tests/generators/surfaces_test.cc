#include "pullback/generators/surfaces/surfaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

namespace pullback {
namespace {

// A few roundings of numbers of the size of the expected ones.
constexpr double kRounding = 64 * std::numeric_limits<double>::epsilon();

std::shared_ptr<const Generator> open(const std::string& specification) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return registry.open(specification).generator;
}

Vector point(double a, double b) { return Eigen::Vector2d(a, b); }
Matrix diagonal(double a, double b) { return Eigen::Vector2d(a, b).asDiagonal(); }

Matrix metric(const std::string& specification, const Vector& z) {
  const Matrix J = open(specification)->jacobian(z);
  return J.transpose() * J;
}

void expect_near(const Matrix& got, const Matrix& expected, double tolerance = kRounding) {
  ASSERT_EQ(got.rows(), expected.rows());
  ASSERT_EQ(got.cols(), expected.cols());
  EXPECT_LE((got - expected).cwiseAbs().maxCoeff(), tolerance * (1 + expected.cwiseAbs().maxCoeff()))
      << "got\n"
      << got << "\nexpected\n"
      << expected;
}

double squared(double x) { return x * x; }

TEST(Surfaces, AllAreThere) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  std::vector<std::string> names;
  for (const GeneratorEntry& entry : registry.list()) {
    if (entry.source == GeneratorSource::kNamed) names.push_back(entry.name);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("sphere", "sphere-scaled", "sheared-sphere", "sphere-stereographic",
                                                   "plane", "paraboloid", "bump", "torus", "catenoid", "helicoid",
                                                   "pseudosphere", "clifford-torus", "swiss-roll", "rbf-variance",
                                                   "linear", "cusp", "collapsed-disc", "relu-fold", "pyramid", "step"));
  for (const std::string& name : names) {
    EXPECT_EQ(open(name)->traits().name, name);
    EXPECT_EQ(open(name)->traits().smooth,
              name != "collapsed-disc" && name != "relu-fold" && name != "pyramid" && name != "step");
    EXPECT_EQ(open(name)->traits().stochastic, name == "rbf-variance");
  }
}

TEST(Surfaces, SphereInItsCharts) {
  expect_near(metric("sphere", point(1.1, 0.4)), diagonal(1, squared(std::sin(1.1))));
  expect_near(open("sphere")->value(point(std::numbers::pi / 2, std::numbers::pi)), Eigen::Vector3d(-1, 0, 0));
  for (int k = 0; k <= 8; ++k) {
    const double epsilon = std::pow(10, -k);
    const Matrix M = metric("sphere-scaled:epsilon=1e-" + std::to_string(k), point(0.7, 0.4));
    EXPECT_NEAR(M(0, 0) / squared(epsilon), 1, kRounding) << k;
    EXPECT_NEAR(M(1, 1), squared(std::cos(0.7 * epsilon)), kRounding) << k;
    EXPECT_NEAR(M(0, 1) / epsilon, 0, kRounding) << k;
  }
  for (const int s : {1, 1000, 1000000}) {
    Matrix S = Matrix::Identity(2, 2);
    S(0, 1) = s;
    const Vector z = point(1.1 - s * 0.25, 0.25);  // at θ = 1.1, φ = 0.25
    // θ is a difference of numbers of the size s.
    expect_near(metric("sheared-sphere:s=" + std::to_string(s), z),
                S.transpose() * diagonal(1, squared(std::sin(1.1))) * S, kRounding * s);
  }
}

TEST(Surfaces, StereographicSphereIsConformal) {
  for (const int d : {1, 2, 5, 20}) {
    const Vector z = Vector::LinSpaced(d, -0.3, 0.8);
    const std::string name = "sphere-stereographic:d=" + std::to_string(d);
    expect_near(metric(name, z), 4 / squared(1 + z.squaredNorm()) * Matrix::Identity(d, d));
    EXPECT_NEAR(open(name)->value(z).norm(), 1, kRounding);
  }
}

TEST(Surfaces, MetricsInClosedForm) {
  const Vector z = point(0.8, -0.6);
  expect_near(metric("plane", z), diagonal(1, 1));
  expect_near(metric("paraboloid", z), Matrix::Identity(2, 2) + 4 * z * z.transpose());
  const double slope = 2 / squared(0.5) * std::exp(-z.squaredNorm() / (2 * squared(0.5)));
  expect_near(metric("bump:h=2,w=0.5", z), Matrix::Identity(2, 2) + squared(slope) * z * z.transpose());
  expect_near(metric("torus", z), diagonal(1, squared(3 + std::cos(0.8))));
  expect_near(metric("torus:R=5,r=2", z), diagonal(4, squared(5 + 2 * std::cos(0.8))));
  expect_near(metric("catenoid", z), squared(std::cosh(0.8)) * Matrix::Identity(2, 2));
  expect_near(metric("helicoid", z), squared(std::cosh(0.8)) * Matrix::Identity(2, 2));
  expect_near(metric("pseudosphere", z), diagonal(squared(std::tanh(0.8)), squared(1 / std::cosh(0.8))));
  expect_near(metric("clifford-torus", z), diagonal(0.5, 0.5));
  expect_near(metric("swiss-roll", z), diagonal(1 + squared(0.8), 1));
  expect_near(metric("cusp", z), diagonal(4 * squared(0.8) + 9 * squared(squared(0.8)), 1));
  expect_near(metric("relu-fold", z), diagonal(10, 1));
  expect_near(metric("relu-fold", -z), diagonal(1, 1));
  expect_near(metric("pyramid", z), diagonal(1, 1));
  expect_near(metric("pyramid", point(0.2, -0.3)), (Matrix(2, 2) << 2, -1, -1, 2).finished());
  expect_near(metric("step", z), diagonal(1, 1));
}

TEST(Surfaces, ValuesWhereTheMetricDoesNotTell) {
  const Vector z = point(0.8, -0.6);
  expect_near(open("paraboloid")->value(z), Eigen::Vector3d(0.8, -0.6, 1));
  expect_near(open("swiss-roll")->value(z), Eigen::Vector3d(0.8 * std::cos(0.8), -0.6, 0.8 * std::sin(0.8)));
  expect_near(open("relu-fold:s=2")->value(z), Eigen::Vector3d(0.8, -0.6, 1.6));
  expect_near(open("pyramid")->value(point(0, 0)), Eigen::Vector3d(0, 0, 1));
  expect_near(open("step:h=4")->value(point(0, 1)), Eigen::Vector3d(0, 1, 0));
  expect_near(open("step:h=4")->value(point(1e-300, 1)), Eigen::Vector3d(0, 1, 4));
}

TEST(Surfaces, RbfVarianceHasItsKnownMetric) {
  const Matrix M = metric("rbf-variance", point(1, 0));
  EXPECT_NEAR(M(0, 0), 11.032547722344, 0.5e-12);  // to its last digit
  EXPECT_NEAR(M(1, 1), 1, kRounding);
  EXPECT_NEAR(open("rbf-variance")->value(point(1, 0))(5), 1 / std::sqrt(std::exp(-1) + 0.01), kRounding);
}

TEST(Surfaces, LinearHasItsSingularValuesAndDirections) {
  for (int k = 0; k <= 8; ++k) {
    const Matrix A = open("linear:v=0.7,u=-0.2,k=" + std::to_string(k))->jacobian(point(3, -2));
    const double small = std::pow(10, -k);
    const Vector v1 = point(std::cos(0.7), std::sin(0.7)), v2 = point(-std::sin(0.7), std::cos(0.7));
    expect_near(A * v1, point(std::cos(-0.2), std::sin(-0.2)));
    expect_near(A * v2, small * point(-std::sin(-0.2), std::cos(-0.2)));
    const Vector singular_values = Eigen::JacobiSVD<Matrix>(A).singularValues();
    EXPECT_NEAR(singular_values(0), 1, kRounding);
    EXPECT_NEAR(singular_values(1), small, kRounding);
  }
}

TEST(Surfaces, CollapsedDiscIsZeroInsideAndAPlaneLessOneOutside) {
  const auto f = open("collapsed-disc");
  for (const Vector& z : {point(0, 0), point(0.5, -0.5), point(1, 0)}) {
    EXPECT_EQ(f->value(z), point(0, 0));
    EXPECT_EQ(f->jacobian(z), Matrix::Zero(2, 2));
  }
  expect_near(f->value(point(-2, 0)), point(-1, 0));
  expect_near(f->value(point(0, 3)), point(0, 2));
  expect_near(metric("collapsed-disc", point(2, 0)), diagonal(1, 0.25));
}

TEST(Surfaces, SingularPointsGiveNoNaN) {
  Workspace ws;
  for (const std::string name : {"sphere", "cusp", "pseudosphere", "collapsed-disc", "pyramid", "relu-fold", "step"}) {
    const auto f = open(name);
    Matrix X(f->ambient_dimension(), 1), J(f->ambient_dimension(), 2), D(X);
    f->second_order(point(0, 0), point(1, 1), X, J, D, ws);
    EXPECT_TRUE(X.allFinite() && J.allFinite() && D.allFinite()) << name;
  }
}

TEST(Surfaces, RefuseParametersOutsideTheirRange) {
  EXPECT_THAT([] { open("torus:R=1,r=2"); },
              testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("R must be above 2, got 1")));
  EXPECT_THROW(open("torus:r=0"), std::invalid_argument);
  EXPECT_THROW(open("sphere-scaled:epsilon=0"), std::invalid_argument);
  EXPECT_THROW(open("bump:w=-1"), std::invalid_argument);
  EXPECT_THAT([] { open("sphere-stereographic:d=2.5"); },
              testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("whole number")));
  EXPECT_THROW(open("sphere-stereographic:d=0"), std::invalid_argument);
  EXPECT_THROW(open("sphere-stereographic:d=1e9"), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
