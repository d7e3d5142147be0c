// The command `compare`.
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

constexpr char kQuickEnergy[] = "energy:nodes=16,max_nodes=16";

TEST(Compare, WritesResultsAndAReport) {
  const Folder folder;
  const Finished finished = run_tool({"compare", "sphere-stereographic", "half-plane", "--solver", "energy", "--solver",
                                      kQuickEnergy, "--pairs", "3", "--seed", "5", "--out", folder / "out"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("sphere-stereographic  (3 pairs)"));
  EXPECT_THAT(finished.out, HasSubstr("report.html"));
  EXPECT_THAT(folder.list(), ElementsAre("out", "out/report.html", "out/results.json"));
  const json all = json::parse(read_file(folder / "out/results.json"));
  EXPECT_EQ(all["schema"], "pullback-compare-1");
  EXPECT_EQ(all["complete"], true);
  EXPECT_EQ(all["settings"]["seed"], 5);
  EXPECT_EQ(all["settings"]["solvers"], json({"energy", kQuickEnergy}));
  EXPECT_THAT(std::string(all["command"]), HasSubstr("pullback compare sphere-stereographic half-plane"));
  for (const char* key : {"processor", "compiler", "libraries", "blas"})
    EXPECT_TRUE(all["environment"].contains(key)) << key;
  ASSERT_EQ(all["generators"].size(), 2U);
  const json& sphere = all["generators"][0];
  EXPECT_EQ(sphere["pairs"].size(), 3U);
  EXPECT_EQ(sphere["results"].size(), 6U);
  EXPECT_EQ(sphere["summary"][0]["solved"], 3);
  EXPECT_EQ(sphere["results"][0]["curve"]["z"].size(), 33U);
}

TEST(Compare, LengthsDoNotDependOnThreads) {
  const Folder folder;
  std::vector<json> lengths;
  for (const char* threads : {"1", "3"}) {
    const std::string out = folder / threads;
    ASSERT_EQ(
        run_tool({"compare", "paraboloid", "--solver", "energy", "--pairs", "6", "--threads", threads, "--out", out})
            .status,
        0);
    json all = json::array();
    const json document = json::parse(read_file(out + "/results.json"));
    for (const json& result : document["generators"][0]["results"]) {
      all.push_back({result["pair"], result["solver"], result["termination"], result["length"], result["curve"]});
    }
    lengths.push_back(all);
  }
  EXPECT_EQ(lengths[0].size(), 6U);
  EXPECT_EQ(lengths[0], lengths[1]);
}

TEST(Compare, CtrlCLeavesTheFinishedResultsAndTheirReport) {
  const Folder folder;
  const Finished finished =
      run_tool({"compare", "sphere", "--solver", "interrupt:after=4", "--solver", "energy", "--plugin",
                PULLBACK_INTERRUPTING_PLUGIN, "--threads", "1", "--pairs", "9", "--out", folder / "out"});
  EXPECT_EQ(finished.status, 1) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("Interrupted"));
  EXPECT_THAT(folder.list(), ElementsAre("out", "out/report.html", "out/results.json"));
  const json all = json::parse(read_file(folder / "out/results.json"));
  EXPECT_EQ(all["complete"], false);
  // Three pairs by both solvers; the fourth was being solved when the signal came.
  EXPECT_EQ(all["generators"][0]["results"].size(), 6U);
  for (const json& result : all["generators"][0]["results"]) EXPECT_NE(result["termination"], "stopped");
  EXPECT_THAT(read_file(folder / "out/report.html"), HasSubstr("\"complete\":false"));
}

TEST(Compare, ASecondCtrlCKills) {
  const Folder folder;
  const Finished finished =
      run_tool({"compare", "sphere", "--solver", "interrupt:times=2", "--plugin", PULLBACK_INTERRUPTING_PLUGIN,
                "--threads", "1", "--pairs", "9", "--out", folder / "out"});
  EXPECT_EQ(finished.status, -SIGINT);
  EXPECT_THAT(folder.list(), ElementsAre("out")) << "nothing half-written";
}

TEST(Compare, TwoSevensComeFirst) {
  const Folder folder;
  ASSERT_EQ(run_tool({"compare", "mnist-vae", "--solver", "energy:nodes=8,max_nodes=8", "--pairs", "1", "--out",
                      folder / "out"})
                .status,
            0);
  const json part = json::parse(read_file(folder / "out/results.json"))["generators"][0];
  ASSERT_EQ(part["pairs"].size(), 2U);
  EXPECT_EQ(part["pairs"][0]["name"], "two sevens");
  EXPECT_EQ(part["pairs"][0]["labels"], json({7, 7}));
}

}  // namespace
}  // namespace pullback::cli
