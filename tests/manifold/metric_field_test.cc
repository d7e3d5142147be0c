#include "pullback/manifold/metrics/metric_field.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "pullback/manifold/metrics/metric_functor.h"
#include "pullback/manifold/metrics/named_metrics.h"

namespace pullback {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The half-plane known by its numbers alone.
MetricManifold half_plane_of_numbers() {
  return {2, "numbers", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
            for (Eigen::Index k = 0; k < Z.cols(); ++k) {
              const double y = Z(1, k);
              M.middleCols(2 * k, 2) = (y > 0 ? 1 / (y * y) : kNan) * Matrix::Identity(2, 2);
            }
          }};
}

// ẍ = 2ẋẏ/y, ÿ = (ẏ² − ẋ²)/y.
Vector half_plane_acceleration(const Vector& z, const Vector& v) {
  return Vector{{2 * v(0) * (v(1) / z(1)), (v(1) - v(0)) * ((v(1) + v(0)) / z(1))}};
}

Vector acceleration(const Manifold& manifold, const Vector& z, const Vector& v) {
  Workspace ws;
  Vector a(z.size());
  manifold.acceleration(z, v, a, ws);
  return a;
}

double acceleration_error(const Manifold& manifold, const Vector& z, const Vector& v) {
  Workspace ws;
  Vector e(1);
  manifold.acceleration_error(z, v, e, ws);
  return e(0);
}

std::vector<Vector> half_plane_points() {
  std::vector<Vector> out;
  for (const double y : {1e-150, 1e-20, 3e-5, 1.0, 1e20, 1e150}) out.push_back(Vector{{0.3 * y, y}});
  out.push_back(Vector{{3333.0, 1.0}});
  out.push_back(Vector{{1e6, 1.0}});
  return out;
}

TEST(MetricFunctorTest, HalfPlaneAccelerationIsTheClosedFormAtEveryScale) {
  for (const Vector& z : half_plane_points()) {
    const Vector v = z(1) * Vector{{0.3, -0.4}};
    const Vector expected = half_plane_acceleration(z, v);
    EXPECT_LE((acceleration(*half_plane(), z, v) - expected).stableNorm(), 1e-14 * expected.stableNorm()) << z;
    EXPECT_EQ(acceleration_error(*half_plane(), z, v), 0);
  }
  EXPECT_EQ(half_plane()->second_derivative(), Derivative::kExact);
  EXPECT_TRUE(std::isnan(acceleration(*half_plane(), Vector{{0.0, -1.0}}, Vector{{1.0, 0.0}})(0)));
}

TEST(MetricOfNumbersTest, StepsSuitTheScaleOfTheHalfPlane) {
  const MetricManifold manifold = half_plane_of_numbers();
  EXPECT_EQ(manifold.second_derivative(), Derivative::kFiniteDifference);
  for (const Vector& z : half_plane_points()) {
    if (std::abs(std::log10(z(1))) > 100) continue;  // M is squared once more in between
    const Vector v = z(1) * Vector{{0.3, -0.4}};
    const Vector off = (acceleration(manifold, z, v) - half_plane_acceleration(z, v)) / z(1);
    EXPECT_LE(off.norm(), 1e-9) << z;
    const double bound = acceleration_error(manifold, z, v);
    EXPECT_LE(off.norm(), bound + 1e-15) << z;
    EXPECT_LE(bound, 1e-8) << z;
  }
}

// M = 2 + sin(kx) changes on the scale 1/k, which the metric's own unit of length knows nothing of.
TEST(MetricOfNumbersTest, StepsSuitAMetricThatChangesOnAnyScale) {
  for (const double k : {1e-6, 1e-3, 1.0, 30.0, 1e3, 1e6, 1e9}) {
    const MetricManifold manifold(
        1, "wave", [k](const ConstMatrixRef& Z, MatrixRef M, Workspace&) { M = (2 + (k * Z.array()).sin()).matrix(); });
    const double x = 0.4 / k;
    const double v = 0.7;
    const double expected = -0.5 * k * std::cos(k * x) * v * v / (2 + std::sin(k * x));
    const double off = std::abs(acceleration(manifold, Vector{{x}}, Vector{{v}})(0) - expected);
    const double unit = std::sqrt(2 + std::sin(k * x));
    EXPECT_LE(off, 1e-8 * std::max(1.0, std::abs(expected))) << k;
    EXPECT_LE(off * unit, acceleration_error(manifold, Vector{{x}}, Vector{{v}}) + 1e-15) << k;
    EXPECT_LE(acceleration_error(manifold, Vector{{x}}, Vector{{v}}), 1e-7 * std::max(1.0, std::abs(expected))) << k;
  }
}

TEST(MetricOfNumbersTest, StaysInsideOfTheDomain) {
  for (const double distance : {1e-1, 1e-3, 1e-6, 1e-9, 0.0}) {
    const MetricManifold manifold(1, "edge", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
      for (Eigen::Index k = 0; k < Z.cols(); ++k) M(0, k) = Z(0, k) >= 1 ? std::exp(Z(0, k)) : kNan;
    });
    const double off = std::abs(acceleration(manifold, Vector{{1 + distance}}, Vector{{1.0}})(0) + 0.5);
    EXPECT_LE(off, 1e-7) << distance;
    EXPECT_LE(off, acceleration_error(manifold, Vector{{1 + distance}}, Vector{{1.0}})) << distance;
  }
}

// Where no difference can be right the error says so: here M has noise of 1e-6.
TEST(MetricOfNumbersTest, ErrorIsSeenWhereDifferencesFail) {
  const MetricManifold noisy(1, "noisy", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      M(0, k) = std::exp(Z(0, k)) + 1e-6 * std::sin(1e12 * Z(0, k));
    }
  });
  const double off = std::abs(acceleration(noisy, Vector{{0.3}}, Vector{{1.0}})(0) + 0.5);
  EXPECT_LE(off, 1e-3);
  EXPECT_LE(off, acceleration_error(noisy, Vector{{0.3}}, Vector{{1.0}}));
}

TEST(MetricOfNumbersTest, CostsSixMetricsADirectionWhereTheFirstStepIsGood) {
  const MetricManifold manifold = half_plane_of_numbers();
  Matrix Z(2, 10);
  for (Eigen::Index k = 0; k < 10; ++k) Z.col(k) = Vector{{0.1 * static_cast<double>(k), 1.0}};
  Matrix A(2, 10);
  Workspace ws;
  manifold.acceleration(Z, Matrix::Ones(2, 10), A, ws);
  EXPECT_LE(ws.counts().metrics, 10 * (2 + 6 * 2));
}

struct Plane {
  const char* name;
  Vector z;
  double curvature;
};

// Brioschi's formula, from E = M_uu, F = M_uv, G = M_vv and their derivatives.
double gaussian_curvature(const MetricField& field, const Vector& z) {
  Workspace ws;
  const Matrix I = Matrix::Identity(2, 2);
  Matrix M(2, 2);
  Matrix B(2, 4);
  field.first(z, I, I, M, B, ws);
  const auto second = [&](const Vector& y) {
    Matrix C(2, 2);
    field.second(z, I, y, C, ws);
    return C;
  };
  const Matrix E = second(Vector{{1.0, 0.0}});
  const Matrix G = second(Vector{{0.0, 1.0}});
  const Matrix F = 0.5 * (second(Vector{{1.0, 1.0}}) - E - G);
  const double Eu = B(0, 0), Ev = B(0, 2), Fu = B(0, 1), Fv = B(0, 3), Gu = B(1, 1), Gv = B(1, 3);
  Eigen::Matrix3d one;
  one << -0.5 * E(1, 1) + F(0, 1) - 0.5 * G(0, 0), 0.5 * Eu, Fu - 0.5 * Ev,  //
      Fv - 0.5 * Gu, M(0, 0), M(0, 1),                                       //
      0.5 * Gv, M(0, 1), M(1, 1);
  Eigen::Matrix3d two;
  two << 0, 0.5 * Ev, 0.5 * Gu, 0.5 * Ev, M(0, 0), M(0, 1), 0.5 * Gu, M(0, 1), M(1, 1);
  return (one.determinant() - two.determinant()) / std::pow(M.determinant(), 2);
}

TEST(NamedMetricsTest, HaveTheirCurvature) {
  for (const Plane& plane :
       {Plane{"half-plane", Vector{{0.3, 0.7}}, -1}, Plane{"half-space:n=2", Vector{{3.0, 2.0}}, -1},
        Plane{"poincare-disc", Vector{{0.3, -0.6}}, -1}, Plane{"klein-disc", Vector{{0.3, -0.6}}, -1},
        Plane{"klein-ball:n=2", Vector{{0.0, 0.9}}, -1}, Plane{"fisher-normal", Vector{{1.0, 0.4}}, -0.5},
        Plane{"fisher-categorical", Vector{{0.2, 0.5}}, 0.25}}) {
    const auto manifold = std::dynamic_pointer_cast<const MetricManifold>(open_named_metric(plane.name));
    ASSERT_NE(manifold, nullptr) << plane.name;
    EXPECT_EQ(manifold->name(), plane.name);
    EXPECT_NEAR(gaussian_curvature(*manifold->field(), plane.z), plane.curvature, 1e-12) << plane.name;
    const MetricManifold numbers(
        2, "numbers", [&](const ConstMatrixRef& Z, MatrixRef M, Workspace& ws) { manifold->metric(Z, M, ws); });
    EXPECT_NEAR(gaussian_curvature(*numbers.field(), plane.z), plane.curvature, 1e-5) << plane.name;
  }
}

TEST(NamedMetricsTest, OpenByNameAndRefuseWhatTheyDoNotKnow) {
  EXPECT_EQ(open_named_metric("half-space")->dimension(), 3);
  EXPECT_EQ(open_named_metric("half-space:n=5")->dimension(), 5);
  EXPECT_EQ(open_named_metric("poincare-ball:n=1")->dimension(), 1);
  EXPECT_EQ(open_named_metric("torus"), nullptr);
  for (const char* wrong : {"half-plane:n=2", "half-space:n=1", "half-space:n=", "half-space:", "half-space:n=2.5",
                            "half-space:m=3", "klein-ball:n=99999999999", "klein-ball:n=-1", "klein-ball:n=3,n=3"}) {
    EXPECT_THROW(open_named_metric(wrong), std::invalid_argument) << wrong;
  }
  for (const NamedMetric& metric : named_metrics()) {
    EXPECT_EQ(open_named_metric(metric.name)->dimension(), metric.dimension) << metric.name;
  }
}

TEST(NamedMetricsTest, AreNanOutsideOfTheirDomain) {
  for (const auto& [name, z] :
       std::vector<std::pair<std::string, Vector>>{{"half-plane", Vector{{0.0, 0.0}}},
                                                   {"poincare-disc", Vector{{1.0, 0.0}}},
                                                   {"klein-disc", Vector{{0.9, 0.9}}},
                                                   {"fisher-normal", Vector{{0.0, -1.0}}},
                                                   {"fisher-categorical", Vector{{0.6, 0.6}}},
                                                   {"fisher-categorical", Vector{{-0.1, 0.6}}}}) {
    EXPECT_FALSE(open_named_metric(name)->metric(z).allFinite()) << name;
  }
}

// Given as M, as a frame, and as the mean of a field with itself, the metric is the same.
TEST(MetricFieldTest, MetricFrameAndMeanAgree) {
  const auto frame = frame_field(3, 2, [](const auto& z, auto& W) {
    W(0, 0) = 1.0 + z(0) * z(1);
    W(1, 0) = sin(z(1));
    W(2, 1) = exp(z(0));
    W(0, 1) = z(1);
  });
  const auto metric = metric_field(2, [](const auto& z, auto& M) {
    const auto a = 1.0 + z(0) * z(1);
    M(0, 0) = a * a + sin(z(1)) * sin(z(1));
    M(0, 1) = a * z(1);
    M(1, 0) = M(0, 1);
    M(1, 1) = exp(2.0 * z(0)) + z(1) * z(1);
  });
  const auto mean = mean_field(frame, Matrix::Zero(2, 3));
  const Matrix X{{0.3, -0.2}, {0.7, 0.5}};
  const Matrix U{{1.0, 0.3, 0.5, -0.4}, {0.2, -0.8, 0.1, 0.9}};
  const Matrix Y{{0.4, 1.0, 0.7, -0.4}, {0.6, 0.2, 0.3, 0.2}};
  Workspace ws;
  Matrix F(2, 4);
  Matrix B(2, 8);
  Matrix C(2, 4);
  frame->first(X, U, Y, F, B, ws);
  frame->second(X, U, Y.leftCols(2), C, ws);
  for (const auto& other : {metric, mean, metric_of_numbers(2, [&](const ConstMatrixRef&Z, MatrixRef M, Workspace&w) {
                              metric->metric(Z, M, w);
                            })}) {
    const double tolerance = other->derivatives() == Derivative::kExact ? 1e-14 : 1e-7;
    Matrix F2(2, 4);
    Matrix B2(2, 8);
    Matrix C2(2, 4);
    other->first(X, U, Y, F2, B2, ws);
    other->second(X, U, Y.leftCols(2), C2, ws);
    EXPECT_LE((F2 - F).norm(), 1e-14 * F.norm());
    EXPECT_LE((B2 - B).norm(), tolerance * B.norm());
    EXPECT_LE((C2 - C).norm(), 10 * tolerance * C.norm());
  }
}

TEST(MetricFieldTest, RefusesWhatDoesNotFit) {
  const auto map = make_generator(2, 3, [](const auto* z, auto* x) { x[0] = z[0]; });
  EXPECT_THROW(metric_of_map(nullptr, MetricForm::kMetric), std::invalid_argument);
  EXPECT_THROW(metric_of_map(map, MetricForm::kMetric), std::invalid_argument);
  EXPECT_THROW(metric_of_map(map, MetricForm::kFrame), std::invalid_argument);
  EXPECT_THROW(metric_of_numbers(2, nullptr), std::invalid_argument);
  EXPECT_THROW(mean_field(nullptr, Matrix::Zero(2, 1)), std::invalid_argument);
  EXPECT_THROW(
      mean_field(metric_of_map(make_generator(2, 4, [](const auto* z, auto* x) { x[0] = z[0]; }), MetricForm::kMetric),
                 Matrix::Zero(3, 1)),
      std::invalid_argument);
  EXPECT_THROW(metric_field(0, [](const auto&, auto&) {}), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
