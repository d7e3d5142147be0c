#include "pullback/plugins/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pullback/manifold/numerics/chords.h"
#include "pullback/plugins/graph/neighbour_graph.h"
#include "pullback/plugins/graph/nodes.h"
#include "pullback/plugins/graph/smoothing.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

using ::testing::HasSubstr;
using testing::kSphereLength;
using testing::problem;
using testing::registries;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using testing::vec;

Matrix random_points(int n, int count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  Matrix points(n, count);
  for (double& x : points.reshaped()) x = uniform(random);
  return points;
}

TEST(NeighbourGraph, JoinsTheNearestOfBothCharts) {
  const Matrix Z = random_points(3, 60, 1);
  Matrix stretched = Z;
  stretched.row(0) *= 50;
  const int k = 4;
  Edges expected;
  for (const Matrix& chart : {Z, stretched}) {
    for (int a = 0; a < Z.cols(); ++a) {
      std::vector<std::pair<double, int>> others;
      for (int b = 0; b < Z.cols(); ++b) {
        if (b != a) others.emplace_back((chart.col(a) - chart.col(b)).norm(), b);
      }
      std::sort(others.begin(), others.end());
      for (int i = 0; i < k; ++i) expected.push_back(std::minmax(a, others[static_cast<std::size_t>(i)].second));
    }
  }
  std::sort(expected.begin(), expected.end());
  expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
  EXPECT_EQ(nearest_neighbour_edges({Z, stretched}, k), expected);
}

TEST(NeighbourGraph, FewPointsAreAllJoined) {
  EXPECT_EQ(nearest_neighbour_edges({random_points(2, 4, 2)}, 10).size(), 6U);
  // Points on top of one another are neighbours too.
  EXPECT_EQ(nearest_neighbour_edges({Matrix::Zero(2, 3)}, 2).size(), 3U);
}

// Shortest path length by Bellman–Ford, every edge measured.
double reference_length(const Manifold& manifold, const Matrix& Z, const Edges& edges, int subdivisions) {
  Workspace ws;
  std::vector<double> weights;
  for (const auto& [a, b] : edges) {
    const Curve line = Curve::straight(Z.col(a), Z.col(b));
    weights.push_back(chord_length(manifold, line.position(uniform_times(subdivisions + 1)), ws));
  }
  std::vector<double> distance(static_cast<std::size_t>(Z.cols()), std::numeric_limits<double>::infinity());
  distance[0] = 0;
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const auto a = static_cast<std::size_t>(edges[e].first);
      const auto b = static_cast<std::size_t>(edges[e].second);
      if (distance[a] + weights[e] < distance[b]) changed = true, distance[b] = distance[a] + weights[e];
      if (distance[b] + weights[e] < distance[a]) changed = true, distance[a] = distance[b] + weights[e];
    }
  }
  return distance[1];
}

TEST(NeighbourGraph, LazySearchFindsTheShortestMeasuredPath) {
  for (const char* name : {"rbf-variance", "paraboloid", "half-plane"}) {
    const bool plane = std::string(name) == "half-plane";
    const auto manifold = plane ? half_plane() : surface(name);
    Matrix Z = 2 * random_points(2, 150, 3);
    if (plane) Z.row(1) = Z.row(1).cwiseAbs().array() + 0.1;
    Z.col(0) = vec({2, 0.5});
    Z.col(1) = vec({-2, 0.5});
    const Edges edges = nearest_neighbour_edges({Z}, 6);
    const SolveControl control;
    Workspace ws;
    SolveContext context(control, ws);
    PathFinder finder(*manifold, Z, edges, 8, context);
    const GraphPath path = finder.find(0, 1);
    ASSERT_EQ(path.status, GraphPath::Status::kFound) << name;
    const double expected = reference_length(*manifold, Z, edges, 8);
    // Chords of a metric given directly are no exact lower bounds, only nearly.
    EXPECT_NEAR(path.length, expected, (plane ? 1e-2 : 1e-12) * expected) << name;
    EXPECT_EQ(path.nodes.front(), 0);
    EXPECT_EQ(path.nodes.back(), 1);
    EXPECT_LT(path.measured_edges, static_cast<int>(edges.size()) / 2) << name;
  }
}

TEST(NeighbourGraph, AvoidsAPathWhenAsked) {
  // Two corridors from end to end in the plane, the upper one a little longer.
  const auto manifold = surface("plane");
  const int steps = 20;
  Matrix Z(2, 2 + 2 * steps);
  Z.col(0) = vec({0, 0});
  Z.col(1) = vec({1, 0});
  for (int i = 0; i < steps; ++i) {
    const double x = (i + 0.5) / steps;
    Z.col(2 + i) = vec({x, -0.3 * std::sin(std::numbers::pi * x)});
    Z.col(2 + steps + i) = vec({x, 0.35 * std::sin(std::numbers::pi * x)});
  }
  const Edges edges = nearest_neighbour_edges({Z}, 3);
  const SolveControl control;
  Workspace ws;
  SolveContext context(control, ws);
  PathFinder finder(*manifold, Z, edges, 2, context);
  const GraphPath lower = finder.find(0, 1);
  finder.avoid(lower, 1.5);
  const GraphPath upper = finder.find(0, 1);
  EXPECT_LT(Z(1, lower.nodes[lower.nodes.size() / 2]), 0);
  EXPECT_GT(Z(1, upper.nodes[upper.nodes.size() / 2]), 0);
  EXPECT_GT(upper.length, lower.length);
  EXPECT_LT(upper.length, 1.2 * lower.length);  // its own length, not the weights that were searched
}

TEST(GraphNodes, SamplesComeFromTheSeed) {
  const Curve line = Curve::straight(vec({0, 0, 0}), vec({1, 2, 3}));
  const Matrix W = Matrix::Identity(3, 3);
  const Matrix a = sample_around(line, W, {101, 0.5, 7});
  EXPECT_EQ(a.cols(), 101);
  EXPECT_TRUE(a.allFinite());
  EXPECT_EQ(a, sample_around(line, W, {101, 0.5, 7}));
  EXPECT_NE(a, sample_around(line, W, {101, 0.5, 8}));
  // No further from the box around the ends than the margin.
  const double reach = 0.5 * std::sqrt(14.0);
  EXPECT_GE(a.minCoeff(), -reach);
  EXPECT_LE((a.colwise() - vec({1, 2, 3})).maxCoeff(), reach);
}

TEST(Smoothing, ShortensAZigzagAndKeepsItsEnds) {
  const auto manifold = surface("paraboloid");
  Matrix zigzag(2, 13);
  for (int i = 0; i <= 12; ++i) zigzag.col(i) = vec({1 - i / 12.0, i / 12.0 + (i % 2 == 1 ? 0.1 : 0)});
  zigzag(1, 12) = 1;
  Workspace ws;
  const double before = chord_length(*manifold, zigzag, ws);
  const Curve curve = smoothed_path(*manifold, zigzag, 64, 8, ws);
  const double after = chord_length(*manifold, curve.position(uniform_times(257)), ws);
  const double straight =
      chord_length(*manifold, Curve::straight(vec({1, 0}), vec({0, 1})).position(uniform_times(257)), ws);
  EXPECT_LT(after, before);
  EXPECT_LT(after, 1.01 * straight);
  EXPECT_EQ(curve.positions().leftCols(1), zigzag.leftCols(1));
  EXPECT_EQ(curve.positions().rightCols(1), zigzag.rightCols(1));
}

TEST(Graph, FindsTheValleyThatTheStraightLineMisses) {
  // Published answers; the path need only be in the valley, so that a local solver ends there.
  const struct {
    const char* name;
    Vector from, to;
    double shortest, straight;
  } cases[] = {{"rbf-variance", vec({2, 0}), vec({-2, 0}), 6.272271880626, 20.825983},
               {"paraboloid", vec({1, 0}), vec({-1, 0}), 2.829043600, 2.957885715089},
               {"torus", vec({0, 0}), vec({0, 1.8}), 7.072436648904, 7.2},
               {"pyramid", vec({-1, 0}), vec({1, 0}), std::sqrt(6), 2 * std::sqrt(2)}};
  for (const auto& c : cases) {
    const GeodesicResult result = solve("graph", problem(surface(c.name), c.from, c.to));
    EXPECT_EQ(result.termination, Termination::kStalled) << result.message;
    EXPECT_THAT(result.message, HasSubstr("not a geodesic")) << c.name;
    EXPECT_LT(result.certificate.length, 1.01 * c.shortest) << c.name;
    EXPECT_LT(result.certificate.length, c.straight) << c.name;
    EXPECT_EQ(result.certificate.endpoint_error, 0) << c.name;
    EXPECT_LE(result.certificate.speed_variation, 0.2) << c.name;
  }
}

TEST(Graph, StaysWithTheStraightLineWhereThatIsShortest) {
  const GeodesicProblem flat = problem(surface("plane"), vec({0, 0}), vec({1, 2}));
  const GeodesicResult result = solve("graph:relaxation=0", flat);
  EXPECT_EQ(result.termination, Termination::kStalled);
  EXPECT_THAT(result.message, HasSubstr("straight line"));
  EXPECT_NEAR(result.certificate.length, std::sqrt(5), 1e-12);
}

TEST(Graph, GoesThroughThePointsGiven) {
  // Points on a half circle above the paraboloid's vertex; none below, none in the middle.
  GeodesicProblem bowl = problem(surface("paraboloid"), vec({1, 0}), vec({-1, 0}));
  bowl.points.resize(2, 200);
  for (int k = 0; k < 200; ++k) {
    const double angle = std::numbers::pi * (k + 1) / 201;
    bowl.points.col(k) = (0.8 + 0.1 * (k % 3)) * vec({std::cos(angle), 0.6 * std::sin(angle)});
  }
  const GeodesicResult result = solve("graph", bowl);
  EXPECT_GT(result.curve.position(vec({0.5}))(1), 0.1) << result.message;
  EXPECT_THAT(result.message, HasSubstr("202 points"));
  EXPECT_LT(result.certificate.length, 2.9);
}

// The paraboloid over points, and three pairs of ends.
std::vector<GeodesicProblem> pairs_among_points() {
  const auto bowl = surface("paraboloid");
  std::vector<GeodesicProblem> out;
  for (const double y : {-0.5, 0.0, 0.7}) {
    out.push_back(problem(bowl, vec({1, y}), vec({-1, 0.2})));
    out.back().points = random_points(2, 300, 7);
  }
  return out;
}

std::vector<Curve> solved_in_order(const GeodesicSolver& solver, const std::vector<GeodesicProblem>& problems,
                                   std::initializer_list<std::size_t> order) {
  std::vector<Curve> out(problems.size());
  for (const std::size_t i : order) out[i] = solver.solve(problems[i]).curve;
  return out;
}

TEST(Graph, KeepsTheGraphOfPointsFromSolveToSolve) {
  const std::vector<GeodesicProblem> problems = pairs_among_points();
  const auto solver = registries().solvers.make("graph");
  const std::int64_t first = solver->solve(problems[0]).effort.evaluations.values;
  const std::int64_t again = solver->solve(problems[0]).effort.evaluations.values;
  // Neither the points' values nor those of the edges that were measured.
  EXPECT_GT(first - again, problems[0].points.cols());
  EXPECT_EQ(solver->solve(problems[0]).curve.positions(),
            registries().solvers.make("graph")->solve(problems[0]).curve.positions());
  // Other points, or another manifold, have a graph of their own.
  GeodesicProblem other = problems[0];
  other.points = random_points(2, 300, 8);
  const GeodesicResult kept = solver->solve(other);
  EXPECT_EQ(kept.curve.positions(), registries().solvers.make("graph")->solve(other).curve.positions());
  other.manifold = surface("bump");
  EXPECT_EQ(solver->solve(other).curve.positions(), registries().solvers.make("graph")->solve(other).curve.positions());
}

TEST(Graph, WhatItFindsDoesNotDependOnTheOrderOfPairsNorOnThreads) {
  const std::vector<GeodesicProblem> problems = pairs_among_points();
  const auto solver = registries().solvers.make("graph");
  const std::vector<Curve> one = solved_in_order(*solver, problems, {0, 1, 2});
  const std::vector<Curve> other = solved_in_order(*registries().solvers.make("graph"), problems, {2, 1, 0});
  const auto shared = registries().solvers.make("graph");
  std::vector<Curve> threaded(problems.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    threads.emplace_back([&, i] { threaded[i] = shared->solve(problems[i]).curve; });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < problems.size(); ++i) {
    EXPECT_EQ(one[i].positions(), other[i].positions()) << i;
    EXPECT_EQ(one[i].positions(), threaded[i].positions()) << i;
  }
}

TEST(Graph, TakesSomeOfThePointsWhenAsked) {
  const GeodesicProblem bowl = pairs_among_points()[0];
  const GeodesicResult some = solve("graph:most_points=50", bowl);
  EXPECT_THAT(solve("graph:most_points=50,neighbours=20", bowl).message, HasSubstr("52 points"));
  EXPECT_LT(some.effort.evaluations.values, solve("graph", bowl).effort.evaluations.values);
}

TEST(Graph, EndsFarFromEveryPointAreStillJoined) {
  GeodesicProblem bowl = problem(surface("paraboloid"), vec({6, 0}), vec({-5, 1}));
  bowl.points = random_points(2, 100, 5);
  const GeodesicResult result = solve("graph", bowl);
  EXPECT_EQ(result.termination, Termination::kStalled) << result.message;
  EXPECT_EQ(result.certificate.endpoint_error, 0);
}

TEST(Graph, SaysWhyADisconnectedGraphHasNoPath) {
  GeodesicProblem flat = problem(surface("plane"), vec({0, 0}), vec({100, 0}));
  flat.points = random_points(2, 50, 6);
  flat.points.row(0).tail(20).array() += 100;
  const GeodesicResult result = solve("graph:neighbours=4", flat);
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_TRUE(result.curve.empty());
  EXPECT_THAT(result.message, HasSubstr("52 points is disconnected: 'from' reaches 31 of them, 'to' 21"));
  EXPECT_THAT(result.message, HasSubstr("neighbours (now 4)"));
}

TEST(Graph, IsAGoodStart) {
  for (const char* chain : {"graph+shooting", "graph+energy"}) {
    const GeodesicResult result = solve(chain, problem(surface("torus"), vec({0, 0}), vec({0, 1.8})));
    EXPECT_EQ(result.termination, Termination::kConverged) << chain << ": " << result.message;
    EXPECT_NEAR(result.certificate.length, 7.072436648904, 1e-6 * 7.1) << chain;
  }
}

TEST(Graph, GoesRoundWhereThereIsNoMetric) {
  // Half of the samples are below the half-plane's edge.
  const GeodesicResult result = solve("graph:margin=2", problem(half_plane(), vec({0, 0.1}), vec({3, 0.1})));
  // d = arcosh(1 + 9/(2·0.01))
  EXPECT_NEAR(result.certificate.length, std::acosh(451), 0.05 * std::acosh(451)) << result.message;
}

TEST(Graph, SaysThatAnEndWithoutMetricCannotBeReached) {
  const GeodesicResult result = solve("graph", problem(half_plane(), vec({0, 1}), vec({1, -1})));
  EXPECT_EQ(result.termination, Termination::kNumericalFailure);
  EXPECT_TRUE(result.curve.empty());
  EXPECT_THAT(result.message, HasSubstr("'to' 1;"));
}

TEST(Graph, IsTheSameEveryTimeAndAnotherWithAnotherSeed) {
  const GeodesicResult a = solve("graph", sphere_problem());
  EXPECT_EQ(a.curve.positions(), solve("graph", sphere_problem()).curve.positions());
  EXPECT_NE(a.curve.positions(), solve("graph:seed=2", sphere_problem()).curve.positions());
  EXPECT_NEAR(a.certificate.length, kSphereLength, 0.01 * kSphereLength);
}

TEST(Graph, TellsOfTheStraightLineThatItPassedOver) {
  // With points on a long detour only and no relaxation, the path loses to the line, and is told of, not returned.
  GeodesicProblem flat = problem(surface("plane"), vec({0, 0}), vec({1, 0}));
  flat.points.resize(2, 40);
  for (int k = 0; k < 40; ++k) flat.points.col(k) = vec({k / 39.0, std::sin(std::numbers::pi * k / 39.0)});
  const GeodesicResult result = solve("graph:neighbours=2,relaxation=0,alternatives=0", flat);
  EXPECT_NEAR(result.certificate.length, 1, 1e-12) << result.message;
  EXPECT_THAT(result.message, HasSubstr("shorter than every path found"));
  EXPECT_FALSE(result.certificate.shorter_known.has_value());
}

}  // namespace
}  // namespace pullback
