// What a solver has the library certify is not measured again when it returns it, and stands for nothing else.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "pullback/generators/formula/callback.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/solvers/certificate.h"
#include "stub_solver.h"

namespace pullback {
namespace {

using Counter = std::shared_ptr<std::int64_t>;

// A paraboloid of the given height, which counts the points that it is evaluated at.
GeodesicProblem paraboloid(double height, const Counter& points) {
  Callbacks callbacks;
  callbacks.value = [height, points](const ConstMatrixRef& Z) {
    *points += Z.cols();
    Matrix X(3, Z.cols());
    X << Z, height * Z.colwise().squaredNorm();
    return X;
  };
  GeodesicProblem problem;
  problem.manifold =
      std::make_shared<PullbackManifold>(std::make_shared<CallbackGenerator>(2, 3, std::move(callbacks)));
  problem.from = Vector{{0.5, 0.0}};
  problem.to = Vector{{0.0, 0.5}};
  return problem;
}

Curve arc() {
  Matrix nodes(2, 9);
  for (Eigen::Index i = 0; i < 9; ++i) {
    const double t = static_cast<double>(i) / 8;
    nodes.col(i) << 0.5 * (1 - t), 0.5 * t;
  }
  return Curve::through(nodes);
}

// The same but for the last bit of one number.
Curve nudged(const Curve& curve) {
  Matrix velocities = curve.velocities();
  velocities(0, 3) = std::nextafter(velocities(0, 3), std::numeric_limits<double>::infinity());
  return {curve.times(), curve.positions(), std::move(velocities)};
}

struct Solved {
  GeodesicResult result;
  std::int64_t points;  // evaluated, by the generator's own count
};

Solved solved(const StubSolver::Run& run) {
  const Counter points = std::make_shared<std::int64_t>(0);
  const GeodesicProblem problem = paraboloid(1, points);
  GeodesicResult result = stub_solver("stub", run)->solve(problem);
  return {std::move(result), *points};
}

RawSolution claimed(Curve curve) { return {std::move(curve), Termination::kConverged, "found", 1, {}}; }

Solved uncertified(const Curve& curve) {
  return solved([&](const GeodesicProblem&, SolveContext&) { return claimed(curve); });
}

std::int64_t evaluations(const EvaluationCounts& counts) {
  return counts.values + counts.jacobians + counts.second_derivatives + counts.products;
}

void expect_same(const GeodesicResult& a, const GeodesicResult& b) {
  EXPECT_EQ(a.termination, b.termination);
  EXPECT_EQ(a.message, b.message);
  const Certificate& x = a.certificate;
  const Certificate& y = b.certificate;
  for (const auto number :
       {&Certificate::length, &Certificate::length_error, &Certificate::numerical_error, &Certificate::energy,
        &Certificate::metric_length, &Certificate::disagreement, &Certificate::refinement, &Certificate::endpoint_error,
        &Certificate::speed_variation, &Certificate::residual, &Certificate::derivative_error,
        &Certificate::relative_excess, &Certificate::shortening, &Certificate::second_variation,
        &Certificate::second_variation_error, &Certificate::max_turning_angle}) {
    EXPECT_EQ(x.*number, y.*number);
  }
  EXPECT_EQ(x.condition.kappa_max, y.condition.kappa_max);
  EXPECT_EQ(x.condition.sigma_min, y.condition.sigma_min);
  EXPECT_EQ(x.shorter_known, y.shorter_known);
  EXPECT_TRUE(x.complete && y.complete);
}

TEST(CertifiedOnce, IsNotMeasuredAgainAndCountsAsTheCertificate) {
  const Solved plain = uncertified(arc());
  double seen = 0;
  const Solved certified = solved([&](const GeodesicProblem& problem, SolveContext& context) {
    seen = context.certify(problem, arc()).length;
    return claimed(arc());
  });
  EXPECT_EQ(certified.points, plain.points);
  EXPECT_EQ(seen, certified.result.certificate.length);
  expect_same(certified.result, plain.result);
  EXPECT_EQ(evaluations(certified.result.effort.evaluations), evaluations(plain.result.effort.evaluations));
  EXPECT_EQ(evaluations(certified.result.effort.certificate_evaluations),
            evaluations(plain.result.effort.certificate_evaluations));
}

// The last bit of one number makes another curve of it, which is measured; what the first took is the solver's.
TEST(CertifiedOnce, StandsForNoOtherCurve) {
  const Solved plain = uncertified(nudged(arc()));
  const Solved other = solved([](const GeodesicProblem& problem, SolveContext& context) {
    context.certify(problem, arc());
    return claimed(nudged(arc()));
  });
  EXPECT_GT(other.points, 1.9 * static_cast<double>(plain.points));
  expect_same(other.result, plain.result);
  EXPECT_GT(evaluations(other.result.effort.evaluations), evaluations(plain.result.effort.evaluations));
  EXPECT_EQ(evaluations(other.result.effort.certificate_evaluations),
            evaluations(plain.result.effort.certificate_evaluations));
}

// A flatter metric, on which the curve is a better one, and other ends, which it misses: neither is the problem's.
TEST(CertifiedOnce, StandsForNoOtherProblem) {
  const Solved plain = uncertified(arc());
  const Solved flatter = solved([](const GeodesicProblem&, SolveContext& context) {
    context.certify(paraboloid(0, std::make_shared<std::int64_t>(0)), arc());
    return claimed(arc());
  });
  expect_same(flatter.result, plain.result);

  Curve elsewhere = arc().transformed(Matrix::Identity(2, 2), Vector{{0.0, 0.1}});
  const Solved missing = uncertified(elsewhere);
  const Solved moved_ends = solved([&](GeodesicProblem problem, SolveContext& context) {
    problem.from += Vector{{0.0, 0.1}};
    problem.to += Vector{{0.0, 0.1}};
    context.certify(problem, elsewhere);
    return claimed(elsewhere);
  });
  EXPECT_GT(moved_ends.result.certificate.endpoint_error, 0);
  expect_same(moved_ends.result, missing.result);
}

}  // namespace
}  // namespace pullback
