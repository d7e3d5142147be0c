// The study of conditioning: charts, maps, intervals, and what is called solved.
#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "pullback/analysis/studies/conditioning_summary.h"
#include "pullback/base/random.h"
#include "pullback/base/statistics.h"
#include "pullback/generators/surfaces/curved_maps.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/spaces/charts.h"

namespace pullback {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

Vector singular_values_of(const Matrix& matrix) { return matrix.jacobiSvd().singularValues(); }

TEST(Charts, HaveThePrescribedSingularValues) {
  for (const auto kind : {ChartKind::kRotated, ChartKind::kSqueezed}) {
    for (const int d : {2, 3, 8, 32}) {
      for (const double kappa : {1.0, 1e3, 1e6}) {
        const Vector s = singular_values_of(make_chart(kind, d, kappa, 7).matrix);
        for (int i = 0; i < d; ++i) {
          const double expected = std::pow(kappa, -static_cast<double>(i) / (d - 1));
          EXPECT_NEAR(s(i), expected, 100 * kEpsilon) << to_string(kind) << " " << d << " " << kappa;
        }
      }
    }
  }
}

TEST(Charts, AShearHasTheTwoExtremes) {
  constexpr double kKappa = 1e6;
  const Vector s = singular_values_of(make_chart(ChartKind::kSheared, 5, kKappa, 1).matrix);
  // Two sheared pairs and one coordinate left over.
  EXPECT_NEAR(s(0), 1, 1e-12);
  EXPECT_NEAR(s(2), 1, 1e-12);
  EXPECT_NEAR(s(3) * kKappa, 1, kKappa * 100 * kEpsilon);
  EXPECT_NEAR(s(4) * kKappa, 1, kKappa * 100 * kEpsilon);
}

TEST(Charts, KnowTheirInverse) {
  constexpr double kKappa = 1e4;
  for (const auto kind : {ChartKind::kRotated, ChartKind::kSqueezed, ChartKind::kSheared}) {
    const Chart chart = make_chart(kind, 8, kKappa, 3);
    const Matrix error = chart.matrix * chart.inverse - Matrix::Identity(8, 8);
    EXPECT_LE(error.cwiseAbs().maxCoeff(), 100 * kEpsilon * kKappa) << to_string(kind);
  }
}

TEST(Charts, TheSeedDecides) {
  EXPECT_EQ(make_chart(ChartKind::kRotated, 8, 10, 1).matrix, make_chart(ChartKind::kRotated, 8, 10, 1).matrix);
  EXPECT_NE(make_chart(ChartKind::kRotated, 8, 10, 1).matrix, make_chart(ChartKind::kRotated, 8, 10, 2).matrix);
}

TEST(Charts, AreOpenedByName) {
  Opener opener({});
  const OpenedSpace base = opener.open("hill:d=3");
  const OpenedSpace space = opener.open("hill:d=3@kappa=1e3,chart=rotated,seed=5");
  const Chart chart = make_chart(ChartKind::kRotated, 3, 1e3, 5);
  const Vector w = Vector::LinSpaced(3, -0.5, 0.7);
  const Matrix expected = base.manifold->generator()->jacobian(w) * chart.matrix;
  const Matrix found = space.manifold->generator()->jacobian(chart.inverse * w);
  EXPECT_LE((found - expected).cwiseAbs().maxCoeff(), 1e3 * 100 * kEpsilon);
  for (const char* bad : {"hill@kappa=0.5", "hill@kappa=1e3,chart=bent", "hill@kappa=10,sed=1", "hill@kappa=nan",
                          "half-plane@kappa=2", "sphere-stereographic:d=1@kappa=2"}) {
    EXPECT_THROW(opener.open(bad), std::invalid_argument) << bad;
  }
}

TEST(Valley, IsIllConditionedInItsMiddleOnly) {
  Opener opener({});
  constexpr double kKappa = 1e6;
  const OpenedSpace space = opener.open("valley:d=8,kappa=1e6");
  Workspace workspace;
  const Vector middle = singular_values(*space.manifold, Vector::Zero(8), workspace);
  for (int i = 0; i < 8; ++i) {
    EXPECT_NEAR(middle(i) * std::pow(kKappa, i / 7.0), 1, 1e-9) << i;
  }
  const Vector far = singular_values(*space.manifold, 2 * Vector::Unit(8, 0), workspace);
  EXPECT_LT(far(0) / far(7), 2);
}

TEST(Valley, CoordinatesGoThereAndBack) {
  constexpr double kKappa = 1e4;
  Random random(1);
  const Matrix points = random.normal_matrix(5, 20);
  const Matrix back = valley_to_base(valley_from_base(points, kKappa), kKappa);
  EXPECT_LE((back - points).cwiseAbs().maxCoeff(), 100 * kEpsilon);
  // Velocities against central differences.
  const Matrix velocities = random.normal_matrix(5, 20);
  constexpr double kStep = 1e-5;
  const Matrix difference =
      (valley_to_base(points + kStep * velocities, kKappa) - valley_to_base(points - kStep * velocities, kKappa)) /
      (2 * kStep);
  const Matrix exact = valley_push(points, velocities, kKappa);
  // An error of kStep² times third derivatives, each derivative of the scale bringing at most log κ / width.
  EXPECT_LE((difference - exact).norm(), kStep * kStep * std::pow(std::log(kKappa) / 0.25, 3) * exact.norm());
}

ConditioningSettings small_settings() {
  ConditioningSettings settings;
  settings.solvers = {"energy"};
  settings.families = {"sphere", "network", "hill", "valley"};
  settings.dimensions = {2, 8};
  settings.kappas = {1, 1e3, 1e6};
  settings.pairs = 2;
  settings.seed = 1;
  return settings;
}

TEST(Panels, LengthsDoNotDependOnTheChart) {
  Opener opener({});
  const auto panels = make_conditioning_panels(opener, small_settings());
  ASSERT_EQ(panels.size(), 8U);
  Workspace workspace;
  for (const ConditioningPanel& panel : panels) {
    for (const ConditionedSpace& space : panel.spaces) {
      // Any curve will do: the straight line of the chart, which is another curve in each.
      const StudyPair& pair = space.pairs[0];
      const Curve line = Curve::straight(pair.from, pair.to);
      const double there = measure(*space.space.manifold, line, workspace).length;
      Matrix nodes = line.position(uniform_times(2049));
      const double base = measure(*panel.base, space.to_base(Curve::through(nodes)), workspace).length;
      // Rounding of the chart, and the error of Hermite pieces in a valley.
      EXPECT_NEAR(base / there, 1, 1e-8 + 10 * kEpsilon * space.kappa) << space.space.name;
    }
  }
}

TEST(Panels, AskForTheSameEndsAtEveryKappa) {
  Opener opener({});
  for (const ConditioningPanel& panel : make_conditioning_panels(opener, small_settings())) {
    const Matrix expected = panel.base->generator()->value(
        panel.spaces[0]
            .to_base(Curve::straight(panel.spaces[0].pairs[1].from, panel.spaces[0].pairs[1].to))
            .positions());
    for (const ConditionedSpace& space : panel.spaces) {
      Matrix ends(panel.dimension, 2);
      ends << space.pairs[1].from, space.pairs[1].to;
      const Matrix found = space.space.manifold->generator()->value(ends);
      EXPECT_LE((found.leftCols(1) - expected.leftCols(1)).norm(), 1e3 * kEpsilon * space.kappa) << space.space.name;
      EXPECT_LE((found.rightCols(1) - expected.rightCols(1)).norm(), 1e3 * kEpsilon * space.kappa);
    }
  }
}

TEST(WilsonInterval, AgreesWithItsClosedForm) {
  constexpr double kZ2 = 1.959963984540054 * 1.959963984540054;
  const Interval none = wilson_interval(0, 10);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, kZ2 / (10 + kZ2), 1e-15);
  const Interval all = wilson_interval(10, 10);
  EXPECT_NEAR(all.low, 10 / (10 + kZ2), 1e-15);
  EXPECT_EQ(all.high, 1);
  const Interval half = wilson_interval(5, 10);
  EXPECT_NEAR(half.low + half.high, 1, 1e-15);
  EXPECT_NEAR(half.high - half.low, std::sqrt(kZ2 / (10 + kZ2)), 1e-15);
  // The ends are where the score test just rejects: |p̂ − p| = z √(p(1−p)/n).
  const Interval most = wilson_interval(8, 10);
  for (const double p : {most.low, most.high}) EXPECT_NEAR(std::pow(0.8 - p, 2), kZ2 * p * (1 - p) / 10, 1e-15);
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

TEST(Quantile, IsLinearBetweenValues) {
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0), 1);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 1), 4);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
  EXPECT_EQ(quantile({-INFINITY, 1}, 0.5), -INFINITY);
  EXPECT_EQ(quantile({1, INFINITY}, 0.5), INFINITY);
}

ConditioningRun converged(double length, double base_length, bool base_converged = true) {
  ConditioningRun run;
  run.termination = Termination::kConverged;
  run.length = length;
  run.base_length = base_length;
  run.base_converged = base_converged;
  return run;
}

TEST(ClaimOutcome, TellsFalseClaimsFromOtherMinima) {
  EXPECT_EQ(outcome_of(converged(1.0005, 1.0005), 1), ClaimOutcome::kSolved);
  EXPECT_EQ(outcome_of(converged(1.2, 1.2), 1), ClaimOutcome::kLonger);
  EXPECT_EQ(outcome_of(converged(1, 1, false), 1), ClaimOutcome::kFalse);
  EXPECT_EQ(outcome_of(converged(1, 1.01), 1), ClaimOutcome::kFalse);
  EXPECT_EQ(outcome_of(converged(1, NAN), 1), ClaimOutcome::kFalse);
  ConditioningRun stalled = converged(1, 1);
  stalled.termination = Termination::kStalled;
  EXPECT_EQ(outcome_of(stalled, 1), ClaimOutcome::kUnclaimed);
}

// Claims that the curve it is given is right.
class Liar final : public GeodesicSolver {
 public:
  Liar() : GeodesicSolver("liar") {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& /*context*/) const override {
    return {problem.initial, Termination::kConverged, "trust me", 1, {}};
  }
};

ConditioningStudy hill_study(std::vector<std::string> solvers) {
  Opener opener({});
  ConditioningStudy study;
  study.settings = small_settings();
  study.settings.solvers = std::move(solvers);
  study.settings.families = {"hill"};
  study.settings.dimensions = {2};
  study.panels = make_conditioning_panels(opener, study.settings);
  study.runs.resize(run_count(study));
  return study;
}

TEST(RunConditioningJob, HoldsClaimsToBaseCoordinates) {
  Opener opener({});
  ConditioningStudy study = hill_study({"energy", "liar"});
  const auto claim = run_conditioning_job(study, {0, 1, 0, 0}, *opener.solvers().make("energy"));
  ASSERT_TRUE(claim && claim->base);
  EXPECT_EQ(claim->result.termination, Termination::kConverged);
  EXPECT_EQ(claim->base->termination, Termination::kConverged);
  const auto refuted = run_conditioning_job(study, {0, 1, 0, 1}, Liar());
  EXPECT_EQ(refuted->result.termination, Termination::kStalled);
  EXPECT_FALSE(refuted->base);
  study.runs[run_index(study, {0, 1, 0, 0})] = run_of(*claim, study.panels[0].spaces[1].pairs[0]);
  study.runs[run_index(study, {0, 1, 0, 1})] = run_of(*refuted, study.panels[0].spaces[1].pairs[0]);
  const auto best = best_lengths(study, 0);
  EXPECT_EQ(best[0], claim->result.certificate.length);
  EXPECT_TRUE(std::isnan(best[1])) << "no solver has tried the second pair";
  const auto cells = panel_cells(study, 0);
  EXPECT_EQ(cells[2].count(ClaimOutcome::kSolved), 1);
  EXPECT_EQ(cells[3].count(ClaimOutcome::kUnclaimed), 1);
}

TEST(RunConditioningStudy, GoesOnWithWhatIsMissing) {
  Opener opener({});
  ConditioningStudy study = hill_study({"energy:nodes=8,max_nodes=8"});
  std::vector<std::unique_ptr<GeodesicSolver>> solvers;
  solvers.push_back(opener.solvers().make(study.settings.solvers[0]));
  int finished = 0;
  const auto count = [&](const ConditioningJob&, const ConditioningResult&) { ++finished; };
  EXPECT_EQ(missing_runs(study), 6U);
  run_conditioning_study(study, solvers, {.should_stop = [&] { return finished >= 2; }}, count);
  EXPECT_FALSE(study.complete);
  EXPECT_EQ(missing_runs(study), 4U);
  run_conditioning_study(study, solvers, {.threads = 2}, count);
  EXPECT_TRUE(study.complete);
  EXPECT_EQ(missing_runs(study), 0U);
  EXPECT_EQ(finished, 6);
}

}  // namespace
}  // namespace pullback
