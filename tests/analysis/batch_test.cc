// Running jobs and solves on several threads.
#include "pullback/analysis/batch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "pullback/analysis/distances.h"
#include "pullback/analysis/parallel.h"
#include "pullback/base/stop.h"
#include "pullback/spaces/opener.h"

namespace pullback {
namespace {

TEST(RunJobs, DoesEachOnce) {
  for (const int threads : {1, 3, 0}) {
    std::vector<std::atomic<int>> done(20);
    run_jobs(20, {.threads = threads}, [&](int i) { ++done[static_cast<std::size_t>(i)]; });
    for (const auto& count : done) EXPECT_EQ(count, 1) << threads;
  }
}

TEST(RunJobs, ThrowsWhatAJobThrows) {
  int last = -1;
  const auto job = [&](int i) {
    last = i;
    if (i == 3) throw std::runtime_error("the fourth");
  };
  EXPECT_THROW(run_jobs(20, {}, job), std::runtime_error);
  EXPECT_EQ(last, 3);
}

TEST(RunJobs, EndsAJobWithinAndBeginsNoOther) {
  bool stop = false;
  int ended = 0;
  run_jobs(20, {.should_stop = [&] { return stop; }}, [&](int i) {
    stop = i == 3;
    throw_if_stopped();
    ++ended;
  });
  EXPECT_EQ(ended, 3);
}

Batch torus() {
  Opener opener({});
  return {opener.open("torus:R=3,r=1"), opener.solvers().make("energy:nodes=16,max_nodes=16"), {}, 0};
}

TEST(SolveBatch, NamesPairsThatWereNotBegun) {
  const EndPoints pair{Vector{{0, 0}}, Vector{{0.4, 0.8}}};
  int solved = 0;
  const auto results = solve_batch(torus(), {pair, pair, pair},
                                   {.should_stop = [&] { return solved >= 1; },
                                    .advanced = [&](const std::string& name) { solved += name.empty() ? 0 : 1; }});
  ASSERT_EQ(results.size(), 3U);
  EXPECT_NE(results[0].termination, Termination::kStopped);
  EXPECT_EQ(results[1].termination, Termination::kStopped);
  EXPECT_EQ(results[2].termination, Termination::kStopped);
}

TEST(Distances, AreThoseOfTheCurvesFound) {
  Matrix points(2, 3);
  points << 0, 0, 0.4, 0, 0.5, 0.8;
  const Batch batch = torus();
  const DistanceMatrix matrix = distances(batch, points, {.threads = 2});
  EXPECT_EQ(matrix.lengths, matrix.lengths.transpose());
  EXPECT_EQ(matrix.lengths.diagonal(), Vector::Zero(3));
  const auto one = solve_batch(batch, {{points.col(0), points.col(2)}});
  EXPECT_EQ(matrix.lengths(0, 2), one[0].certificate.length);
  EXPECT_EQ(matrix.terminations[2][0], one[0].termination);
  EXPECT_FALSE(distances(batch, points, {.should_stop = [] { return true; }}).all_converged());
}

}  // namespace
}  // namespace pullback
