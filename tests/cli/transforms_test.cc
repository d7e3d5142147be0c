// Transforms after a generator's name, as the commands take them and write what they changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tool.h"

namespace pullback::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr double kRounding = 1e-13;
// Relative difference of lengths that were solved or measured in two ways.
constexpr double kSolved = 1e-7;

json geodesic(const Folder& folder, const std::string& generator) {
  const Finished finished = run_tool({"geodesic", generator, "--from", "0.3,0.4", "--to", "0.8,1.1", "--solver",
                                      "newton", "--samples", "11", "--json", folder / "out.json"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("in the metric before the transforms"));
  return json::parse(read_file(folder / "out.json"));
}

TEST(GeodesicWithTransforms, IsMeasuredInThePlainMetricToo) {
  const Folder folder;
  const json chart = geodesic(folder, "torus@isometric");
  EXPECT_EQ(chart["transforms"][0]["transform"], "isometric");
  const json& same = chart["results"][0];
  EXPECT_NEAR(same["length_plain"].get<double>(), same["length"].get<double>(), kSolved);
  EXPECT_EQ(same["z_plain"].size(), 11);
  const json A = chart["transforms"][0]["matrix"];
  const auto product = [&](int row) { return A[row][0].get<double>() * 0.3 + A[row][1].get<double>() * 0.4; };
  EXPECT_NEAR(same["z_plain"][0][0].get<double>(), product(0), kRounding);
  EXPECT_NEAR(same["z_plain"][0][1].get<double>(), product(1), kRounding);
  const json damped = geodesic(folder, "torus@damp=1")["results"][0];
  EXPECT_LT(damped["length_plain"].get<double>(), damped["length"].get<double>());
}

TEST(GeodesicWithTransforms, IsVerifiedAndFoundOut) {
  const Folder folder;
  json results = geodesic(folder, "torus@isometric@damp=1e-1@floor=0.3@smooth=0.1");
  EXPECT_EQ(run_tool({"verify", folder / "out.json"}).status, 0);
  results["results"][0]["length_plain"] = results["results"][0]["length_plain"].get<double>() * 1.01;
  results["results"][0]["z_plain"][3][0] = 7;
  const Finished finished = run_tool({"verify", folder.put("wrong.json", results.dump())});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.out, HasSubstr("length_plain"));
  EXPECT_THAT(finished.out, HasSubstr("z_plain[3]"));
}

TEST(InspectWithTransforms, SaysWhatTheyChanged) {
  const Folder folder;
  const Finished finished =
      run_tool({"inspect", "linear:k=3@floor=0.1", "--grid", "4", "--json", folder / "inspect.json"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("@floor=0.1: lengths change by over 1 % at 100.0 %"));
  EXPECT_EQ(json::parse(read_file(folder / "inspect.json"))["transforms"][0]["touched"], 1);
}

TEST(CompareWithTransforms, SolvesThem) {
  const Folder folder;
  const Finished finished = run_tool({"compare", "torus@damp=0.1", "torus@floor=0.4", "--solver", "newton", "--solver",
                                      "energy", "--pairs", "2", "--out", folder / "out"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(run_tool({"verify", folder / "out/results.json"}).status, 0);
}

}  // namespace
}  // namespace pullback::cli
