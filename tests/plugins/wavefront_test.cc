#include "pullback/plugins/wavefront/wavefront.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <numbers>

#include "pullback/plugins/wavefront/box.h"
#include "pullback/plugins/wavefront/meeting.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

using ::testing::HasSubstr;
using testing::problem;
using testing::solve;
using testing::surface;
using testing::vec;

// What the chain promises of a length (the local solver's accuracy).
constexpr double kPromise = 1e-6;

struct Known {
  const char* name;
  Vector from, to;
  double shortest;
};

// The straight line is a geodesic, or crosses a ridge, and there is a shorter way round.
std::vector<Known> saddles() {
  return {{"rbf-variance", vec({2, 0}), vec({-2, 0}), 6.272271880626},
          {"paraboloid", vec({1, 0}), vec({-1, 0}), 2.829043600},
          {"torus", vec({0, 0}), vec({0, 1.8}), 7.072436648904},
          {"pyramid", vec({-1, 0}), vec({1, 0}), std::sqrt(6)}};
}

TEST(Wavefront, FindsTheShorterWayRoundEverySaddle) {
  for (const Known& c : saddles()) {
    const GeodesicResult result = solve("wavefront", problem(surface(c.name), c.from, c.to));
    EXPECT_EQ(result.termination, Termination::kStalled) << c.name;
    EXPECT_THAT(result.message, HasSubstr("wavefront+energy")) << c.name;
    EXPECT_LT(result.certificate.length, 1.005 * c.shortest) << c.name << ": " << result.message;
    EXPECT_EQ(result.certificate.endpoint_error, 0) << c.name;
  }
}

TEST(Wavefront, ALocalSolverEndsOnTheShortestFromThere) {
  for (const Known& c : saddles()) {
    const bool kink = std::string(c.name) == "pyramid";
    const GeodesicResult result = solve("wavefront+energy", problem(surface(c.name), c.from, c.to));
    EXPECT_TRUE(kink || result.termination == Termination::kConverged) << c.name << ": " << result.message;
    EXPECT_NEAR(result.certificate.length, c.shortest, (kink ? 3e-3 : kPromise) * c.shortest) << c.name;
  }
}

TEST(Wavefront, IsAGoodStartOnSmoothSurfacesAndInEveryChart) {
  const double pi = std::numbers::pi;
  const double sphere = testing::kSphereLength;
  const std::vector<Known> cases{
      {"sphere", vec({pi / 3, 0}), vec({2 * pi / 3, 2}), sphere},
      {"sphere-scaled:epsilon=1e-8", vec({-pi / 6 * 1e8, 0}), vec({pi / 6 * 1e8, 2}), sphere},
      {"sheared-sphere:s=1e6", vec({pi / 3, 0}), vec({2 * pi / 3 - 2e6, 2}), sphere},
      {"sphere", vec({0.01, 0}), vec({0.01, 3}), 0.01994989806828},
      {"catenoid", vec({-1, 0}), vec({1, 1.5}), 2.924383491321},
      {"swiss-roll", vec({1.5 * pi, 0}), vec({4.5 * pi, 10}), 89.93098594184},
      {"rbf-variance", vec({1, 0}), vec({1.2 * std::cos(1.5), 1.2 * std::sin(1.5)}), 1.825160348273}};
  for (const Known& c : cases) {
    const GeodesicResult result = solve("wavefront+energy", problem(surface(c.name), c.from, c.to));
    EXPECT_EQ(result.termination, Termination::kConverged) << c.name << ": " << result.message;
    EXPECT_NEAR(result.certificate.length, c.shortest, kPromise * c.shortest) << c.name;
  }
}

TEST(Wavefront, WorksInThreeDimensions) {
  const Vector from = vec({0, -0.5, -1}), to = vec({0.5, 0.5, 0.5});
  const double exact = 2 * std::asin((from - to).norm() / std::sqrt((1 + from.squaredNorm()) * (1 + to.squaredNorm())));
  const GeodesicProblem sphere = problem(surface("sphere-stereographic:d=3"), from, to);
  EXPECT_NEAR(solve("wavefront", sphere).certificate.length, exact, 1e-3 * exact);
  EXPECT_NEAR(solve("wavefront+energy", sphere).certificate.length, exact, kPromise * exact);
}

TEST(Wavefront, SaysWhereItDoesNotWork) {
  const GeodesicResult result =
      solve("wavefront", problem(surface("sphere-stereographic:d=8"), Vector::Zero(8), Vector::Constant(8, 0.1)));
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_TRUE(result.curve.empty());
  EXPECT_THAT(result.message, HasSubstr("2 or 3 latent dimensions, got 8; use graph"));
  EXPECT_THAT(solve("wavefront", problem(half_plane(), vec({0, 1}), vec({1, -1}))).message,
              HasSubstr("not finite at 'to'"));
}

TEST(Wavefront, SaysThatAWallSeparatesTheEnds) {
  const auto walled =
      std::make_shared<MetricManifold>(2, "walled", [](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
        for (Eigen::Index k = 0; k < Z.cols(); ++k) {
          M.middleCols(2 * k, 2) = Matrix::Identity(2, 2) * (std::abs(Z(0, k)) < 0.4 ? std::nan("") : 1);
        }
      });
  const GeodesicResult result = solve("wavefront", problem(walled, vec({-1, 0}), vec({1, 0})));
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_THAT(result.message, HasSubstr("no path joins the ends"));
}

TEST(Wavefront, EnlargesItsBoxUntilNoShorterPathCanLeaveIt) {
  // The way round the middle is outside the first box.
  const GeodesicProblem rbf = problem(surface("rbf-variance"), vec({2, 0}), vec({-2, 0}));
  EXPECT_THAT(solve("wavefront:margin=0.05,enlargements=0", rbf).message, HasSubstr("could be shorter"));
  const GeodesicResult grown = solve("wavefront:margin=0.05,enlargements=8", rbf);
  EXPECT_THAT(grown.message, HasSubstr("no path that leaves its box is shorter"));
  EXPECT_NEAR(grown.certificate.length, 6.272271880626, 0.01);
}

TEST(Wavefront, TakesAnotherChartWhereTheStraightLineMisleads) {
  // Whitened along the line over the ridge, cells are too long along the path: the first pass says about 12.
  const GeodesicResult result = solve("wavefront", problem(surface("rbf-variance"), vec({2, 0}), vec({-2, 0})));
  double distance = 0;
  ASSERT_EQ(std::sscanf(result.message.c_str(), "distance %lf", &distance), 1) << result.message;
  // The metric turns within few cells even then, which makes the distance too long.
  EXPECT_NEAR(distance, 6.272271880626, 0.15 * 6.27);
}

TEST(Wavefront, TellsOfTheOtherWayRound) {
  // Off the axis, one way round the middle is longer than the other; the fronts meet on both.
  const auto manifold = surface("rbf-variance");
  const GeodesicProblem rbf = problem(manifold, vec({2, 0.2}), vec({-2, 0.2}));
  const SolveControl control;
  Workspace ws;
  SolveContext context(control, ws);
  const Curve line = Curve::straight(rbf.from, rbf.to);
  const BoxChart chart = box_chart(*manifold, line, rbf.from, rbf.to, ws);
  const ChosenBox box = choose_box(rbf, chart, {0.6, 3, 1500}, context);
  const Fronts fronts = run_fronts(rbf, chart, box.bounds, 12000, context);
  const auto meetings = find_meetings(fronts.grid->box(), fronts.from->values(), fronts.to->values(), 1e-3);
  ASSERT_GE(meetings.size(), 2U);
  EXPECT_LT(meetings[0].length, meetings[1].length);
  const auto side = [&](const Meeting& m) {
    return fronts.grid->box().points(fronts.grid->box().indices(m.node).cast<double>())(1);
  };
  EXPECT_GT(side(meetings[0]), 0.5);
  EXPECT_LT(side(meetings[1]), -0.5);
}

TEST(Wavefront, MeetingsOfFlatFrontsAreOne) {
  // u = distances from (0, 5) and (10, 5) in the plane.
  BoxGrid box{Matrix::Identity(2, 2), Matrix::Identity(2, 2), vec({0, 0}), 1, Eigen::Vector2i(11, 11)};
  Vector from(box.size()), to(box.size());
  for (std::int64_t k = 0; k < box.size(); ++k) {
    const Vector x = box.indices(k).cast<double>();
    from(k) = std::hypot(x(0), x(1) - 5);
    to(k) = std::hypot(x(0) - 10, x(1) - 5);
  }
  const auto meetings = find_meetings(box, from, to, 1e-3);
  ASSERT_EQ(meetings.size(), 1U);
  EXPECT_EQ(box.indices(meetings[0].node), Eigen::Vector2i(5, 5));
  EXPECT_EQ(meetings[0].length, 10);
  // A ridge along the middle, through the place where they met, leaves two ways round.
  for (const int x : {4, 5, 6}) {
    from(box.node(Eigen::Vector2i(x, 5))) += 5;
    to(box.node(Eigen::Vector2i(x, 5))) += 5;
  }
  const auto split = find_meetings(box, from, to, 1e-3);
  ASSERT_EQ(split.size(), 2U);
  EXPECT_NEAR(split[1].length, 2 * std::sqrt(26), 1e-14);
  EXPECT_NEAR(split[1].depth, 20 - 2 * std::sqrt(26), 1e-13);
}

}  // namespace
}  // namespace pullback
