#include "pullback/plugins/auto/auto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>

#include "pullback/generators/combine/compose.h"
#include "pullback/solvers/certificate.h"
#include "tests/contract/cases.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

using testing::Case;
using testing::case_manifold;
using testing::CaseKind;
using ::testing::HasSubstr;
using testing::known_cases;
using testing::kSphereLength;
using testing::problem;
using testing::registries;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using ::testing::ThrowsMessage;
using testing::vec;

constexpr double kPi = std::numbers::pi;
// Digits to which the known answers are written.
constexpr double kAnswerTolerance = 2e-10;

// Where the straight start is a geodesic that is not the shortest, the shorter curve is found, and called converged.
TEST(Auto, EndsEverySaddleOnTheShorterCurve) {
  int saddles = 0;
  for (const Case& c : known_cases()) {
    if (c.kind != CaseKind::kSaddle) continue;
    ++saddles;
    const GeodesicResult result = solve("auto", problem(case_manifold(c), c.from, c.to));
    EXPECT_EQ(result.termination, Termination::kConverged) << c.name << ": " << result.message;
    EXPECT_NEAR(result.certificate.length, c.shortest, (1e-8 + kAnswerTolerance) * c.shortest) << c.name;
  }
  EXPECT_GE(saddles, 3);
}

// Without a graph there is only the straight line, a saddle: it is left by its second variation alone.
TEST(Auto, LeavesASaddleWithoutAGraph) {
  SolverRegistry local;
  GeneratorRegistry generators;
  for (const char* name : {"auto", "newton"}) {
    SolverEntry entry = registries().solvers.entries().find(name)->second;
    local.add(std::move(entry));
  }
  const auto solver = local.make("auto");
  const GeodesicResult result = solver->solve(problem(surface("paraboloid"), vec({1, 0}), vec({-1, 0})));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, 2.829043600, 1e-8);
}

// A local solver that makes every curve longer: a detour through the middle, which nothing is claimed of.
class Detour final : public GeodesicSolver {
 public:
  Detour() : GeodesicSolver("newton") {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& /*context*/) const override {
    const Vector middle = 0.5 * (problem.from + problem.to) + Vector::Constant(problem.from.size(), 3);
    Matrix nodes(problem.from.size(), 3);
    nodes << problem.from, middle, problem.to;
    RawSolution out;
    out.curve = Curve::through(nodes);
    out.claim = Termination::kStalled;
    return out;
  }
};

TEST(Auto, ReturnsItsStartWhereEverySolverMadeItLonger) {
  SolverRegistry local;
  local.add(SolverEntry(registries().solvers.entries().find("auto")->second));
  SolverEntry entry = registries().solvers.entries().find("newton")->second;  // for its options
  entry.make = [](const SolverRecipe&) { return std::make_unique<Detour>(); };
  local.add(std::move(entry));
  const GeodesicResult result = local.make("auto")->solve(problem(surface("plane"), vec({0, 0}), vec({1, 0})));
  EXPECT_NE(result.termination, Termination::kConverged);
  EXPECT_NEAR(result.certificate.length, 1, 1e-12);
  EXPECT_THAT(result.message, HasSubstr("no solver made it shorter"));
  ASSERT_FALSE(result.certificate.shorter_known);
}

// Newton's 1,024 chords leave this geodesic 2e-6 too long, as the certificate tells.
TEST(Auto, TakesMoreChordsForASharpBend) {
  SolverRegistry local;
  for (const char* name : {"auto", "newton"}) local.add(SolverEntry(registries().solvers.entries().find(name)->second));
  const GeodesicProblem needle = problem(surface("bump:h=1,w=0.001"), vec({-1, 0.0005}), vec({1, 0.0005}));
  EXPECT_EQ(local.make("newton")->solve(needle).termination, Termination::kStalled);
  const GeodesicResult result = local.make("auto:relaxation=0")->solve(needle);
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, 2.0000166879, 2e-8);
}

// Another solver's curve, but for the last bit of one number.
class Nudged final : public GeodesicSolver {
 public:
  explicit Nudged(std::unique_ptr<const GeodesicSolver> inner) : GeodesicSolver("nudged"), inner_(std::move(inner)) {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& context) const override {
    RawSolution out = run_other(*inner_, problem, context);
    Matrix velocities = out.curve.velocities();
    velocities(0, 1) = std::nextafter(velocities(0, 1), INFINITY);
    out.curve = Curve(out.curve.times(), out.curve.positions(), velocities, out.curve.accelerations());
    return out;
  }

  std::unique_ptr<const GeodesicSolver> inner_;
};

std::int64_t all_evaluations(const GeodesicResult& result) {
  EvaluationCounts counts = result.effort.evaluations;
  counts += result.effort.certificate_evaluations;
  return counts.values + counts.jacobians + counts.second_derivatives;
}

// The curve that it chose is certified already: returning any other one costs just one certificate more.
TEST(Auto, CertifiesItsCurveOnce) {
  const GeodesicProblem sphere = sphere_problem();
  const GeodesicResult result = solve("auto", sphere);
  const GeodesicResult other = Nudged(registries().solvers.make("auto")).solve(sphere);
  Workspace ws;
  const Certificate again = measure_certificate(*sphere.manifold, result.curve, sphere.from, sphere.to, ws);
  EXPECT_EQ(again.length, result.certificate.length);
  EXPECT_EQ(again.residual, result.certificate.residual);
  EXPECT_EQ(again.second_variation, result.certificate.second_variation);
  const EvaluationCounts& once = ws.counts();
  EXPECT_EQ(all_evaluations(other) - all_evaluations(result), once.values + once.jacobians + once.second_derivatives);
  EXPECT_GE(result.effort.certificate_evaluations.jacobians, once.jacobians);
}

// Where the straight line leads to a geodesic, that is compared with a few paths and no more is done.
TEST(Auto, CostsLittleMoreThanNewtonWhereThatSucceeds) {
  for (const GeodesicProblem& each : {sphere_problem(), problem(surface("catenoid"), vec({-1, 0}), vec({1, 1.5}))}) {
    const GeodesicResult newton = solve("newton", each);
    const GeodesicResult result = solve("auto", each);
    ASSERT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_THAT(result.message, HasSubstr("newton from the initial curve"));
    EXPECT_LT(all_evaluations(result), all_evaluations(newton) + 3000);
  }
}

// Nothing is shorter than the line between the images of the ends.
TEST(Auto, ComparesNothingWhereNothingCanBeShorter) {
  const GeodesicProblem flat = problem(surface("plane"), vec({0, 0}), vec({1, 2}));
  EXPECT_LT(all_evaluations(solve("auto", flat)), all_evaluations(solve("newton", flat)) + 200);
}

// A solve that is stopped soon has tried newton from the straight line before all else.
TEST(Auto, TriesNewtonFromTheStraightLineFirst) {
  const GeodesicProblem sphere = sphere_problem();
  Workspace ws;
  SolveControl control;
  control.workspace = &ws;
  const std::int64_t newton = all_evaluations(solve("newton", sphere));
  control.should_stop = [&] {
    return ws.counts().values + ws.counts().jacobians + ws.counts().second_derivatives > newton + 100;
  };
  const GeodesicResult result = solve("auto", sphere, control);
  EXPECT_THAT(result.message, HasSubstr("newton from the initial curve"));
  EXPECT_NEAR(result.certificate.length, kSphereLength, 1e-7);
}

TEST(Auto, FollowsTheAccuracyAskedFor) {
  SolveControl rough;
  rough.accuracy = 1e-4;
  SolveControl fine;
  fine.accuracy = 1e-10;
  const GeodesicResult less = solve("auto", sphere_problem(), rough);
  const GeodesicResult more = solve("auto", sphere_problem(), fine);
  EXPECT_EQ(less.termination, Termination::kConverged) << less.message;
  EXPECT_EQ(more.termination, Termination::kConverged) << more.message;
  EXPECT_NEAR(less.certificate.length, kSphereLength, 1e-4 * kSphereLength);
  EXPECT_NEAR(more.certificate.length, kSphereLength, 4e-10 * kSphereLength);
  // The curve of so simple a sphere is exact on the first chords that are enough for either; what is measured is not.
  EXPECT_LT(less.effort.certificate_evaluations.jacobians, more.effort.certificate_evaluations.jacobians);
}

TEST(Auto, NeedsALocalSolver) {
  SolverRegistry only;
  only.add(SolverEntry(registries().solvers.entries().find("auto")->second));
  EXPECT_THAT([&] { only.make("auto"); }, ThrowsMessage<std::invalid_argument>(HasSubstr("needs the solver")));
}

// On the torus the straight line goes the long way round; the message says which start won.
TEST(Auto, TakesTheShorterWayRoundAndSaysSo) {
  const auto torus = surface("torus:R=3,r=1");
  const GeodesicProblem long_way = problem(torus, vec({kPi, 0}), vec({-0.8 * kPi, 0.3}));
  const GeodesicResult straight = solve("newton", long_way);
  const GeodesicResult result = solve("auto", long_way);
  ASSERT_EQ(straight.termination, Termination::kConverged);
  ASSERT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_LE(result.certificate.length, straight.certificate.length * (1 + 1e-9));
  EXPECT_THAT(result.message, HasSubstr("newton from"));
}

TEST(Auto, DoesNotDependOnTheChart) {
  Matrix A(2, 2);
  A << 0.6, -0.8, 0.8, 0.6;
  for (const double kappa : {1.0, 1e4, 1e8}) {
    const Matrix squeezed = A * Vector{{1, 1 / kappa}}.asDiagonal() * A.transpose();
    const Matrix inverse = A * Vector{{1, kappa}}.asDiagonal() * A.transpose();
    const auto manifold = std::make_shared<PullbackManifold>(
        std::make_shared<AffineInput>(registries().generators.open("paraboloid").generator, squeezed, Vector::Zero(2)));
    const Vector from = inverse * vec({1, 0});
    const Vector to = inverse * vec({std::cos(2.0), std::sin(2.0)});
    const GeodesicResult result = solve("auto", problem(manifold, from, to));
    EXPECT_EQ(result.termination, Termination::kConverged) << kappa << ": " << result.message;
    // The ends are rounded in the chart: κε of the length.
    EXPECT_NEAR(result.certificate.length, 1.929194426596, 1e-8 + 1e-15 * kappa) << kappa;
  }
}

}  // namespace
}  // namespace pullback
