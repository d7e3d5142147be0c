#include "pullback/plugins/collocation/collocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "pullback/plugins/collocation/almost_block_diagonal.h"
#include "pullback/plugins/collocation/lobatto.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

// What the default accuracy makes of the option.
constexpr double kTolerance = 3e-4;

using ::testing::HasSubstr;
using testing::kSphereLength;
using testing::problem;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using testing::vec;

// What the solver promises of the length.
constexpr double kPromise = 1e-8;

Matrix random_matrix(Eigen::Index rows, Eigen::Index cols, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  Matrix out(rows, cols);
  for (double& x : out.reshaped()) x = normal(random);
  return out;
}

TEST(AlmostBlockDiagonal, SolvesWhatADenseFactorisationSolves) {
  std::mt19937_64 random(7);
  for (const Eigen::Index m : {1, 2, 5}) {
    const Eigen::Index n = 3;
    std::vector<Matrix> L, U;
    Matrix dense = Matrix::Zero(2 * n * m, 2 * n * m);
    Eigen::Index column = 0;
    for (Eigen::Index i = 0; i < m; ++i) {
      L.push_back(random_matrix(2 * n, i == 0 ? n : 2 * n, random));
      U.push_back(random_matrix(2 * n, i + 1 == m ? n : 2 * n, random));
      dense.block(2 * n * i, column, 2 * n, L.back().cols()) = L.back();
      column += L.back().cols();
      dense.block(2 * n * i, column, 2 * n, U.back().cols()) = U.back();
    }
    const Matrix b = random_matrix(2 * n, m, random);
    AlmostBlockDiagonal system;
    ASSERT_TRUE(system.factor(L, U));
    const Vector expected = dense.fullPivLu().solve(Vector(b.reshaped()));
    EXPECT_LE((system.solve(b) - expected).norm(), 1e-11 * expected.norm()) << m;
    L.back().setZero();
    U.back().setZero();
    EXPECT_FALSE(system.factor(L, U)) << m;
  }
}

// The largest distance in space of the nodes from the great circle between the ends at constant speed.
double sphere_error(const Manifold& sphere, const Curve& curve) {
  const Matrix X = sphere.generator()->value(curve.positions());
  const Vector a = X.leftCols(1);
  const Vector b = X.rightCols(1);
  const double angle = std::acos(a.dot(b));
  double worst = 0;
  for (Eigen::Index k = 0; k < X.cols(); ++k) {
    const double t = curve.times()(k);
    const Vector exact = (std::sin((1 - t) * angle) * a + std::sin(t * angle) * b) / std::sin(angle);
    worst = std::max(worst, (X.col(k) - exact).norm());
  }
  return worst;
}

struct OnMesh {
  MeshSolution solution;
  Curve curve;           // in the manifold's chart
  Vector residual;       // of each piece, relative to the length
  double mean_residual;  // root mean square
};

OnMesh solve_uniform(const GeodesicProblem& p, int intervals) {
  const SolveControl control;
  Workspace ws;
  SolveContext context(control, ws);
  const Curve line = Curve::straight(p.from, p.to);
  const WhitenedChart chart(p.manifold, line, ws);
  OnMesh out;
  out.solution =
      solve_on_mesh(chart, values_on(chart.to_chart(line), uniform_times(intervals + 1)), {1e-12, 50}, 0, context);
  if (out.solution.status != IterationStatus::kConverged) throw std::runtime_error("the mesh was not solved");
  out.curve = chart.from_chart(out.solution.curve, p.from, p.to);
  out.residual = chart.residuals(out.solution.curve, ws) / out.solution.length;
  out.mean_residual = out.residual.norm() / std::sqrt(static_cast<double>(intervals));
  return out;
}

TEST(Collocation, IsOfFourthOrder) {
  const GeodesicProblem sphere = sphere_problem();
  std::vector<double> errors, residuals;
  for (const int m : {16, 32, 64}) {
    const OnMesh at = solve_uniform(sphere, m);
    errors.push_back(sphere_error(*sphere.manifold, at.curve));
    residuals.push_back(at.mean_residual);
  }
  for (std::size_t i = 0; i + 1 < errors.size(); ++i) {
    EXPECT_NEAR(std::log2(errors[i] / errors[i + 1]), 4, 0.25) << errors[i];
    // The residual holds second derivatives of what is between the nodes, where one order is lost.
    EXPECT_NEAR(std::log2(residuals[i] / residuals[i + 1]), 3, 0.25) << residuals[i];
  }
}

TEST(Collocation, PutsNodesWhereTheGeodesicBends) {
  const GeodesicProblem near_pole = problem(surface("sphere"), vec({0.01, 0}), vec({0.01, 3}));
  const GeodesicResult result = solve("collocation", near_pole);
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, 0.01994989806828, kPromise * 0.02);
  // It passes the pole, at 1/14 of the distance of the ends, in the middle.
  const Vector& t = result.curve.times();
  Eigen::Index smallest = 0;
  Eigen::Index largest = 0;
  const Vector h = t.tail(t.size() - 1) - t.head(t.size() - 1);
  h.minCoeff(&smallest);
  h.maxCoeff(&largest);
  EXPECT_NEAR(t(smallest), 0.5, 0.1);
  EXPECT_GT(std::abs(t(largest) - 0.5), 0.2);
  EXPECT_GE(h(largest), 8 * h(smallest));
  // As many nodes at equal distances do worse, by far.
  Workspace ws;
  const WhitenedChart chart(near_pole.manifold, result.curve, ws);
  const SolveControl control;
  SolveContext context(control, ws);
  const MeshSolution uniform =
      solve_on_mesh(chart, values_on(chart.to_chart(result.curve), uniform_times(static_cast<int>(t.size()))),
                    {1e-9, 50}, 0, context);
  ASSERT_EQ(uniform.status, IterationStatus::kConverged);
  EXPECT_GE(chart.residuals(uniform.curve, ws).maxCoeff() / uniform.length, 10 * kTolerance);
}

TEST(Collocation, ResidualIsWithinTheTolerance) {
  const GeodesicProblem catenoid = problem(surface("catenoid"), vec({-1, 0}), vec({1, 1.5}));
  Eigen::Index pieces = 0;
  for (const char* tolerance : {"1e-2", "1e-4", "1e-6", "1e-8"}) {
    const GeodesicResult result = solve(std::string("collocation:intervals=4,tolerance=") + tolerance, catenoid);
    ASSERT_FALSE(result.curve.empty());
    Workspace ws;
    const WhitenedChart chart(catenoid.manifold, result.curve, ws);
    const Vector r = chart.residuals(chart.to_chart(result.curve), ws) / 2.924383491321;
    const Vector& t = result.curve.times();
    const double mean = std::sqrt((t.tail(r.size()) - t.head(r.size())).dot(r.cwiseAbs2()));
    // What rounding adds, with intervals of 1/100 and c̈ from second differences of positions of size 1, is 1e-11.
    EXPECT_LE(mean, std::stod(tolerance) * (1 + 1e-3) + 1e-11) << tolerance;
    EXPECT_GE(result.curve.pieces(), pieces);
    pieces = result.curve.pieces();
  }
  EXPECT_GT(pieces, 32);
}

TEST(Collocation, DoesNotDependOnTheConditioningOfTheChart) {
  const double pi = std::numbers::pi;
  const GeodesicResult plain = solve("collocation", sphere_problem());
  for (const double s : {1.0, 1e3, 1e6}) {
    const auto manifold = surface("sheared-sphere:s=" + std::to_string(s));
    const GeodesicResult result =
        solve("collocation", problem(manifold, vec({pi / 3, 0}), vec({2 * pi / 3 - 2 * s, 2})));
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.certificate.length, kSphereLength, kPromise * kSphereLength) << "s = " << s;
    EXPECT_EQ(result.effort.iterations, plain.effort.iterations) << "s = " << s;
    EXPECT_EQ(result.curve.pieces(), plain.curve.pieces()) << "s = " << s;
  }
}

TEST(Collocation, GoesBackTheSameWay) {
  const GeodesicProblem there =
      problem(surface("sphere-stereographic:d=5"), -Vector::LinSpaced(5, 0, 1), Vector::Constant(5, 0.5));
  GeodesicProblem back = there;
  std::swap(back.from, back.to);
  const GeodesicResult a = solve("collocation", there);
  const GeodesicResult b = solve("collocation", back);
  EXPECT_NEAR(a.certificate.length, 2.402574774576, kPromise * 2.4);
  const Vector t = uniform_times(65);
  EXPECT_LE((a.curve.position(t) - b.curve.reversed().position(t)).cwiseAbs().maxCoeff(), kTolerance);
}

TEST(Collocation, WorksOnAMetricGivenDirectly) {
  const GeodesicResult result = solve("collocation", problem(half_plane(), vec({0, 1}), vec({3, 2})));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, 1.924847300238, kPromise * 1.9);
}

TEST(Collocation, SaysWhenTheMeshMayNotGrow) {
  const GeodesicProblem near_pole = problem(surface("sphere"), vec({0.01, 0}), vec({0.01, 3}));
  const GeodesicResult result = solve("collocation:max_intervals=33", near_pole);
  EXPECT_EQ(result.termination, Termination::kStalled) << result.message;
  EXPECT_THAT(result.message, HasSubstr("on 32 intervals leaves a residual"));
  EXPECT_EQ(result.certificate.endpoint_error, 0);
}

TEST(Collocation, SaysWhenIterationsRunOut) {
  const GeodesicResult result = solve("collocation:relaxation=0,max_iterations=1,max_intervals=32", sphere_problem());
  EXPECT_EQ(result.termination, Termination::kMaxIterations);
  EXPECT_THAT(result.message, HasSubstr("raise max_iterations"));
}

TEST(Collocation, DoesNotClaimWhatItCannotSolve) {
  EXPECT_NE(solve("collocation", problem(surface("cusp"), vec({-1, 0}), vec({1, 1}))).termination,
            Termination::kConverged);
  const GeodesicResult fold = solve("collocation", problem(surface("relu-fold"), vec({-1, 0}), vec({1, 2})));
  EXPECT_THAT(fold.message, HasSubstr("does not see the kinks"));
  EXPECT_NE(fold.termination, Termination::kConverged);
}

TEST(Collocation, StopsBetweenSteps) {
  const std::int64_t all = solve("collocation:relaxation=0", sphere_problem()).effort.evaluations.jacobians;
  int asked = 0;
  SolveControl control;
  control.should_stop = [&asked] { return ++asked > 3; };
  const GeodesicResult result = solve("collocation:relaxation=0", sphere_problem(), control);
  EXPECT_EQ(result.termination, Termination::kStopped) << result.message;
  EXPECT_LT(result.effort.evaluations.jacobians, all);
}

TEST(Collocation, RefusesOptionsWithoutMeaning) {
  for (const char* chain : {"collocation:intervals=1", "collocation:tolerance=-1", "collocation:nodes=3"}) {
    EXPECT_THROW(testing::registries().solvers.make(chain), std::invalid_argument) << chain;
  }
}

}  // namespace
}  // namespace pullback
