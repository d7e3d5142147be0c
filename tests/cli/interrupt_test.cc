// Ctrl-C and SIGTERM end every command soon, with exit status 1 and what is finished.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tool.h"

namespace pullback::cli {
namespace {

using json = nlohmann::json;

// Long enough for every command to be in the middle of its work, all of which would take minutes.
constexpr double kAfter = 1;
constexpr double kAfterMakingPanels = 5;  // a study that trains networks before it begins
// Promised are 2 seconds; a machine may be busy with other tests.
constexpr double kSoon = 10;

struct Command {
  std::string name;
  std::vector<std::string> arguments;  // "FOLDER/" at the start of one stands for a folder of the test
  std::string results;                 // JSON with "complete", in that folder; empty: none
  double after = kAfter;
};

void PrintTo(const Command& command, std::ostream* out) { *out << command.name; }

// Lines of two numbers, or of four.
std::string many_lines(int numbers) {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    for (int j = 0; j < numbers; ++j) text += (j > 0 ? "," : "") + std::to_string(0.3 + j + i * 1e-4);
    text += "\n";
  }
  return text;
}

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {"Geodesic", {"geodesic", "sphere", "--pairs", "FOLDER/pairs.csv"}, ""},
      {"Distances", {"distances", "sphere", "FOLDER/points.csv", "--out", "FOLDER/lengths.csv"}, ""},
      {"Inspect", {"inspect", "mnist-vae", "--grid", "1000", "--out", "FOLDER/inspect"}, "inspect/inspect.json"},
      {"InspectPairs", {"inspect", "mnist-vae", "--pairs", "1000", "--out", "FOLDER/inspect"}, "inspect/inspect.json"},
      {"Compare", {"compare", "sphere", "--pairs", "10000", "--out", "FOLDER/compare"}, "compare/results.json"},
      {"FitUncertainty",
       {"fit-uncertainty", "mnist-vae", "--method", "ensemble", "--members", "100", "--out", "FOLDER/m.safetensors"},
       ""},
      {"StudyJacobian",
       {"study", "jacobian", "mnist-vae", "mnist-gan", "--points", "1000000", "--out", "FOLDER/jacobian"},
       "jacobian/results.json"},
      {"StudyUncertainty", {"study", "uncertainty", "--out", "FOLDER/uncertainty"}, "uncertainty/results.json"},
      {"StudyConditioning",
       {"study", "conditioning", "--out", "FOLDER/conditioning"},
       "conditioning/results.json",
       kAfterMakingPanels},
  };
  return all;
}

class EveryCommand : public ::testing::TestWithParam<Command> {};

TEST_P(EveryCommand, EndsSoonWithStatusOneAndWhatIsFinished) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Folder folder;
    folder.put("points.csv", many_lines(2));
    folder.put("pairs.csv", many_lines(4));
    std::vector<std::string> arguments = GetParam().arguments;
    for (std::string& argument : arguments) {
      if (argument.starts_with("FOLDER/")) argument = folder / argument.substr(7);
    }
    const Finished finished = interrupt_tool(arguments, GetParam().after, signal);
    EXPECT_EQ(finished.status, 1) << finished.err;
    EXPECT_LT(finished.seconds, kSoon);
    if (GetParam().results.empty()) continue;
    const json results = json::parse(read_file(folder / GetParam().results), nullptr, false);
    ASSERT_TRUE(results.is_object()) << ::testing::PrintToString(folder.list());
    EXPECT_EQ(results["complete"], false);
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryCommand, ::testing::ValuesIn(commands()),
                         [](const auto& info) { return info.param.name; });

TEST(TimeLimit, CountsTheOpeningOfASinglePair) {
  const Folder folder;
  const Finished finished = run_tool({"geodesic", "mnist-vae@smooth=1@smooth=1", "--from", "0,0", "--to", "1,1",
                                      "--time-limit", "0.01", "--json", folder / "out.json"});
  EXPECT_EQ(finished.status, 1) << finished.err;
  const json result = json::parse(read_file(folder / "out.json"))["results"][0];
  EXPECT_EQ(result["termination"], "time_limit");
  EXPECT_THAT(result["message"].get<std::string>(), ::testing::HasSubstr("time was up"));
  EXPECT_EQ(result["from"], json::parse("[0.0, 0.0]"));
}

}  // namespace
}  // namespace pullback::cli
