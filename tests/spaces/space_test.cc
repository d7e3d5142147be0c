// The facade, as a newcomer would call it.
#include "pullback/pullback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "pullback/plugins/newton/newton.h"
#include "pullback/plugins/whitened/whitened.h"

namespace pullback {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(SpaceTest, OpensNamesGeneratorsAndManifolds) {
  const Vector a{{0.0, 0.0}};
  const Vector b{{0.0, 1.8}};
  EXPECT_NEAR(open("torus:R=3,r=1").distance(a, b).value, 7.072436648904, 1e-6);
  const auto plane = make_generator(2, 3, []<class T>(const T* z, T* x) {
    x[0] = z[0];
    x[1] = 2.0 * z[1];
    x[2] = T(0.0);
  });
  EXPECT_NEAR(open(plane).distance(a, b).value, 3.6, 1e-12);
  EXPECT_NEAR(open(half_plane()).distance(Vector{{0.0, 1.0}}, Vector{{3.0, 2.0}}).value, 1.924847300238, 1e-9);
  EXPECT_THROW(open(std::shared_ptr<const Manifold>()), std::invalid_argument);
  EXPECT_THAT([] { open("trus"); }, ThrowsMessage<std::invalid_argument>(HasSubstr("metrics: fisher-categorical")));
}

TEST(SpaceTest, OpensAShippedModelWithItsCodes) {
  const Space space = open("mnist-vae");
  EXPECT_EQ(space.dimension(), 2);
  EXPECT_GT(space.opened().codes.cols(), 100);
  const GeodesicResult geodesic = space.geodesic(Vector{{0.5, -1.0}}, Vector{{-0.3, 1.2}});
  EXPECT_EQ(geodesic.termination, Termination::kConverged);
  EXPECT_NEAR(geodesic.certificate.length, 24.3655, 1e-3);
}

// The graph of the codes is built for the first pair, and every other one has it.
TEST(SpaceTest, KeepsWhatDependsOnTheModelAlone) {
  const Space space = open("mnist-vae");
  const Vector a{{0.5, -1.0}};
  const Vector b{{-0.3, 1.2}};
  const GeodesicResult first = space.geodesic(a, b);
  const GeodesicResult again = space.geodesic(a, b);
  EXPECT_EQ(again.curve.positions(), first.curve.positions());
  EXPECT_LE(again.effort.evaluations.values + 500, first.effort.evaluations.values);
}

TEST(SpaceTest, ExpUndoesLog) {
  for (const char* name : {"sphere", "torus:R=3,r=1", "half-plane", "mnist-vae"}) {
    const Space space = open(name);
    const Vector a{{1.0, 0.5}};
    const Vector b{{1.3, 1.1}};
    const Logarithm log = space.log(a, b, {.solver = "shooting"});
    ASSERT_EQ(log.geodesic.termination, Termination::kConverged) << name;
    EXPECT_NEAR(space.norm(a, log.velocity), log.geodesic.certificate.length, 1e-9);
    const GeodesicFlow flow = space.exp(a, log.velocity);
    ASSERT_EQ(flow.status, FlowStatus::kComplete);
    EXPECT_LE(space.norm(b, flow.end_position - b), 1e-6 * log.geodesic.certificate.length) << name;
    const Transported end = space.transport(log.geodesic.curve, log.velocity);
    EXPECT_LE(space.norm(b, end.vector - flow.end_velocity), 1e-5 * log.geodesic.certificate.length) << name;
  }
}

TEST(SpaceTest, MetricAndCurvature) {
  const Space sphere = open("sphere");
  EXPECT_NEAR(sphere.metric(Vector{{1.0, 0.3}})(1, 1), std::sin(1.0) * std::sin(1.0), 1e-14);
  EXPECT_NEAR(sphere.curvature(Vector{{1.0, 0.3}}).value, 1, 1e-12);
  EXPECT_THROW(open("hill:d=3").curvature(Vector::Zero(3)), std::invalid_argument);
  EXPECT_THROW(sphere.curvature(Vector{{1.0, std::nan("")}}), std::invalid_argument);
}

TEST(SpaceTest, TakesASolverATimeLimitAndAStart) {
  const Space space = open("paraboloid");
  const Vector a{{1.0, 0.0}};
  const Vector b{{-1.0, 0.0}};
  const GeodesicResult saddle = space.geodesic(a, b, {.solver = "collocation"});
  EXPECT_NE(saddle.termination, Termination::kConverged);
  Matrix nodes(2, 3);
  nodes << 1, 0, -1, 0, 1, 0;
  EXPECT_NEAR(space.geodesic(a, b, {.solver = "newton", .initial = Curve::through(nodes)}).certificate.length,
              2.829043600, 1e-6);
  EXPECT_THROW(space.geodesic(a, b, {.solver = "nonsense"}), std::invalid_argument);
  EXPECT_EQ(space.geodesic(a, b, {.should_stop = [] { return true; }}).termination, Termination::kStopped);
}

TEST(SpaceTest, PassesOnWhatTheCallerAsks) {
  const Space space = open("sphere");
  const Vector a{{1.0, 0.2}};
  const Vector b{{1.3, 1.1}};
  Workspace workspace;
  int told = 0;
  const GeodesicResult geodesic =
      space.geodesic(a, b,
                     {.solver = "newton",
                      .on_iteration = [&](const TraceEntry& entry) { told += entry.iteration > 0; },
                      .workspace = &workspace});
  EXPECT_GT(told, 0);
  EXPECT_EQ(workspace.counts().values,
            geodesic.effort.evaluations.values + geodesic.effort.certificate_evaluations.values);
  EXPECT_THROW(space.geodesic(a, b, {.accuracy = -1}), std::invalid_argument);
}

TEST(SpaceTest, TakesTypedOptions) {
  const Space space = open("torus:R=3,r=1");
  const Vector a{{0.0, 0.2}};
  const Vector b{{0.5, 1.4}};
  const GeodesicResult typed = space.geodesic(a, b, {.made = space.solvers().make(NewtonOptions{.nodes = 64})});
  const GeodesicResult text = space.geodesic(a, b, {.solver = "newton:nodes=64"});
  EXPECT_EQ(typed.termination, Termination::kConverged);
  EXPECT_EQ(typed.certificate.length, text.certificate.length);
  EXPECT_EQ(space.solvers().make(WhitenedOptions{}, "newton")->name(), "whitened(newton)");
  EXPECT_THAT([&] { space.solvers().make(NewtonOptions{.nodes = 3}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("option 'nodes': expected a whole number")));
}

TEST(SpaceTest, SolversSayWhatTheyDoBeforeTheyAreMade) {
  const Space space = open("plane");
  EXPECT_TRUE(space.solvers().traits("newton").needs_second_derivatives);
  EXPECT_FALSE(space.solvers().traits("shooting").handles_kinks);
  EXPECT_FALSE(space.solvers().traits("graph").claims_geodesics());
  EXPECT_TRUE(space.solvers().traits("graph+string").uses_points);
  EXPECT_EQ(space.solvers().traits("wavefront").most_dimension, 3);
  EXPECT_THROW(space.solvers().traits("nonsense"), std::invalid_argument);
}

TEST(SpaceTest, ACopyOutlivesWhatItWasCopiedFrom) {
  Space copy = [] { return open("sphere"); }();
  EXPECT_NEAR(copy.distance(Vector{{1.0, 0.0}}, Vector{{2.0, 0.0}}).value, 1, 1e-9);
}

}  // namespace
}  // namespace pullback
