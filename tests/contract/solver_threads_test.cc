// One solver and one manifold from many threads at once: every thread gets what one alone gets, to the last bit. The
// preset tsan runs this under the thread sanitizer (`make tsan`).
#include <gtest/gtest.h>

#include <barrier>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "pullback/generators/network/network.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/solvers/registry.h"

#include "cases.h"
#include "solvers_under_test.h"

namespace pullback {
namespace {

using testing::chains_under_test;
using testing::solvers_under_test;
using testing::test_name;

constexpr int kThreads = 8;

// z ↦ W₂ tanh(W₁ z), on the native engine.
GeodesicProblem problem_on_network() {
  const auto weights = [](int rows, int columns) {
    return Matrix::NullaryExpr(rows, columns, [columns](Eigen::Index i, Eigen::Index j) {
      return std::sin(1.0 + static_cast<double>(i * columns + j));
    });
  };
  Layer hidden{weights(8, 2), Vector::Zero(8), {ActivationKind::kTanh}};
  Layer output{weights(5, 8), Vector::Zero(5), {}};
  GeodesicProblem problem;
  problem.manifold = std::make_shared<PullbackManifold>(
      std::make_shared<Network>(std::vector<Layer>{std::move(hidden), std::move(output)}, "network"));
  problem.from = Vector{{0.2, 0.1}};
  problem.to = Vector{{0.9, -0.4}};
  return problem;
}

// A network, a map that is differentiated automatically, one of radial functions, a metric without a map, and a
// process: what a manifold may keep between evaluations differs between these.
GeodesicProblem problem_on(const std::string& name) {
  if (name == "Network") return problem_on_network();
  for (const testing::Case& known : testing::known_cases()) {
    if (known.name != name) continue;
    GeodesicProblem problem;
    problem.manifold = testing::case_manifold(known);
    problem.from = known.from;
    problem.to = known.to;
    return problem;
  }
  throw std::logic_error("no case is named " + name);
}

// All start at the same moment, so that what is made at the first use is made by several of them.
std::vector<GeodesicResult> solve_at_once(const GeodesicSolver& solver, const GeodesicProblem& problem) {
  std::vector<GeodesicResult> results(kThreads);
  std::barrier start(kThreads);
  {
    std::vector<std::jthread> threads;
    for (GeodesicResult& result : results) {
      threads.emplace_back([&] {
        start.arrive_and_wait();
        result = solver.solve(problem);
      });
    }
  }
  return results;
}

// NaN, where nothing was measured, is the same as NaN.
bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void expect_same(const GeodesicResult& result, const GeodesicResult& alone) {
  EXPECT_EQ(result.termination, alone.termination);
  EXPECT_EQ(result.message, alone.message);
  ASSERT_EQ(result.curve.empty(), alone.curve.empty());
  if (!alone.curve.empty()) {
    EXPECT_EQ(result.curve.times(), alone.curve.times());
    EXPECT_EQ(result.curve.positions(), alone.curve.positions());
    EXPECT_EQ(result.curve.velocities(), alone.curve.velocities());
  }
  const Certificate& certificate = result.certificate;
  EXPECT_PRED2(same, certificate.length, alone.certificate.length);
  EXPECT_PRED2(same, certificate.length_error, alone.certificate.length_error);
  EXPECT_PRED2(same, certificate.energy, alone.certificate.energy);
  EXPECT_PRED2(same, certificate.residual, alone.certificate.residual);
  EXPECT_PRED2(same, certificate.second_variation, alone.certificate.second_variation);
  EXPECT_EQ(certificate.shorter_known, alone.certificate.shorter_known);
  EXPECT_EQ(result.effort.evaluations.values, alone.effort.evaluations.values);
  EXPECT_EQ(result.effort.evaluations.jacobians, alone.effort.evaluations.jacobians);
  EXPECT_EQ(result.effort.evaluations.second_derivatives, alone.effort.evaluations.second_derivatives);
}

class SolverThreads : public ::testing::TestWithParam<std::tuple<std::string, const char*>> {};

TEST_P(SolverThreads, GetWhatOneAloneGets) {
  const auto& [chain, name] = GetParam();
  const auto solver = solvers_under_test().make(chain);
  const GeodesicProblem problem = problem_on(name);
  const std::vector<GeodesicResult> results = solve_at_once(*solver, problem);
  const GeodesicResult alone = solver->solve(problem);
  for (const GeodesicResult& result : results) expect_same(result, alone);
}

INSTANTIATE_TEST_SUITE_P(
    All, SolverThreads,
    ::testing::Combine(::testing::ValuesIn(chains_under_test()),
                       ::testing::Values("Network", "Paraboloid", "HalfPlane", "RadialNetwork", "GaussianProcess")),
    [](const auto& info) { return test_name(std::get<0>(info.param)) + "_" + std::get<1>(info.param); });

}  // namespace
}  // namespace pullback
