// What a caller may ask of one solve: an accuracy, to be told of iterations, a workspace of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/generators/generator_registry.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "tests/solvers/stub_solver.h"

namespace pullback {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Along the equator of the unit sphere, (ϑ, φ) from (π/2, 0) to (π/2, 1).
GeodesicProblem equator() {
  GeneratorRegistry generators;
  register_surfaces(generators);
  return {std::make_shared<PullbackManifold>(generators.open("sphere").generator),
          Vector{{M_PI / 2, 0.0}},
          Vector{{M_PI / 2, 1.0}},
          {},
          {}};
}

// Claims ϑ = π/2 + a sin(πt), which is longer than the equator by a² (π² − 1)/4, after three iterations.
std::unique_ptr<GeodesicSolver> bent(double a) {
  return stub_solver("bent", [a](const GeodesicProblem& problem, SolveContext& context) {
    const Vector t = uniform_times(65);
    Matrix nodes(2, t.size());
    for (Eigen::Index i = 0; i < t.size(); ++i) nodes.col(i) << M_PI / 2 + a * std::sin(M_PI * t(i)), t(i);
    nodes.rightCols(1) = problem.to;
    for (int k = 1; k <= 3; ++k) context.record(k, 1 + 1.0 / k);
    RawSolution out;
    out.curve = with_geodesic_accelerations(*problem.manifold, Curve::through(nodes), context.workspace());
    out.claim = Termination::kConverged;
    out.iterations = 3;
    return out;
  });
}

TEST(SolveControlTest, AccuracyDecidesWhatIsConverged) {
  struct Case {
    double bend;
    double accuracy;
    bool converges;
  };
  // The curves are too long by 9e-8, 9e-6 and 9e-4; a fifth of the accuracy is allowed.
  for (const Case& c : {Case{2e-4, 1e-6, true}, Case{2e-4, 1e-7, false}, Case{2e-3, 1e-6, false},
                        Case{2e-3, 1e-4, true}, Case{2e-2, 1e-4, false}, Case{2e-2, 1e-2, true}}) {
    SolveControl control;
    control.accuracy = c.accuracy;
    const GeodesicResult result = bent(c.bend)->solve(equator(), control);
    EXPECT_EQ(result.termination == Termination::kConverged, c.converges) << c.bend << ' ' << c.accuracy;
    EXPECT_NEAR(result.certificate.relative_excess, c.bend * c.bend * (M_PI * M_PI - 1) / 4,
                0.02 * c.bend * c.bend * (M_PI * M_PI - 1) / 4);
  }
}

TEST(SolveControlTest, RefusesAnAccuracyOutsideItsRange) {
  for (const double accuracy : {0.0, -1e-6, 1e-13, 0.1, std::numeric_limits<double>::quiet_NaN()}) {
    SolveControl control;
    control.accuracy = accuracy;
    EXPECT_THAT([&] { bent(0)->solve(equator(), control); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("'accuracy' must be from 1e-12 to 0.01")));
  }
}

TEST(SolveControlTest, TellsOfEveryIterationAsItHappens) {
  std::vector<TraceEntry> told;
  SolveControl control;
  control.on_iteration = [&](const TraceEntry& entry) { told.push_back(entry); };
  const GeodesicResult result = bent(0)->solve(equator(), control);
  ASSERT_EQ(told.size(), 3U);
  for (std::size_t k = 0; k < told.size(); ++k) {
    EXPECT_EQ(told[k].iteration, static_cast<int>(k) + 1);
    EXPECT_EQ(told[k].length, result.trace[k].length);
    EXPECT_EQ(told[k].seconds, result.trace[k].seconds);
  }
  control.on_iteration = [](const TraceEntry& entry) {
    if (entry.iteration == 2) throw std::runtime_error("enough");
  };
  const GeodesicResult ended = bent(0)->solve(equator(), control);
  EXPECT_EQ(ended.termination, Termination::kNumericalFailure);
  EXPECT_THAT(ended.message, HasSubstr("enough"));
  EXPECT_EQ(ended.trace.size(), 2U);
}

TEST(SolveControlTest, CountsOnlyThisSolveInACallersWorkspace) {
  const GeodesicResult alone = bent(1e-4)->solve(equator());
  Workspace workspace;
  SolveControl control;
  control.workspace = &workspace;
  for (int k = 0; k < 2; ++k) {
    const GeodesicResult result = bent(1e-4)->solve(equator(), control);
    EXPECT_EQ(result.effort.evaluations.jacobians, alone.effort.evaluations.jacobians);
    EXPECT_EQ(result.effort.certificate_evaluations.values, alone.effort.certificate_evaluations.values);
    EXPECT_EQ(result.certificate.length, alone.certificate.length);
  }
  EXPECT_EQ(workspace.counts().values,
            2 * (alone.effort.evaluations.values + alone.effort.certificate_evaluations.values));
}

}  // namespace
}  // namespace pullback
