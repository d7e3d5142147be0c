// The study of conditioning: panels, and what is called solved.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "pullback/analysis/studies/conditioning_summary.h"
#include "pullback/manifold/curves/measure.h"

namespace pullback {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

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
  study.runs[run_index(study, {0, 1, 0, 0})] = run_of(record_of(*claim), study.panels[0].spaces[1].pairs[0]);
  study.runs[run_index(study, {0, 1, 0, 1})] = run_of(record_of(*refuted), study.panels[0].spaces[1].pairs[0]);
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
