// The journal of studies, and the entries of `study conditioning` in it.
#include "pullback/cli/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pullback/base/error.h"
#include "pullback/cli/conditioning_journal.h"
#include "tool.h"

namespace pullback::cli {
namespace {

using ::testing::HasSubstr;

// Claims that the curve it is given is right.
class Liar final : public GeodesicSolver {
 public:
  Liar() : GeodesicSolver("liar") {}

 private:
  RawSolution run(const GeodesicProblem& problem, SolveContext& /*context*/) const override {
    return {problem.initial, Termination::kConverged, "trust me", 1, {}};
  }
};

TEST(JournalEntry, KeepsNodesOfClaimsOnlyAndBringsBackTheRun) {
  Opener opener({});
  JournaledStudy journaled;
  ConditioningStudy& study = journaled.study;
  study.settings = {{"energy", "liar"}, {"hill"}, {2}, {1, 1e3, 1e6}, 2, 1, 0};
  study.panels = make_conditioning_panels(opener, study.settings);
  study.runs.resize(run_count(study));
  journaled.texts.resize(run_count(study));
  const ConditioningJob job{0, 1, 0, 0};
  const auto claimed = run_conditioning_job(study, job, *opener.solvers().make("energy"));
  ASSERT_TRUE(claimed);
  const Json claim = entry_json(job, *claimed);
  EXPECT_EQ(claim["result"]["termination"], "converged");
  EXPECT_TRUE(claim["result"].contains("nodes"));
  EXPECT_EQ(claim["base"]["termination"], "converged");
  const Json refuted = entry_json({0, 1, 0, 1}, *run_conditioning_job(study, {0, 1, 0, 1}, Liar()));
  EXPECT_EQ(refuted["result"]["termination"], "stalled");
  EXPECT_FALSE(refuted["result"].contains("nodes"));
  take_entry(journaled, JsonView(claim, "claim"));
  take_entry(journaled, JsonView(refuted, "refuted"));
  const ConditioningRun expected = run_of(record_of(*claimed), study.panels[0].spaces[1].pairs[0]);
  const ConditioningRun& found = *study.runs[run_index(study, job)];
  EXPECT_EQ(found.termination, expected.termination);
  EXPECT_EQ(found.length, expected.length);
  EXPECT_EQ(found.best_known, expected.best_known);
  EXPECT_EQ(found.base_length, expected.base_length);
  EXPECT_EQ(found.base_converged, expected.base_converged);
  EXPECT_EQ(found.seconds, expected.seconds);
  EXPECT_EQ(found.evaluations, expected.evaluations);
  Json elsewhere = claim;
  elsewhere["kappa"] = 3;
  EXPECT_THROW(take_entry(journaled, JsonView(elsewhere, "entry")), Error);
}

std::vector<Json> read_journal(const std::string& path, const Json& header) {
  std::vector<Json> entries;
  const Journal journal(path, header, [&](const JsonView& entry) { entries.push_back(entry.json()); });
  return entries;
}

TEST(Journal, GoesOnWhereItWasKilled) {
  const Folder folder;
  const std::string path = folder / "journal.jsonl";
  const Json header = {{"settings", {{"seed", 1}}}};
  {
    Journal journal(path, header, [](const JsonView&) { FAIL() << "a new journal has no entries"; });
    for (int i = 0; i < 3; ++i) journal.append({{"entry", i}});
    EXPECT_THROW(read_journal(path, header), Error) << "another process works on it";
  }
  EXPECT_EQ(read_journal(path, header).size(), 3U);
  const std::string whole = read_file(path);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{5}}) {
    folder.put("journal.jsonl", whole.substr(0, whole.size() - cut));
    EXPECT_EQ(read_journal(path, header).size(), 2U) << cut;
    EXPECT_EQ(read_file(path), whole.substr(0, whole.rfind('\n', whole.size() - 2) + 1));
  }
  folder.put("journal.jsonl", whole.substr(0, 5));
  EXPECT_EQ(read_journal(path, header).size(), 0U) << "killed within the first line";
}

TEST(Journal, RefusesOtherSettingsAndDamage) {
  const Folder folder;
  const std::string path = folder / "journal.jsonl";
  read_journal(path, {{"settings", {{"seed", 1}, {"pairs", 4}}}});
  try {
    read_journal(path, {{"settings", {{"seed", 1}, {"pairs", 6}}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("was begun with other settings (pairs was 4, now 6)"));
  }
  folder.put("journal.jsonl", "{\"settings\":1}\n{\"entry\":\n{\"entry\":2}\n");
  try {
    read_journal(path, {{"settings", 1}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("journal.jsonl:2: is not JSON"));
  }
}

}  // namespace
}  // namespace pullback::cli
