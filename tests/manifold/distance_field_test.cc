#include "pullback/manifold/fields/distance_field.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/fields/selling.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

// Slope of the error over the spacing, from the coarsest to the finest; second order is 2.
constexpr double kSecondOrder = 1.7;

std::shared_ptr<const Manifold> surface(const std::string& name) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return std::make_shared<PullbackManifold>(registry.open(name).generator);
}

BoxGrid box_grid(const Vector& lower, const Vector& upper, int nodes) {
  const Eigen::Index n = lower.size();
  BoxGrid box{Matrix::Identity(n, n), Matrix::Identity(n, n), lower, (upper(0) - lower(0)) / (nodes - 1), {}};
  box.counts = ((upper - lower) / box.spacing).array().round().cast<int>() + 1;
  return box;
}

std::shared_ptr<const MetricGrid> metric_grid(const Manifold& manifold, const BoxGrid& box, double anisotropy = 10) {
  Workspace ws;
  MetricGridOptions options;
  options.anisotropy = anisotropy;
  return std::make_shared<const MetricGrid>(manifold, box, options, ws);
}

Matrix rotation(double angle) {
  return Matrix{{std::cos(angle), -std::sin(angle)}, {std::sin(angle), std::cos(angle)}};
}

// Root mean square of the field's error at the nodes.
double field_error(const DistanceField& field, const std::function<double(const Vector&)>& exact) {
  const BoxGrid& box = field.grid().box();
  double sum = 0;
  for (std::int64_t node = 0; node < box.size(); ++node) {
    const Vector z = box.points(box.indices(node).cast<double>());
    sum += std::pow(field.values()(node) - exact(z), 2);
  }
  return std::sqrt(sum / static_cast<double>(box.size()));
}

double path_length(const Manifold& manifold, const Matrix& path) {
  Workspace ws;
  Vector d(path.cols() - 1);
  manifold.chords(path, d, ws);
  return d.sum();
}

TEST(Selling, TakesMatricesApart) {
  for (const int n : {2, 3}) {
    for (const double anisotropy : {1.0, 3.0, 1e2, 1e4}) {
      Matrix Q = Matrix::Identity(n, n);
      Q.topLeftCorner(2, 2) = rotation(0.7);
      if (n == 3) Q.bottomRightCorner(2, 2) = (rotation(0.3) * Q.bottomRightCorner(2, 2)).eval();
      Vector lengths = Vector::Ones(n);
      lengths(0) = anisotropy;
      const Matrix D = Q * lengths.cwiseAbs2().asDiagonal() * Q.transpose();
      const SellingTerms terms = selling_terms(D);
      EXPECT_EQ(terms.count, n * (n + 1) / 2);
      Matrix sum = Matrix::Zero(n, n);
      for (std::size_t k = 0; k < static_cast<std::size_t>(terms.count); ++k) {
        EXPECT_GE(terms.weights[k], 0);
        const Vector e = terms.offsets[k].head(n).cast<double>();
        sum += terms.weights[k] * e * e.transpose();
      }
      // Offsets are as long as the anisotropy, and their squares cancel.
      EXPECT_LE((sum - D).norm(), 1e-12 * anisotropy * D.norm()) << n << " " << anisotropy;
    }
  }
}

TEST(DistanceField, IsOfSecondOrderOnTheSphere) {
  for (const int d : {2, 3}) {
    const auto sphere = surface("sphere-stereographic:d=" + std::to_string(d));
    const Vector source = Vector::LinSpaced(d, 0.13, 0.31);
    const auto exact = [&](const Vector& z) {
      return 2 * std::asin((z - source).norm() / std::sqrt((1 + z.squaredNorm()) * (1 + source.squaredNorm())));
    };
    double first = 0, error = 0;
    int halvings = -1;
    for (const int nodes : d == 2 ? std::vector{25, 49, 97} : std::vector{13, 25}) {
      Workspace ws;
      const DistanceField field(
          *sphere, metric_grid(*sphere, box_grid(Vector::Constant(d, -1), Vector::Constant(d, 1), nodes)), source, ws);
      error = field_error(field, exact);
      if (++halvings == 0) first = error;
    }
    EXPECT_GE(std::log2(first / error) / halvings, kSecondOrder) << d;
    EXPECT_LE(error, d == 2 ? 1e-3 : 2e-2) << d;
  }
}

TEST(DistanceField, IsOfSecondOrderInTheHalfPlane) {
  const auto plane = half_plane();
  const Vector source{{0.13, 1.2}};
  const auto exact = [&](const Vector& z) {
    return std::acosh(1 + (z - source).squaredNorm() / (2 * z(1) * source(1)));
  };
  double first = 0, error = 0;
  int halvings = -1;
  for (const int nodes : {25, 49, 97}) {
    Workspace ws;
    const DistanceField field(*plane, metric_grid(*plane, box_grid(Vector{{-2, 0.5}}, Vector{{2, 3}}, nodes)), source,
                              ws);
    error = field_error(field, exact);
    if (++halvings == 0) first = error;
    const Vector z{{1.8, 0.6}};
    EXPECT_NEAR(field.distance(z)(0), exact(z), 20 * std::pow(nodes, -2.0) * exact(z));
    const Matrix path = field.path(z);
    EXPECT_EQ(path.col(0), z);
    EXPECT_LE((path.rightCols(1) - source).norm(), 1e-14);
    EXPECT_NEAR(path_length(*plane, path), exact(z), 2e-3 * exact(z));
  }
  EXPECT_GE(std::log2(first / error) / halvings, kSecondOrder);
}

TEST(DistanceField, IsRightHoweverAnisotropicTheMetric) {
  for (const double anisotropy : {1.0, 3.0, 10.0, 50.0}) {
    const Matrix M = rotation(0.4) * Vector{{1, anisotropy * anisotropy}}.asDiagonal() * rotation(-0.4);
    const MetricManifold flat(
        2, "flat", [&](const ConstMatrixRef& Z, MatrixRef out, Workspace&) { out = M.replicate(1, Z.cols()); });
    const Vector source{{0.13, -0.2}};
    Workspace ws;
    const BoxGrid box = box_grid(Vector{{-1, -1}}, Vector{{1, 1}}, 97);
    const DistanceField field(flat, metric_grid(flat, box, 100), source, ws);
    const auto exact = [&](const Vector& z) { return std::sqrt((z - source).dot(M * (z - source))); };
    // The cone is exact; what is left comes from stencils that the box cuts off.
    EXPECT_LE(field_error(field, exact), 2e-3 * exact(Vector{{1, 1}})) << anisotropy;
  }
}

TEST(DistanceField, DoesNotDependOnTheChart) {
  // The same grid on the sphere, sheared: W = S makes the boxes one.
  const double s = 1e6;
  const auto plain = surface("sphere");
  const auto sheared = surface("sheared-sphere:s=1e6");
  const Vector lower{{0.8, -0.5}}, upper{{2.3, 2.5}};
  BoxGrid box = box_grid(lower, upper, 41);
  Workspace ws;
  const DistanceField a(*plain, metric_grid(*plain, box), Vector{{1.0, 0.0}}, ws);
  box.factor(0, 1) = s;
  const DistanceField b(*sheared, metric_grid(*sheared, box), Vector{{1.0, 0.0}}, ws);
  // Latent points are known to a rounding of s.
  EXPECT_LE((a.values() - b.values()).cwiseAbs().maxCoeff(), 1e2 * s * std::numeric_limits<double>::epsilon());
}

TEST(DistanceField, GoesRoundWhereTheMetricIsNotFinite) {
  // A wall at x = 0 with its upper end at y = 0.5.
  const MetricManifold walled(2, "walled", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      const bool wall = std::abs(Z(0, k)) < 0.05 && Z(1, k) < 0.5;
      M.middleCols(2 * k, 2) = Matrix::Identity(2, 2) * (wall ? std::nan("") : 1);
    }
  });
  Workspace ws;
  const auto grid = metric_grid(walled, box_grid(Vector{{-1, -1}}, Vector{{1, 1}}, 101));
  const DistanceField field(walled, grid, Vector{{-0.5, 0}}, ws);
  const Vector there{{0.5, 0}};
  const double round = 2 * std::hypot(0.45, 0.5) + 0.1;
  EXPECT_NEAR(field.distance(there)(0), round, 2 * grid->box().spacing);
  EXPECT_NEAR(path_length(walled, field.path(there)), round, 4 * grid->box().spacing);
  EXPECT_EQ(field.distance(Vector{{0, 0}})(0), std::numeric_limits<double>::infinity());
}

TEST(DistanceField, SeesAStepBetweenNodes) {
  // J does not see it, chords do.
  const auto step = surface("step:h=1");
  Workspace ws;
  const auto grid = metric_grid(*step, box_grid(Vector{{-1, -1}}, Vector{{1.02, 1}}, 102));
  const DistanceField field(*step, grid, Vector{{-0.5, 0}}, ws);
  // From a node to the next across the step: a chord of √(1 + h²), in place of h.
  EXPECT_NEAR(field.distance(Vector{{0.5, 0}})(0), 2, 0.05);
}

TEST(DistanceField, NothingIsReachedFromWhereThereIsNoMetric) {
  const auto plane = half_plane();
  Workspace ws;
  const auto grid = metric_grid(*plane, box_grid(Vector{{-1, -1}}, Vector{{1, 1}}, 21));
  const DistanceField field(*plane, grid, Vector{{0, -0.5}}, ws);
  EXPECT_TRUE((field.values().array() == std::numeric_limits<double>::infinity()).all());
  EXPECT_EQ(field.path(Vector{{0, 0.5}}).cols(), 0);
}

TEST(DistanceField, StopsWhenAsked) {
  const auto plane = half_plane();
  Workspace ws;
  MetricGridOptions options;
  options.should_stop = [] { return true; };
  const auto grid =
      std::make_shared<const MetricGrid>(*plane, box_grid(Vector{{-1, 0.5}}, Vector{{1, 2.5}}, 21), options, ws);
  EXPECT_FALSE(grid->complete());
  EXPECT_THROW(DistanceField(*plane, grid, Vector{{0, 1}}, ws), std::invalid_argument);
}

TEST(MetricGrid, RefusesWhatIsNoGrid) {
  const auto plane = half_plane();
  const BoxGrid good = box_grid(Vector{{-1, 0.5}}, Vector{{1, 2.5}}, 5);
  EXPECT_NO_THROW(metric_grid(*plane, good));
  BoxGrid box = good;
  box.spacing = 0;
  EXPECT_THROW(metric_grid(*plane, box), std::invalid_argument);
  box = good;
  box.counts(1) = 1;
  EXPECT_THROW(metric_grid(*plane, box), std::invalid_argument);
  box.counts = Eigen::Vector2i(5000, 5000);
  EXPECT_THROW(metric_grid(*plane, box), std::invalid_argument);
  EXPECT_THROW(metric_grid(*surface("sphere-stereographic:d=3"), good), std::invalid_argument);
  EXPECT_THROW(metric_grid(*plane, good, 0.5), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
