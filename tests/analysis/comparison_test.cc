#include "pullback/analysis/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <set>

#include "pullback/analysis/comparison_summary.h"
#include "pullback/analysis/maps.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/spaces/opener.h"

namespace pullback {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

GeodesicResult result(double length, double seconds, Termination termination = Termination::kConverged) {
  GeodesicResult r;
  r.curve = Curve::straight(Vector::Zero(2), Vector::Ones(2));
  r.termination = termination;
  r.certificate.length = length;
  r.effort.seconds = seconds;
  return r;
}

// Two solvers on three pairs: a, then b.
Study make_study(std::vector<std::optional<GeodesicResult>> results) {
  Study study;
  study.solvers = {"a", "b"};
  StudyPart part{{"half-plane", half_plane(), {}, {}, {}}, {}, std::move(results)};
  part.pairs.resize(part.results.size() / 2, {"", "box", Vector::Zero(2), Vector::Ones(2), {}, {}});
  study.parts.push_back(std::move(part));
  return study;
}

TEST(BestLengths, IsTheShortestCurveWithTheRightEnds) {
  GeodesicResult elsewhere = result(1, 1);
  elsewhere.certificate.endpoint_error = 0.1;
  GeodesicResult knows_better = result(5, 1);
  knows_better.certificate.shorter_known = 4;
  const Study study = make_study({result(3, 1), result(2, 1, Termination::kMaxIterations),  //
                                  elsewhere, result(7, 1),                                  //
                                  knows_better, std::nullopt});
  EXPECT_THAT(best_lengths(study, study.parts[0]), ElementsAre(2, 7, 4));
}

TEST(Summarise, SolvedMeansConvergedAndWithinAThousandth) {
  const Study study = make_study({result(1, 1), result(1.0009, 2),  //
                                  result(1, 1), result(1.0011, 4),  //
                                  result(1, 9), result(1, 6, Termination::kStationary)});
  const auto summary = summarise(study, study.parts[0]);
  EXPECT_EQ(summary[0].solved, 3);
  EXPECT_EQ(summary[1].solved, 1);
  EXPECT_EQ(summary[1].runs, 3);
  EXPECT_DOUBLE_EQ(summary[1].worst_ratio, 1.0011);
  EXPECT_DOUBLE_EQ(summary[1].median_ratio, 1.0009);
  EXPECT_EQ(summary[1].median_seconds, 4);
  EXPECT_EQ(summary[1].terminations.at("converged"), 2);
  EXPECT_EQ(summary[1].terminations.at("stationary"), 1);
}

TEST(Summarise, ACurveThatIsMissingIsInfinitelyLong) {
  GeodesicResult none;
  const Study study = make_study({result(1, 1), none});
  const auto summary = summarise(study, study.parts[0]);
  EXPECT_TRUE(std::isinf(summary[1].worst_ratio));
  EXPECT_EQ(summary[1].solved, 0);
}

TEST(PerformanceProfile, CountsOnlyWhatIsSolved) {
  const Study study = make_study({result(1, 1), result(1, 3),                             // a is 3 times as fast
                                  result(1, 4), result(1, 2),                             // b is twice as fast
                                  result(2, 1), result(1, 5),                             // a is too long
                                  result(1, 1, Termination::kStalled), result(1.1, 1)});  // none solves it
  const PerformanceProfile profile = performance_profile(study, study.parts[0]);
  EXPECT_EQ(profile.pairs, 4);
  EXPECT_THAT(profile.ratios[0], ElementsAre(1, 2));
  EXPECT_THAT(profile.ratios[1], ElementsAre(1, 1, 3));
}

TEST(PerformanceProfile, LeavesOutPairsThatNotAllHaveTried) {
  const Study study = make_study({result(1, 1), std::nullopt});
  const PerformanceProfile profile = performance_profile(study, study.parts[0]);
  EXPECT_EQ(profile.pairs, 0);
  EXPECT_THAT(profile.ratios[0], IsEmpty());
}

// A study of two solvers on three pairs of a surface, as yet unsolved.
Study torus_study() {
  Opener opener({});
  Study study;
  study.solvers = {"energy:nodes=8,max_nodes=8", "graph"};
  study.pairs = 3;
  study.seed = 1;
  study.box = {0.2, 1.8};
  add_part(study, opener.open("torus:R=3,r=1"));
  return study;
}

std::vector<std::unique_ptr<GeodesicSolver>> solvers_of(const Study& study) {
  Opener opener({});
  std::vector<std::unique_ptr<GeodesicSolver>> solvers;
  for (const std::string& chain : study.solvers) solvers.push_back(opener.solvers().make(chain));
  return solvers;
}

TEST(RunComparison, FillsEveryPlaceAndTellsOfEach) {
  Study study = torus_study();
  ASSERT_EQ(study.size(), 6U);
  std::atomic<int> advanced{0};
  int kept = 0;
  run_comparison(study, solvers_of(study), {.threads = 2, .advanced = [&](const std::string&) { ++advanced; }},
                 [&](const Study& so_far) { kept += so_far.complete ? 100 : 1; });
  EXPECT_TRUE(study.complete);
  EXPECT_EQ(advanced, 6);
  EXPECT_EQ(kept, 6);
  for (const SolverSummary& row : summarise(study, study.parts[0])) EXPECT_EQ(row.runs, 3) << row.solver;
}

TEST(RunComparison, KeepsWhatWasFinishedWhenStopped) {
  Study study = torus_study();
  int kept = 0;
  run_comparison(study, solvers_of(study), {.should_stop = [&] { return kept >= 2; }}, [&](const Study&) { ++kept; });
  EXPECT_FALSE(study.complete);
  EXPECT_EQ(std::ranges::count_if(study.parts[0].results, [](const auto& r) { return r.has_value(); }), 2);
}

OpenedSpace space_with_codes(int count) {
  OpenedSpace space{"codes", half_plane(), Matrix(2, count), {}, {}};
  for (int i = 0; i < count; ++i) {
    space.codes.col(i) << std::cos(i), 2 + std::sin(i);
    space.labels.push_back(i % 10);
  }
  return space;
}

TEST(ChoosePairs, HalfAcrossHalfWithinAfterTwoSevens) {
  const OpenedSpace space = space_with_codes(200);
  const auto pairs = choose_pairs(space, 40, 1, {0.2, 1.8});
  ASSERT_EQ(pairs.size(), 41);
  EXPECT_EQ(pairs[0].name, "two sevens");
  EXPECT_EQ(pairs[0].from_label, 7);
  EXPECT_EQ(pairs[0].to_label, 7);
  int within = 0;
  for (std::size_t i = 1; i < pairs.size(); ++i) {
    EXPECT_EQ(pairs[i].kind == "within", pairs[i].from_label == pairs[i].to_label);
    EXPECT_NE(pairs[i].from, pairs[i].to);
    within += pairs[i].kind == "within" ? 1 : 0;
  }
  EXPECT_EQ(within, 20);
}

TEST(ChoosePairs, TheSeedDecides) {
  const OpenedSpace space = space_with_codes(200);
  const auto first = choose_pairs(space, 10, 1, {0.2, 1.8});
  const auto again = choose_pairs(space, 10, 1, {0.2, 1.8});
  const auto other = choose_pairs(space, 10, 2, {0.2, 1.8});
  int same = 0;
  for (std::size_t i = 1; i < first.size(); ++i) {
    EXPECT_EQ(first[i].from, again[i].from);
    EXPECT_EQ(first[i].to, again[i].to);
    same += first[i].from == other[i].from ? 1 : 0;
  }
  EXPECT_LT(same, 5);
}

TEST(ChoosePairs, KeepsToPlacesWithAMetric) {
  const OpenedSpace space{"half-plane", half_plane(), {}, {}, {}};
  for (const StudyPair& pair : choose_pairs(space, 50, 1, {-1, 1})) {
    EXPECT_GT(pair.from(1), 0);
    EXPECT_GT(pair.to(1), 0);
    EXPECT_LE(pair.from.cwiseAbs().maxCoeff(), 1);
  }
  EXPECT_THROW(choose_pairs(space, 1, 1, {-2, -1}), std::invalid_argument);
}

TEST(ChoosePairs, DrawsAShareOutsideOfTheData) {
  const OpenedSpace space = space_with_codes(200);
  const auto pairs = choose_pairs(space, 40, 3, {0.2, 1.8}, 0.25);
  const auto outside = [](const StudyPair& pair) { return pair.kind == "outside"; };
  EXPECT_EQ(std::ranges::count_if(pairs, outside), 10);
  for (const StudyPair& pair : pairs) {
    if (!outside(pair)) continue;
    EXPECT_TRUE((pair.from.array() >= space.codes.rowwise().minCoeff().array()).all());
    EXPECT_TRUE((pair.to.array() <= space.codes.rowwise().maxCoeff().array()).all());
    EXPECT_FALSE((space.codes.colwise() - pair.from).colwise().norm().minCoeff() == 0) << "a code";
  }
}

TEST(LatentPlane, HoldsWhatItIsGivenAtEqualScales) {
  LatentPlane plane = whole_plane();
  Matrix points(2, 3);
  points << 0, 4, 2, 1, 1, 2;
  plane.enclose(points);
  EXPECT_DOUBLE_EQ(plane.x_high - plane.x_low, plane.y_high - plane.y_low);
  EXPECT_LT(plane.x_low, 0);
  EXPECT_GT(plane.x_high, 4);
  EXPECT_LT(plane.y_low, 1);
  EXPECT_GT(plane.y_high, 2);
  EXPECT_LT(plane.x_high - plane.x_low, 5) << "just holds them";
}

TEST(LatentPlane, GoesThroughBothEndsAndTheNearestThatIsNotOnTheirLine) {
  const Vector from = Vector::Zero(3);
  const Vector to = 2 * Vector::Unit(3, 0);
  Matrix candidates(3, 3);
  candidates.col(0) << 1, 0.01, 0;  // too near to the line
  candidates.col(1) << 1, 0, 1;
  candidates.col(2) << 5, 5, 0;
  const LatentPlane plane = plane_through(from, to, candidates);
  EXPECT_TRUE(plane.at(plane.project(candidates.col(1))).isApprox(candidates.col(1)));
  EXPECT_TRUE(plane.at(plane.project(to)).isApprox(to));
  EXPECT_TRUE((plane.axes.transpose() * plane.axes).isIdentity());
  EXPECT_FALSE(plane.at(plane.project(candidates.col(2))).isApprox(candidates.col(2)));
}

}  // namespace
}  // namespace pullback
