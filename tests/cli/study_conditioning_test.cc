// The command `study conditioning`, as people call it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "tool.h"

namespace pullback::cli {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> small_study(const std::string& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"study", "conditioning", "--only", "--solver", "energy", "--solver",
                                        "graph", "--family",     "hill",   "--family", "valley", "--dimension",
                                        "2",     "--kappa",      "1e4,1",  "--pairs",  "2",      "--time-limit",
                                        "100",   "--out",        out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// What must not depend on when and how often the study ran.
json without_clocks(json results) {
  for (const char* key : {"created", "command", "environment", "threads", "overview"}) results.erase(key);
  for (json& generator : results["generators"]) {
    generator.erase("summary");
    for (json& result : generator["results"]) {
      result.erase("seconds");
      result.erase("effort");
    }
  }
  return results;
}

TEST(StudyConditioning, SolvesTheSamePairsInEveryChart) {
  const Folder folder;
  const Finished finished = run_tool(small_study(folder / "out"));
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("solved at κ ="));
  EXPECT_THAT(finished.out, HasSubstr("study.html"));
  EXPECT_THAT(folder.list(), ElementsAre("out", "out/journal.jsonl", "out/results.json", "out/study.html"));
  const json all = json::parse(read_file(folder / "out/results.json"));
  EXPECT_EQ(all["schema"], "pullback-conditioning-1");
  EXPECT_EQ(all["settings"]["kappas"], json({1.0, 1e4}));
  ASSERT_EQ(all["generators"].size(), 4U);
  for (const json& generator : all["generators"]) {
    ASSERT_EQ(generator["results"].size(), 4U);
    for (const json& result : generator["results"]) {
      const bool energy = result["solver"] == "energy";
      EXPECT_EQ(result["outcome"], energy ? "solved" : "unclaimed") << generator["name"] << result["message"];
      EXPECT_EQ(result.contains("nodes"), energy);
    }
  }
  // The length does not depend on the chart: to what the certificate allows.
  constexpr double kExcess = 1e-6;
  for (const std::size_t panel : {0U, 2U}) {
    const double at_one = all["generators"][panel]["results"][0]["length"];
    const double at_ten_thousand = all["generators"][panel + 1]["results"][0]["length"];
    EXPECT_NEAR(at_ten_thousand / at_one, 1, kExcess);
  }
  const Finished verified = run_tool({"verify", folder / "out/results.json"});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("16 of 16 results verified, 8 of them without a curve and without a claim"));
  json tampered = all;
  tampered["generators"][1]["results"][0]["nodes"]["z"][5][0] = 0.5;
  EXPECT_EQ(run_tool({"verify", folder.put("tampered.json", tampered.dump())}).status, 1);
}

TEST(StudyConditioning, GoesOnWhereItWasKilled) {
  const Folder folder;
  ASSERT_EQ(run_tool(small_study(folder / "out")).status, 0);
  const json whole = json::parse(read_file(folder / "out/results.json"));
  std::string journal = read_file(folder / "out/journal.jsonl");
  ASSERT_EQ(count(journal, "\n"), 17);
  // Nine lines and a half are left.
  std::size_t end = 0;
  for (int i = 0; i < 9; ++i) end = journal.find('\n', end) + 1;
  journal.resize(end + 40);
  folder.put("out/journal.jsonl", journal);
  ASSERT_EQ(run_tool(small_study(folder / "out")).status, 0);
  EXPECT_EQ(count(read_file(folder / "out/journal.jsonl"), "\n"), 17);
  EXPECT_EQ(read_file(folder / "out/journal.jsonl").substr(0, end), journal.substr(0, end)) << "done again";
  const json resumed = json::parse(read_file(folder / "out/results.json"));
  EXPECT_EQ(without_clocks(resumed), without_clocks(whole));
}

TEST(StudyConditioning, RefusesOtherSettingsInTheSameFolder) {
  const Folder folder;
  ASSERT_EQ(run_tool(small_study(folder / "out")).status, 0);
  const Finished finished = run_tool(small_study(folder / "out", {"--seed", "2"}));
  EXPECT_EQ(finished.status, 3);
  EXPECT_THAT(finished.err, HasSubstr("was begun with other settings (seed was 1, now 2)"));
  EXPECT_EQ(finished.out, "");
}

TEST(StudyConditioning, CtrlCLeavesWhatIsFinished) {
  const Folder folder;
  const std::vector<std::string> more = {
      "--solver", "interrupt:after=3", "--plugin", PULLBACK_INTERRUPTING_PLUGIN, "--threads", "1"};
  const Finished finished = run_tool(small_study(folder / "out", more));
  EXPECT_EQ(finished.status, 1) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("Interrupted"));
  const json all = json::parse(read_file(folder / "out/results.json"));
  EXPECT_EQ(all["complete"], false);
  // Two charts by three solvers; the third call of the last was being solved when the signal came.
  EXPECT_EQ(count(read_file(folder / "out/journal.jsonl"), "\n"), 1 + 8);
  EXPECT_THAT(read_file(folder / "out/study.html"), HasSubstr("\"complete\":false"));
}

TEST(StudyConditioning, SaysWhatIsWrong) {
  const Folder folder;
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"study"}, "subcommand"},
      {{"study", "conditioning", "--kappa", "0.5"}, "--kappa: expected numbers from 1"},
      {{"study", "conditioning", "--kappa", "1,nan"}, "--kappa"},
      {{"study", "conditioning", "--dimension", "2.5"}, "--dimension"},
      {{"study", "conditioning", "--family", "sphare"}, "unknown family \"sphare\""},
      {{"study", "conditioning", "--only"}, "--only"},
      {{"study", "conditioning", "--solver", "newtonish"}, "newtonish"},
      {{"study", "conditioning", "--family", "mnist-vae", "--dimension", "3"}, "none of the families"},
      {{"study", "conditioning", "--pairs", "0"}, "--pairs"},
  };
  for (auto [arguments, message] : cases) {
    arguments.insert(arguments.end(), {"--out", folder / "out"});
    const Finished finished = run_tool(arguments);
    EXPECT_EQ(finished.status, 2) << message << finished.out;
    EXPECT_THAT(finished.err, HasSubstr(message));
    EXPECT_EQ(finished.out, "");
  }
  EXPECT_THAT(folder.list(), ElementsAre());
}

}  // namespace
}  // namespace pullback::cli
