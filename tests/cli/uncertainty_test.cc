// The commands `fit-uncertainty` and `study uncertainty`, as people call them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tool.h"

namespace pullback::cli {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;

// Fitted with few of everything, which is quick.
std::vector<std::string> fit(const std::string& model, const std::string& method, const std::string& out) {
  return {"fit-uncertainty", model, "--method", method, "--centres", "12",
          "--members",       "2",   "--inputs", "30",   "--out",     out};
}

class FitUncertainty : public ::testing::TestWithParam<std::string> {};

TEST_P(FitUncertainty, TheFileOpensLikeAnyModel) {
  const Folder folder;
  const std::string file = folder / "fitted.safetensors";
  const Finished fitted = run_tool(fit("mnist-vae", GetParam(), file));
  ASSERT_EQ(fitted.status, 0) << fitted.err;
  const Finished solved =
      run_tool({"geodesic", file, "--from", "0.5,0.5", "--to", "0.1,0.9", "--json", folder / "g.json"});
  EXPECT_EQ(solved.status, 0) << solved.out << solved.err;
  EXPECT_EQ(run_tool({"verify", folder / "g.json"}).status, 0);
  const Finished inspected = run_tool({"inspect", file, "--grid", "8", "--json", folder / "i.json"});
  EXPECT_EQ(inspected.status, 0) << inspected.err;
  const Finished again = run_tool(fit(file, "gp", folder / "twice.safetensors"));
  EXPECT_EQ(again.status, 3);
  EXPECT_THAT(again.err, HasSubstr("has an uncertainty already"));
}

INSTANTIATE_TEST_SUITE_P(Method, FitUncertainty, ::testing::Values("rbf", "ensemble", "gp"),
                         [](const auto& info) { return info.param; });

TEST(FitUncertaintyInput, IsCheckedBeforeAnythingIsWritten) {
  const Folder folder;
  const std::string out = folder / "out.safetensors";
  const auto expect = [&](std::vector<std::string> arguments, int status, const char* message) {
    arguments.insert(arguments.begin(), "fit-uncertainty");
    const Finished finished = run_tool(arguments);
    EXPECT_EQ(finished.status, status);
    EXPECT_THAT(finished.err, HasSubstr(message));
    EXPECT_TRUE(folder.list().empty());
  };
  expect({"mnist-vae", "--method", "magic", "--out", out}, 2, "expected rbf, ensemble or gp, got \"magic\"");
  expect({"mnist-vae", "--method", "rbf"}, 2, "--out is required");
  expect({"mnist-vae", "--method", "rbf", "--out", folder / "out.bin"}, 2, "ends in .safetensors");
  expect({"mnist-vae", "--method", "rbf", "--out", out, "--centres", "3000"}, 2, "at most 2000");
  expect({"mnist-vae", "--method", "rbf", "--out", out, "--far", "nan"}, 2, "--far");
  expect({"mnist-vae", "--method", "gp", "--out", out, "--member", "mnist-dae"}, 2, "--method ensemble");
  expect({"torus", "--method", "rbf", "--out", out}, 3, "torus: no such file");
  expect({"mnist-gan", "--method", "rbf", "--out", out, "--data", folder / "none"}, 3, "has no encoder");
  expect({"mnist-vae", "--method", "rbf", "--out", out, "--data", folder / "none"}, 3, "none");
  expect({"mnist-vae", "--method", "ensemble", "--out", out, "--member", "mnist-vae-8d"}, 3, "share a latent space");
  expect({"mnist-vae", "--method", "rbf", "--out", folder / "no/such/out.safetensors"}, 3, "no/such");
}

// Geodesics through the hole of the ring are short cuts of the mean alone.
TEST(StudyUncertainty, OnARingGeodesicsKeepToTheData) {
  const Folder folder;
  const Finished finished = run_tool({"study", "uncertainty", "--model", "ring", "--method", "rbf", "--pairs", "2",
                                      "--time-limit", "100", "--out", folder / "out"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(folder.list(), Contains("out/report.html"));
  EXPECT_EQ(run_tool({"verify", folder / "out/curves/ring-rbf.json"}).status, 0);
  const json all = json::parse(read_file(folder / "out/results.json"));
  EXPECT_EQ(all["schema"], "pullback-uncertainty-study-1");
  const json metrics = all["models"][0]["metrics"];
  ASSERT_EQ(metrics.size(), 2U);
  EXPECT_EQ(metrics[0]["name"], "plain");
  EXPECT_LT(metrics[0]["summary"]["mean_share"], 0.7);
  EXPECT_GT(metrics[1]["summary"]["mean_share"], 0.95);
  EXPECT_EQ(metrics[1]["curves"].size(), 4U);
}

}  // namespace
}  // namespace pullback::cli
