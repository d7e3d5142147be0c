// The solvers that run another one: whitened and continuation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "pullback/generators/combine/compose.h"
#include "pullback/plugins/continuation/continuation.h"
#include "pullback/plugins/whitened/whitened.h"
#include "tests/plugins/problems.h"
#include "tests/solvers/stub_solver.h"

namespace pullback {
namespace {

using ::testing::HasSubstr;
using testing::problem;
using testing::registries;
using testing::solve;
using testing::surface;
using ::testing::ThrowsMessage;
using testing::vec;

constexpr double kParaboloid = 1.929194426596;

// The paraboloid in a chart rotated by `angle` and squeezed to κ.
GeodesicProblem squeezed_paraboloid(double kappa, double angle) {
  Matrix Q(2, 2);
  Q << std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle);
  const auto manifold = std::make_shared<PullbackManifold>(
      std::make_shared<AffineInput>(registries().generators.open("paraboloid").generator,
                                    Q * Vector{{1, 1 / kappa}}.asDiagonal() * Q.transpose(), Vector::Zero(2)));
  const Matrix inverse = Q * Vector{{1, kappa}}.asDiagonal() * Q.transpose();
  return problem(manifold, inverse * vec({1, 0}), inverse * vec({std::cos(2.0), std::sin(2.0)}));
}

TEST(Whitened, ShowsTheInnerSolverAChartOfUnitMetric) {
  const GeodesicProblem squeezed = squeezed_paraboloid(1e6, 0.7);
  double mean_error = 1;
  auto inner = stub_solver("inner", [&](const GeodesicProblem& inside, SolveContext& context) {
    const Matrix M = inside.manifold->metric(inside.initial.position(uniform_times(33)));
    Matrix mean = Matrix::Zero(2, 2);
    for (int k = 0; k < 33; ++k) mean += M.middleCols(2 * k, 2) / 33;
    mean_error = (mean - Matrix::Identity(2, 2)).norm();
    EXPECT_EQ(inside.points.cols(), 1);
    EXPECT_LE((inside.points.col(0) - inside.to).norm(), 1e-8);
    context.met_curve(inside.initial);
    return RawSolution{inside.initial, Termination::kStalled, "as it came", 3, {}};
  });
  GeodesicProblem with_points = squeezed;
  with_points.points = squeezed.to;
  const GeodesicResult result = WhitenedSolver({}, std::move(inner)).solve(with_points);
  EXPECT_LE(mean_error, 1e-9);  // κε of rounding
  EXPECT_EQ(result.curve.positions().col(0), squeezed.from);
  EXPECT_EQ(Vector(result.curve.positions().rightCols(1)), squeezed.to);
  EXPECT_EQ(result.effort.iterations, 3);
  EXPECT_EQ(result.solver, "whitened(inner)");
  const Vector half{{0.5}};
  EXPECT_LE((result.curve.position(half) - 0.5 * (squeezed.from + squeezed.to)).norm(), 1e-9 * squeezed.to.norm());
}

// In trials of others, shooting solved none of six such problems.
TEST(Whitened, ShootingSolvesRotatedChartsOfConditionAMillion) {
  for (const char* solver : {"shooting", "whitened(shooting)"}) {
    for (int i = 0; i < 6; ++i) {
      const GeodesicResult result = solve(solver, squeezed_paraboloid(1e6, 0.2 + 0.5 * i));
      EXPECT_EQ(result.termination, Termination::kConverged) << solver << ": " << result.message;
      EXPECT_NEAR(result.certificate.length, kParaboloid, 1e-8 * kParaboloid) << solver;
    }
  }
}

TEST(Continuation, GoesDownToTheMetricItself) {
  const GeodesicProblem paraboloid = problem(surface("paraboloid"), vec({1, 0}), vec({0, 1}));
  const Matrix M = paraboloid.manifold->metric(paraboloid.from);
  std::vector<double> added;  // M_λ − M at the start, relative
  auto inner = stub_solver("inner", [&](const GeodesicProblem& inside, SolveContext&) {
    added.push_back((inside.manifold->metric(inside.from) - M).norm());
    // A detour that shrinks: the curve of the last λ is longer than the last.
    Matrix nodes = Curve::straight(inside.from, inside.to).position(uniform_times(33));
    const double detour = added.size() < 3 ? 0.3 : 0.2;
    for (int i = 0; i < 33; ++i) nodes(0, i) -= detour * std::sin(M_PI * i / 32);
    return RawSolution{Curve::through(nodes), Termination::kStalled, "a detour", 1, {}};
  });
  const GeodesicResult result = ContinuationSolver({1, 0.1, 0.1}, std::move(inner)).solve(paraboloid);
  ASSERT_EQ(added.size(), 3u);
  EXPECT_NEAR(added[1], 0.1 * added[0], 1e-12);
  EXPECT_EQ(added[2], 0);
  ASSERT_TRUE(result.certificate.condition.regularisation.has_value());
  EXPECT_GT(*result.certificate.condition.regularisation, 0.001);
  EXPECT_THAT(result.message, HasSubstr("the curve of λ = 0.1 is longer by"));
  EXPECT_EQ(result.effort.iterations, 3);
}

TEST(Continuation, EndsWhereTheMetricsOwnGeodesicIs) {
  const GeodesicResult result =
      solve("continuation(newton)", problem(surface("paraboloid"), vec({1, 0}), vec({std::cos(2.0), std::sin(2.0)})));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, kParaboloid, 1e-8 * kParaboloid);
  ASSERT_TRUE(result.certificate.condition.regularisation.has_value());
  // The last λ is 1e-4 of the mean metric; the length changes to second order in what the curve does.
  EXPECT_LE(std::abs(*result.certificate.condition.regularisation), 1e-6);
  EXPECT_GT(std::abs(*result.certificate.condition.regularisation), 1e-14);
}

TEST(Continuation, PassesOverADampedSolveThatFails) {
  auto inner = stub_solver("inner", [](const GeodesicProblem& inside, SolveContext&) -> RawSolution {
    return {Curve(), Termination::kNumericalFailure, "no luck in " + inside.manifold->name(), 1, {}};
  });
  const GeodesicResult result =
      ContinuationSolver({}, std::move(inner)).solve(problem(surface("plane"), vec({0, 0}), vec({1, 1})));
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_THAT(result.message, HasSubstr("no solve with a damped metric gave a curve"));
}

TEST(Continuation, RefusesARangeThatIsNone) {
  EXPECT_THAT([] { registries().solvers.make("continuation:first=1e-6,last=1e-3"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("'first' must be at least 'last'")));
}

}  // namespace
}  // namespace pullback
