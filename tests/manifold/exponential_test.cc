#include "pullback/manifold/curves/exponential.h"

#include <gtest/gtest.h>

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "pullback/base/error.h"
#include "pullback/generators/combine/compose.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

// Errors of a step add up over the steps: fewer than a hundred here.
const double kGlobalError = 100 * ExponentialOptions().tolerance;

std::shared_ptr<const Generator> sphere() {
  return make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) {
    return Eigen::Vector3<T>(sin(z(0)) * cos(z(1)), sin(z(0)) * sin(z(1)), cos(z(0)));
  });
}

std::shared_ptr<const Generator> stereographic(int n) {
  return make_generator(n, n + 1, [n]<class T>(const Eigen::VectorX<T>& z) {
    T square(0);
    for (int i = 0; i < n; ++i) square += z(i) * z(i);
    Eigen::VectorX<T> x(n + 1);
    x(0) = (1 - square) / (1 + square);
    for (int i = 0; i < n; ++i) x(i + 1) = 2 * z(i) / (1 + square);
    return x;
  });
}

std::shared_ptr<const Generator> torus() {
  return make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) {
    const T rim = 3 + cos(z(0));
    return Eigen::Vector3<T>(rim * cos(z(1)), rim * sin(z(1)), sin(z(0)));
  });
}

// g(S z), S = [[1, s], [0, 1]].
std::shared_ptr<const Generator> sheared(double s) {
  Matrix S(2, 2);
  S << 1, s, 0, 1;
  return std::make_shared<AffineInput>(sphere(), S, Vector::Zero(2));
}

// A start on the unit sphere, in some chart.
struct SphereCase {
  std::string name;
  std::shared_ptr<const Generator> generator;
  Vector z;
  Vector v;
  double allowed = kGlobalError;
  double kappa = 1;  // order of the condition number of the chart
};

Vector vec(std::initializer_list<double> values) {
  return Eigen::Map<const Vector>(values.begin(), static_cast<Eigen::Index>(values.size()));
}

std::vector<SphereCase> sphere_cases() {
  std::vector<SphereCase> cases{
      {"polar", sphere(), vec({1.0, 0.0}), vec({0.5, 1.4})},
      {"stereographic2", stereographic(2), vec({0.1, 0.1}), vec({0.4, 0.9})},
      {"stereographic5", stereographic(5), Vector::LinSpaced(5, 0, -1), vec({0.9, -0.4, 0.3, 1.2, 0.7})},
  };
  for (const double s : {1.0, 1e3, 1e6}) {
    const Vector z = vec({1.0 - s * 0.3, 0.3});
    const Vector v = vec({0.5 - s * 1.4, 1.4});
    // z and v are stored, and z is moved by steps, to a relative ε: that is ε|z| and ε|v| in S z and S v.
    const double rounding = 20 * v.norm() * std::numeric_limits<double>::epsilon();
    cases.push_back(
        {"sheared" + std::to_string(static_cast<int>(s)), sheared(s), z, v, std::max(kGlobalError, rounding), s * s});
  }
  return cases;
}

// cos(L t) x + sin(L t) u for the point x and the direction u of the start.
Vector great_circle(const SphereCase& c, double t) {
  const Vector x = c.generator->value(c.z);
  const Vector velocity = c.generator->jacobian(c.z) * c.v;
  const double length = velocity.norm();
  return std::cos(length * t) * x + std::sin(length * t) / length * velocity;
}

TEST(Exponential, FollowsGreatCirclesInEveryChart) {
  for (const SphereCase& c : sphere_cases()) {
    const PullbackManifold manifold(c.generator);
    Workspace ws;
    const GeodesicFlow flow = exponential_flow(manifold, c.z, c.v, ws);
    ASSERT_EQ(flow.status, FlowStatus::kComplete) << c.name;
    EXPECT_LE((c.generator->value(flow.end_position) - great_circle(c, 1)).norm(), c.allowed) << c.name;
    const Vector t = uniform_times(257);
    const Matrix points = c.generator->value(flow.path.position(t));
    for (Eigen::Index k = 0; k < t.size(); ++k) {
      ASSERT_LE((points.col(k) - great_circle(c, t(k))).norm(), c.allowed) << c.name << " at t = " << t(k);
    }
  }
}

TEST(Exponential, PathHasTheLengthOfTheVelocityAndConstantSpeed) {
  for (const SphereCase& c : sphere_cases()) {
    const PullbackManifold manifold(c.generator);
    Workspace ws;
    const GeodesicFlow flow = exponential_flow(manifold, c.z, c.v, ws);
    const double length = manifold.norm(c.z, c.v);
    EXPECT_NEAR(measure(manifold, flow.path, ws).length, length, 1e-10 * length + c.allowed - kGlobalError) << c.name;
    const Vector t = uniform_times(101);
    const Matrix z = flow.path.position(t);
    const Matrix v = flow.path.velocity(t);
    for (Eigen::Index k = 0; k < t.size(); ++k) {
      ASSERT_NEAR(manifold.norm(z.col(k), v.col(k)), length, 10 * c.allowed * length) << c.name << " at t = " << t(k);
    }
  }
}

TEST(Exponential, ReversedGeodesicReturns) {
  for (const SphereCase& c : sphere_cases()) {
    const PullbackManifold manifold(c.generator);
    Workspace ws;
    const GeodesicFlow there = exponential_flow(manifold, c.z, c.v, ws);
    const GeodesicFlow back = exponential_flow(manifold, there.end_position, -there.end_velocity, ws);
    EXPECT_LE(manifold.norm(c.z, back.end_position - c.z), 2 * c.allowed) << c.name;
    EXPECT_LE(manifold.norm(c.z, back.end_velocity + c.v), 2 * c.allowed * manifold.norm(c.z, c.v)) << c.name;
  }
}

TEST(Exponential, StepsDoNotDependOnTheConditioningOfTheChart) {
  Workspace ws;
  std::vector<int> pieces;
  for (const SphereCase& c : sphere_cases()) {
    if (!c.name.starts_with("sheared")) continue;
    const PullbackManifold manifold(c.generator);
    pieces.push_back(exponential_flow(manifold, c.z, c.v, ws).path.pieces());
  }
  EXPECT_EQ(pieces[0], pieces[1]);
  // At s = 1e6 rounding of the coordinates (1e-10) is above the tolerance, which it then replaces.
  EXPECT_LE(pieces[2], pieces[0]);
  EXPECT_GE(pieces[2], pieces[0] / 3);
}

TEST(Exponential, HalfPlaneHasItsClosedForm) {
  const auto manifold = half_plane();
  Workspace ws;
  const double length = 3;
  const GeodesicFlow flow = exponential_flow(*manifold, vec({0, 1}), vec({length, 0}), ws);
  ASSERT_EQ(flow.status, FlowStatus::kComplete);
  // Differences of a given metric are accurate to 1e-10; distances near the boundary grow by cosh(length).
  const double allowed = 1e-9 * std::cosh(length);
  EXPECT_NEAR(flow.end_position(0), std::tanh(length), allowed);
  EXPECT_NEAR(flow.end_position(1), 1 / std::cosh(length), allowed);
}

TEST(Exponential, TorusEquatorStaysOnTheEquator) {
  const PullbackManifold manifold(torus());
  Workspace ws;
  const GeodesicFlow flow = exponential_flow(manifold, vec({0, 0}), vec({0, 1.8}), ws);
  EXPECT_NEAR(flow.end_position(0), 0, kGlobalError);
  EXPECT_NEAR(flow.end_position(1), 1.8, kGlobalError);
  EXPECT_NEAR(measure(manifold, flow.path, ws).length, 7.2, 7.2e-10);
}

TEST(Exponential, StraightWhereTheMetricIsConstantWhateverItsConditioning) {
  for (int k = 0; k <= 10; k += 2) {
    Matrix A(3, 2);
    const double small = std::pow(10.0, -k);
    A << 0.6, -0.8 * small, 0.8, 0.6 * small, 0, 0;
    const auto generator = std::make_shared<AffineInput>(
        make_generator(3, 3, []<class T>(const Eigen::VectorX<T>& z) { return Eigen::VectorX<T>(z); }), A,
        Vector::Zero(3));
    const PullbackManifold manifold(generator);
    const Vector v = vec({1, 2});
    EXPECT_LE((exponential_map(manifold, vec({0, 0}), v) - v).norm(), 1e-14) << "k = " << k;
  }
}

TEST(Exponential, ErrorFallsWithTheToleranceAtFifthOrder) {
  const SphereCase c = sphere_cases()[1];
  const PullbackManifold manifold(c.generator);
  Workspace ws;
  std::vector<double> log_tolerance, log_steps, log_error;
  for (const double tolerance : {1e-6, 1e-8, 1e-10, 1e-12}) {
    const GeodesicFlow flow = exponential_flow(manifold, c.z, c.v, ws, {.tolerance = tolerance});
    log_tolerance.push_back(std::log(tolerance));
    log_steps.push_back(std::log(flow.path.pieces()));
    log_error.push_back(std::log((c.generator->value(flow.end_position) - great_circle(c, 1)).norm()));
  }
  // A step is as long as a fifth-order error estimate allows, and local extrapolation makes the error of a step h⁶: the
  // error is about tolerance^(5/4…1) and steps^(−5).
  const auto slope = [](const std::vector<double>& x, const std::vector<double>& y) {
    return (y.back() - y.front()) / (x.back() - x.front());
  };
  EXPECT_NEAR(slope(log_tolerance, log_error), 1.0, 0.2);
  EXPECT_NEAR(slope(log_steps, log_error), -5.0, 0.7);
}

// Central differences of the flow itself.
Matrix flow_differences(const Manifold& manifold, const Vector& z, const Vector& v, double h) {
  const Eigen::Index n = z.size();
  Workspace ws;
  const ExponentialOptions fine{.tolerance = 1e-13};
  Matrix S(2 * n, 2 * n);
  for (Eigen::Index j = 0; j < 2 * n; ++j) {
    const auto end = [&](double sign) {
      Vector start(2 * n);
      start << z, v;
      start(j) += sign * h;
      const GeodesicFlow flow = exponential_flow(manifold, start.head(n), start.tail(n), ws, fine);
      Vector x(2 * n);
      x << flow.end_position, flow.end_velocity;
      return x;
    };
    S.col(j) = (end(1) - end(-1)) / (2 * h);
  }
  return S;
}

TEST(Exponential, SensitivitiesMatchDifferencesOfTheFlow) {
  Workspace ws;
  for (const int index : {0, 1, 2, 3}) {
    const SphereCase c = sphere_cases()[index];
    const PullbackManifold manifold(c.generator);
    const GeodesicFlow flow = exponential_flow(manifold, c.z, c.v, ws, {}, true);
    const double h = 1e-4;
    const Matrix expected = flow_differences(manifold, c.z, c.v, h);
    // Truncation h² times third derivatives of order one to ten.
    EXPECT_LE((flow.sensitivity - expected).norm(), 10 * h * h * expected.norm()) << c.name;
  }
}

TEST(Exponential, SensitivitiesAreJacobiFields) {
  for (const SphereCase& c : sphere_cases()) {
    const PullbackManifold manifold(c.generator);
    const Eigen::Index n = c.z.size();
    Workspace ws;
    const GeodesicFlow flow = exponential_flow(manifold, c.z, c.v, ws, {}, true);
    const double length = manifold.norm(c.z, c.v);
    const Matrix J0 = c.generator->jacobian(c.z);
    const Matrix J1 = c.generator->jacobian(flow.end_position);
    // A unit variation of the velocity across the geodesic, as a vector of ambient space.
    Matrix frame(J0.rows(), n + 1);
    frame << J0 * c.v, J0;
    const Matrix Q = frame.householderQr().householderQ();
    const Vector across = Q.col(1);
    const Vector dv = J0.colPivHouseholderQr().solve(across);
    const Vector along = J1 * (flow.sensitivity.topRightCorner(n, n) * c.v);
    const Vector field = J1 * (flow.sensitivity.topRightCorner(n, n) * dv);
    // Differences of the acceleration with a step ε^(1/3): ε^(2/3) relative, ε the rounding of the coordinates.
    const double rounding = std::max(c.allowed, 1e-11) / 10;
    // The matrix itself is written in the chart, which costs a relative κ ε.
    const double epsilon = std::numeric_limits<double>::epsilon();
    const double allowed = 10 * std::pow(rounding, 2.0 / 3) + c.kappa * epsilon;
    EXPECT_NEAR(field.norm(), std::sin(length) / length, allowed) << c.name;
    EXPECT_LE((field - std::sin(length) / length * across).norm(), allowed) << c.name;
    EXPECT_LE((along - J1 * flow.end_velocity).norm(), allowed * length) << c.name;
  }
}

TEST(Exponential, SensitivitiesSeeConjugatePointsOfAChartLine) {
  // The outer equator of the torus has curvature 1/4 along it, and no acceleration in the chart.
  const PullbackManifold manifold(torus());
  Workspace ws;
  const double p = 1.8;
  const Matrix S = exponential_flow(manifold, vec({0, 0}), vec({0, p}), ws, {}, true).sensitivity;
  const double arc = 4 * p;
  EXPECT_NEAR(S(0, 2), std::sin(arc / 2) / (arc / 2), 1e-8);
  EXPECT_NEAR(S(0, 0), std::cos(arc / 2), 1e-8);
  EXPECT_NEAR(S(1, 3), 1, 1e-8);
}

TEST(Exponential, ErrorIsThatOfTheMetricWhereTheGeodesicIs) {
  // In the polar chart the metric grows a hundredfold from the start beside the pole to the equator.
  const SphereCase c{"from the pole", sphere(), vec({0.01, 0}), vec({1.2, 90})};
  const PullbackManifold manifold(c.generator);
  Workspace ws;
  const ExponentialOptions coarse{.tolerance = 1e-9};
  const Vector end = exponential_flow(manifold, c.z, c.v, ws, coarse).end_position;
  // Controlled in the metric of the start alone, the error comes to ten times this.
  EXPECT_LE((c.generator->value(end) - great_circle(c, 1)).norm(), coarse.tolerance);
}

TEST(Exponential, SensitivitiesDoNotChangeTheFlowBeyondTheTolerance) {
  const SphereCase c = sphere_cases()[0];
  const PullbackManifold manifold(c.generator);
  Workspace ws;
  const GeodesicFlow with = exponential_flow(manifold, c.z, c.v, ws, {}, true);
  const GeodesicFlow without = exponential_flow(manifold, c.z, c.v, ws);
  EXPECT_LE((with.end_position - without.end_position).norm(), kGlobalError);
  EXPECT_EQ(without.sensitivity.size(), 0);
}

TEST(Exponential, ZeroVelocityStaysAndHasStraightNeighbours) {
  const PullbackManifold manifold(sphere());
  Workspace ws;
  const Vector z = vec({1, 2});
  const GeodesicFlow flow = exponential_flow(manifold, z, Vector::Zero(2), ws, {}, true);
  ASSERT_EQ(flow.status, FlowStatus::kComplete);
  EXPECT_EQ(flow.end_position, z);
  EXPECT_LE((flow.path.position(vec({0.3})) - z).norm(), 1e-15 * z.norm());
  Matrix expected = Matrix::Identity(4, 4);
  expected.topRightCorner(2, 2).setIdentity();
  EXPECT_EQ(flow.sensitivity, expected);
}

TEST(Exponential, LeavesASingularPoint) {
  const PullbackManifold manifold(sphere());
  Workspace ws;
  const GeodesicFlow flow = exponential_flow(manifold, vec({0, 0.5}), vec({1, 0}), ws);  // from the pole
  ASSERT_EQ(flow.status, FlowStatus::kComplete);
  EXPECT_LE((flow.end_position - vec({1, 0.5})).norm(), kGlobalError);
}

// The plane, with no metric beyond x = 1.
MetricManifold walled_plane(double beyond) {
  return {2, "walled plane", [beyond](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
            for (Eigen::Index k = 0; k < Z.cols(); ++k) {
              M.middleCols(2 * k, 2) = Matrix::Identity(2, 2) * (Z(0, k) < 1 ? 1 : beyond);
            }
          }};
}

TEST(Exponential, StopsWhereTheMetricIsNotFinite) {
  const MetricManifold manifold = walled_plane(std::numeric_limits<double>::quiet_NaN());
  Workspace ws;
  const GeodesicFlow flow = exponential_flow(manifold, vec({0, 0}), vec({2, 0}), ws);
  EXPECT_EQ(flow.status, FlowStatus::kNotFinite);
  EXPECT_TRUE(flow.path.empty());
  EXPECT_THROW(exponential_map(manifold, vec({0, 0}), vec({2, 0})), Error);
  EXPECT_EQ(exponential_flow(manifold, vec({0, 0}), vec({0.5, 2}), ws).status, FlowStatus::kComplete);
}

TEST(Exponential, ExceptionsOfAMetricPassThrough) {
  struct Broken {};
  const MetricManifold manifold(2, "broken", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      if (Z(0, k) > 0.5) throw Broken();
      M.middleCols(2 * k, 2).setIdentity();
    }
  });
  Workspace ws;
  EXPECT_THROW(exponential_flow(manifold, vec({0, 0}), vec({1, 0}), ws), Broken);
}

TEST(Exponential, HonoursItsBounds) {
  const SphereCase c = sphere_cases()[0];
  const PullbackManifold manifold(c.generator);
  Workspace ws;
  EXPECT_EQ(exponential_flow(manifold, c.z, c.v, ws, {.max_steps = 3}).status, FlowStatus::kTooManySteps);
  int asked = 0;
  const auto stop = [&asked] { return ++asked == 5; };
  EXPECT_EQ(exponential_flow(manifold, c.z, c.v, ws, {.should_stop = stop}).status, FlowStatus::kStopped);
  EXPECT_EQ(asked, 5);
}

TEST(Exponential, RefusesWhatIsNotAPointAndAVelocity) {
  const PullbackManifold manifold(sphere());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_THROW(exponential_map(manifold, vec({nan, 0}), vec({1, 0})), std::invalid_argument);
  EXPECT_THROW(exponential_map(manifold, vec({1, 0}), vec({1, infinite})), std::invalid_argument);
  EXPECT_THROW(exponential_map(manifold, vec({1, 0, 0}), vec({1, 0})), std::invalid_argument);
  EXPECT_THROW(exponential_map(manifold, vec({1, 0}), vec({1})), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
