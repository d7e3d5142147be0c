#include "pullback/plugins/georce/georce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "pullback/plugins/georce/control_problem.h"
#include "pullback/plugins/georce/schemes.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

// What the default accuracy makes of the option.
constexpr double kTolerance = 2e-8;

using ::testing::HasSubstr;
using testing::problem;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using testing::vec;

GeodesicProblem stereographic(int d) {
  return problem(surface("sphere-stereographic:d=" + std::to_string(d)), -Vector::LinSpaced(d, 0, 1),
                 Vector::Constant(d, 0.5));
}

double stereographic_length(const GeodesicProblem& p) {
  return 2 * std::asin((p.from - p.to).norm() / std::sqrt((1 + p.from.squaredNorm()) * (1 + p.to.squaredNorm())));
}

// The table of the paper: T = 100, ‖∇E‖₂ ≤ 1e-4, from the straight line.
TEST(Georce, ReproducesThePublishedIterations) {
  const std::vector<std::pair<int, int>> published{{2, 9}, {3, 45}, {5, 26}, {10, 17}, {20, 17}, {50, 13}};
  for (const auto& [d, iterations] : published) {
    const SolveControl control;
    Workspace ws;
    SolveContext context(control, ws);
    const GeodesicProblem p = stereographic(d);
    Matrix nodes = Curve::straight(p.from, p.to).position(uniform_times(101));
    const EnergyRun run = minimise_published(*p.manifold, nodes, {1e-4, 1000}, context);
    EXPECT_EQ(run.status, IterationStatus::kConverged);
    EXPECT_EQ(run.iterations, iterations) << "d = " << d;
  }
}

TEST(Georce, PublishedSchemeIsAnOption) {
  const GeodesicResult result = solve("georce:scheme=published,nodes=100", stereographic(3));
  EXPECT_EQ(result.effort.iterations, 45);
  // The energy of left end points is of first order, and its stopping rule coarse.
  EXPECT_NE(result.termination, Termination::kConverged) << result.message;
}

// A chart with another unit of length: the sphere's 9 iterations depend on it through the stopping rule alone.
TEST(Georce, PublishedGradientIsTheSameFromAMetricGivenDirectly) {
  const GeodesicProblem p = stereographic(2);
  const auto conformal =
      std::make_shared<MetricManifold>(2, "sphere", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
        for (Eigen::Index k = 0; k < Z.cols(); ++k) {
          M.middleCols(2 * k, 2) = 4 / std::pow(1 + Z.col(k).squaredNorm(), 2) * Matrix::Identity(2, 2);
        }
      });
  const Matrix start = Curve::straight(p.from, p.to).position(uniform_times(101));
  Matrix by_map = start;
  Matrix by_metric = start;
  const SolveControl control;
  Workspace ws;
  SolveContext context(control, ws);
  const EnergyRun map = minimise_published(*p.manifold, by_map, {1e-8, 1000}, context);
  const EnergyRun metric = minimise_published(*conformal, by_metric, {1e-8, 1000}, context);
  ASSERT_EQ(map.status, IterationStatus::kConverged);
  ASSERT_EQ(metric.status, IterationStatus::kConverged);
  EXPECT_EQ(map.iterations, metric.iterations);
  EXPECT_LE((by_map - by_metric).norm(), 1e-8);  // differences of the metric are good to 1e-10
}

// DᵀGD by hand, on roots that are ill-conditioned in the chart: κ² would be 1e24.
TEST(ControlProblem, SolvesTheNormalEquations) {
  const int n = 2;
  const int T = 5;
  for (const double squeeze : {1.0, 1e-12}) {
    Matrix roots(n, n * T);
    for (int t = 0; t < T; ++t) {
      roots.middleCols(n * t, n) << 1 + 0.3 * t, 0.2 * t * squeeze, 0, squeeze * (2 - 0.2 * t);
    }
    const Matrix q{{1, -2, 0.5, 3}, {0.3 * squeeze, squeeze, -squeeze, 2 * squeeze}};
    const Matrix move = ControlProblem(roots).solve(q);
    Matrix u = Matrix::Zero(n, T);
    u.leftCols(T - 1) += move;
    u.rightCols(T - 1) -= move;
    Matrix momenta(n, T);
    for (int t = 0; t < T; ++t) {
      const Matrix R = roots.middleCols(n * t, n);
      momenta.col(t) = R.transpose() * (R * u.col(t));
    }
    const Matrix error = momenta.leftCols(T - 1) - momenta.rightCols(T - 1) - q;
    EXPECT_LE(error.row(0).norm(), 1e-13 * q.row(0).norm());
    EXPECT_LE(error.row(1).norm(), 1e-13 * q.row(1).norm());
  }
}

TEST(Georce, IsExactOnSpheresOfAnyDimension) {
  for (const int d : {2, 5, 20}) {
    const GeodesicProblem p = stereographic(d);
    const GeodesicResult result = solve("georce", p);
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    // The tolerance on the excess, and what doubling by more than its estimate may leave.
    const double length = stereographic_length(p);
    EXPECT_NEAR(result.certificate.length, length, 10 * kTolerance * length);
  }
}

TEST(Georce, MemoryOfCurvatureSavesIterations) {
  const GeodesicResult with = solve("georce", stereographic(5));
  const GeodesicResult without = solve("georce:memory=0", stereographic(5));
  EXPECT_EQ(with.termination, Termination::kConverged);
  EXPECT_LT(2 * with.effort.iterations, without.effort.iterations);
}

TEST(Georce, DoesNotDependOnTheConditioningOfTheChart) {
  const double pi = std::numbers::pi;
  const int iterations = solve("georce", sphere_problem()).effort.iterations;
  for (const double s : {1.0, 1e3, 1e6}) {
    const auto manifold = surface("sheared-sphere:s=" + std::to_string(s));
    const GeodesicResult result = solve("georce", problem(manifold, vec({pi / 3, 0}), vec({2 * pi / 3 - 2 * s, 2})));
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.effort.iterations, iterations, 0.2 * iterations) << "s = " << s;
  }
}

// Nodes exact to O(K⁻²) give an excess of O(K⁻⁴). (On the sphere chords from node to node are exact by symmetry.)
TEST(Georce, ExcessIsOfFourthOrder) {
  std::vector<double> excess;
  for (const int nodes : {32, 64, 128}) {
    const std::string n = std::to_string(nodes);
    const GeodesicProblem p = problem(surface("torus:R=3,r=1"), vec({0.3, 0}), vec({1.2, 1.2}));
    const GeodesicResult result = solve("georce:energy_tolerance=1e-14,nodes=" + n + ",max_nodes=" + n, p);
    excess.push_back(result.certificate.relative_excess);
  }
  for (std::size_t i = 1; i < excess.size(); ++i) {
    EXPECT_NEAR(std::log2(excess[i - 1] / excess[i]), 4, 0.5) << excess[i - 1] << " " << excess[i];
  }
}

// The example of the plugin's README.
TEST(Georce, RunsAsInItsReadme) {
  const SolverRegistry& solvers = testing::registries().solvers;
  GeodesicProblem torus = problem(surface("torus:R=3,r=1"), vec({0, 0.2}), vec({0.5, 1.4}));
  const GeodesicResult result = solvers.make("georce:nodes=32")->solve(torus);
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_LT(result.certificate.length, 4.8);  // of the chart line: 0.5 along, 1.2 round a circle of at most 4
}

TEST(Georce, SaysWhenIterationsRunOut) {
  const GeodesicResult result = solve("georce:max_iterations=1", sphere_problem());
  EXPECT_EQ(result.termination, Termination::kMaxIterations);
  EXPECT_THAT(result.message, HasSubstr("raise max_iterations"));
  EXPECT_EQ(result.effort.iterations, 1);
}

TEST(Georce, SaysWhereTheMetricIsNotFinite) {
  const GeodesicResult result = solve("georce", problem(half_plane(), vec({0, 1}), vec({1, -1})));
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_THAT(result.message, HasSubstr("not finite"));
}

}  // namespace
}  // namespace pullback
