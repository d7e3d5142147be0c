// The commands `geodesic`, `distances`, `solvers`, `generators`, `inspect` and `train`, as people call them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tool.h"

namespace pullback::cli {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// The sphere's pair of the known answers: (π/3, 0)–(2π/3, 2).
constexpr char kFrom[] = "1.0471975511965976,0";
constexpr char kTo[] = "2.0943951023931953,2";
constexpr double kLength = 2.167731273475;
constexpr double kDigitsGiven = 1e-12;     // of the known answer
constexpr double kEnergyTolerance = 1e-6;  // relative, what `energy` promises on smooth surfaces

std::string sphere_pairs() {
  return std::string("t1,p1,t2,p2\n") + kFrom + "," + kTo + "\n1,0.1,1.2,0.9\n" + kTo + "," + kFrom + "\n1,-2,1.5,-1\n";
}

json solved_to(const char* solver, const char* accuracy) {
  const Finished finished = run_tool(
      {"geodesic", "sphere", "--from", kFrom, "--to", kTo, "--solver", solver, "--accuracy", accuracy, "--json", "-"});
  EXPECT_EQ(finished.status, 0) << solver << ' ' << accuracy << ": " << finished.err;
  return json::parse(finished.out);
}

TEST(Geodesic, SolvesToTheAccuracyAskedFor) {
  for (const char* solver : {"newton", "energy", "shooting", "collocation"}) {
    int cost = 0;
    for (const char* accuracy : {"1e-4", "1e-6", "1e-8"}) {
      const json all = solved_to(solver, accuracy);
      EXPECT_EQ(all["accuracy"], std::stod(accuracy));
      const json& result = all["results"][0];
      EXPECT_NEAR(result["length"], kLength, std::stod(accuracy) * kLength + kDigitsGiven) << solver << accuracy;
      EXPECT_GE(result["effort"]["jacobians"], cost) << solver << ' ' << accuracy;
      cost = result["effort"]["jacobians"];
    }
  }
}

TEST(Geodesic, JsonHoldsWhatTheContractNames) {
  const Finished finished =
      run_tool({"geodesic", "sphere", "--from", kFrom, "--to", kTo, "--solver", "energy", "--json", "-"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.err, IsEmpty());
  const json all = json::parse(finished.out);
  EXPECT_EQ(all["generator"], "sphere");
  EXPECT_EQ(all["solver"], "energy");
  ASSERT_EQ(all["results"].size(), 1U);
  const json& result = all["results"][0];
  EXPECT_EQ(result["from"], json({1.0471975511965976, 0.0}));
  EXPECT_EQ(result["to"], json({2.0943951023931953, 2.0}));
  EXPECT_EQ(result["termination"], "converged");
  EXPECT_NEAR(result["length"], kLength, kEnergyTolerance * kLength + kDigitsGiven);
  for (const char* key : {"message", "length_error", "energy", "seconds"}) EXPECT_TRUE(result.contains(key)) << key;
  for (const char* key :
       {"termination", "length", "energy", "length_error", "endpoint_error", "speed_variation", "residual",
        "second_variation", "conjugate_point", "condition", "shorter_known", "metric_length", "relative_excess",
        "numerical_error", "disagreement", "refinement", "shortening", "derivatives", "complete"}) {
    EXPECT_TRUE(result["certificate"].contains(key)) << key;
  }
  for (const char* key : {"kappa_max", "sigma_min", "degenerate", "degenerate_fraction", "regularisation"}) {
    EXPECT_TRUE(result["certificate"]["condition"].contains(key)) << key;
  }
  for (const char* key : {"values", "jacobians", "second_derivatives", "products", "metrics", "iterations", "seconds",
                          "solver_seconds", "certificate_seconds", "generator_seconds"}) {
    EXPECT_TRUE(result["effort"].contains(key)) << key;
  }
  EXPECT_EQ(result["curve"]["t"].size(), 101U);
  EXPECT_EQ(result["curve"]["z"].size(), 101U);
  EXPECT_EQ(result["curve"]["z"][0], result["from"]);
  EXPECT_EQ(result["curve"]["z"][100], result["to"]);
}

TEST(Geodesic, TheSampledCurveHasTheReportedLength) {
  const Finished finished = run_tool(
      {"geodesic", "sphere", "--from", kFrom, "--to", kTo, "--solver", "energy", "--samples", "1001", "--json", "-"});
  const json result = json::parse(finished.out)["results"][0];
  double length = 0;
  json previous;
  for (const json& z : result["curve"]["z"]) {
    const double t = z[0];
    const double p = z[1];
    json x = {std::sin(t) * std::cos(p), std::sin(t) * std::sin(p), std::cos(t)};
    if (!previous.is_null()) {
      length += std::hypot(double(x[0]) - double(previous[0]), double(x[1]) - double(previous[1]),
                           double(x[2]) - double(previous[2]));
    }
    previous = x;
  }
  EXPECT_NEAR(length, result["length"], double(result["length_error"]));
}

TEST(Geodesic, PairsComeBackInTheirOrderOnAnyNumberOfThreads) {
  const Folder folder;
  const std::string pairs = folder.put("pairs.csv", sphere_pairs());
  std::vector<json> lengths;
  for (const char* threads : {"1", "4"}) {
    const std::string out = folder / (std::string(threads) + ".json");
    const Finished finished =
        run_tool({"geodesic", "sphere", "--pairs", pairs, "--solver", "energy", "--threads", threads, "--json", out});
    ASSERT_EQ(finished.status, 0) << finished.err;
    const json results = json::parse(read_file(out))["results"];
    ASSERT_EQ(results.size(), 4U);
    EXPECT_EQ(results[3]["from"], json({1.0, -2.0}));
    json all = json::array();
    for (const json& result : results) all.push_back({result["length"], result["curve"]});
    lengths.push_back(all);
  }
  EXPECT_EQ(lengths[0], lengths[1]) << "bit by bit";
}

TEST(Geodesic, SomeThatDoNotConvergeAreStatusOneAndWritten) {
  // The outer equator of the torus: the straight start is a geodesic, but a saddle.
  const Finished finished =
      run_tool({"geodesic", "torus:R=3,r=1", "--from", "0,0", "--to", "0,1.8", "--solver", "energy", "--json", "-"});
  EXPECT_EQ(finished.status, 1);
  const json result = json::parse(finished.out)["results"][0];
  EXPECT_EQ(result["termination"], "stationary");
  EXPECT_FALSE(result["certificate"]["conjugate_point"].is_null());
}

TEST(Geodesic, NegativeCoordinatesNeedNoEqualsSign) {
  const Finished finished =
      run_tool({"geodesic", "plane", "--from", "-1,-2", "--to", "-.5,0", "--solver", "energy", "--json", "-"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(json::parse(finished.out)["results"][0]["from"], json({-1.0, -2.0}));
}

TEST(Geodesic, TheHalfPlaneIsAMetricWithoutAGenerator) {
  const Finished finished =
      run_tool({"geodesic", "half-plane", "--from", "0,1", "--to", "3,2", "--solver", "energy", "--json", "-"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  constexpr double kHalfPlaneLength = 1.924847300238;
  EXPECT_NEAR(json::parse(finished.out)["results"][0]["length"], kHalfPlaneLength, kEnergyTolerance * kHalfPlaneLength);
}

TEST(Geodesic, TextIsForPeople) {
  const Finished finished = run_tool({"geodesic", "sphere", "--from", kFrom, "--to", kTo, "--solver", "energy"});
  EXPECT_THAT(finished.out, HasSubstr("termination       converged"));
  EXPECT_THAT(finished.out, HasSubstr("length            2.1677"));
}

std::vector<std::string> interrupted(const std::string& solver, const std::string& pairs, const std::string& out) {
  return {"geodesic",  "sphere", "--pairs", pairs, "--solver", solver, "--plugin", PULLBACK_INTERRUPTING_PLUGIN,
          "--threads", "1",      "--json",  out};
}

TEST(Geodesic, CtrlCLeavesWhatIsFinished) {
  const Folder folder;
  const Finished finished =
      run_tool(interrupted("interrupt:after=2", folder.put("pairs.csv", sphere_pairs()), folder / "out.json"));
  EXPECT_EQ(finished.status, 1) << finished.err;
  const json results = json::parse(read_file(folder / "out.json"))["results"];
  ASSERT_EQ(results.size(), 4U);
  EXPECT_NE(results[0]["termination"], "stopped");
  EXPECT_EQ(results[1]["termination"], "stopped");
  EXPECT_FALSE(results[1]["curve"]["z"].empty()) << "the curve that the solver had";
  EXPECT_EQ(results[2]["termination"], "stopped");
  EXPECT_TRUE(results[3]["length"].is_null());
}

TEST(Geodesic, ASecondCtrlCKillsAndLeavesNothing) {
  const Folder folder;
  const Finished finished =
      run_tool(interrupted("interrupt:times=2", folder.put("pairs.csv", sphere_pairs()), folder / "out.json"));
  EXPECT_EQ(finished.status, -SIGINT);
  EXPECT_THAT(folder.list(), ElementsAre("pairs.csv"));
}

TEST(Distances, IsASymmetricMatrix) {
  const Folder folder;
  const std::string points = folder.put("points.csv", "1,0\n1,1\n1.5,0.5\n");
  const Finished finished = run_tool({"distances", "sphere", points, "--out", folder / "lengths.csv", "--solver",
                                      "energy", "--json", folder / "lengths.json"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, IsEmpty());
  const json lengths = json::parse(read_file(folder / "lengths.json"))["lengths"];
  const auto arc = [](double t, double p, double u, double q) {
    return std::acos(std::sin(t) * std::sin(u) * std::cos(p - q) + std::cos(t) * std::cos(u));
  };
  EXPECT_EQ(lengths[0][0], 0.0);
  EXPECT_NEAR(lengths[0][1], arc(1, 0, 1, 1), kEnergyTolerance);
  EXPECT_NEAR(lengths[0][2], arc(1, 0, 1.5, 0.5), kEnergyTolerance);
  EXPECT_EQ(lengths[1][2], lengths[2][1]);
  EXPECT_EQ(count(read_file(folder / "lengths.csv"), "\n"), 3);
  EXPECT_EQ(read_file(folder / "lengths.terminations.csv"),
            "converged,converged,converged\nconverged,converged,converged\nconverged,converged,converged\n");
}

// Straight over the summit is a geodesic, and two shorter ones lead round it.
TEST(Distances, SayWhatIsNotCertified) {
  const Folder folder;
  const std::string points = folder.put("points.csv", "1,0\n-1,0\n0.5,0.5\n");
  const Finished finished =
      run_tool({"distances", "paraboloid", points, "--out", folder / "lengths.csv", "--solver", "collocation"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.err, HasSubstr("1 of 3 lengths are not certified (1 stationary), see "));
  EXPECT_THAT(finished.err, HasSubstr("lengths.terminations.csv"));
}

TEST(Solvers, ListsOptionsWithDefaults) {
  const Finished text = run_tool({"solvers"});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out, HasSubstr("nodes=64"));
  const json list = json::parse(run_tool({"solvers", "--json"}).out)["solvers"];
  bool found = false;
  for (const json& solver : list) {
    if (solver["name"] != "energy") continue;
    found = true;
    EXPECT_EQ(solver["available"], true);
    EXPECT_EQ(solver["options"][0]["name"], "nodes");
    EXPECT_EQ(solver["options"][0]["default"], "64");
    EXPECT_EQ(solver["options"][0]["type"], "int");
  }
  EXPECT_TRUE(found);
}

TEST(Solvers, ShowWhatAPluginBrings) {
  const Finished finished = run_tool({"solvers", "--plugin", PULLBACK_INTERRUPTING_PLUGIN});
  EXPECT_THAT(finished.out, HasSubstr("presses Ctrl-C"));
  EXPECT_THAT(finished.out, HasSubstr("from "));
}

TEST(Generators, ListsSurfacesModelsAndFiles) {
  const json list = json::parse(run_tool({"generators", "--json"}).out)["generators"];
  std::vector<std::string> names;
  for (const json& entry : list) names.push_back(entry["name"]);
  EXPECT_THAT(names, ::testing::IsSupersetOf(
                         {"half-plane", "torus", "mnist-vae", "mnist-dae", "mnist-gan", ".safetensors", ".pt"}));
}

TEST(Inspect, ReportsSingularPoints) {
  const Folder folder;
  // The cuspidal edge has rank 1 on the line t = 0.
  const std::string points = folder.put("points.csv", "0,0\n0,1\n1,1\n");
  const Finished finished = run_tool(
      {"inspect", "cusp", "--box", "-1,1", "--grid", "8", "--points", points, "--out", folder / "maps", "--json", "-"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const json all = json::parse(finished.out);
  const json& at_points = all["surveys"].back();
  EXPECT_EQ(at_points["points"], 3);
  EXPECT_EQ(at_points["singular"], 2);
  EXPECT_TRUE(at_points["kappa"].back().is_null());
  EXPECT_THAT(all["findings"].dump(), HasSubstr("2 of 3 points"));
  EXPECT_EQ(read_file(folder / "maps/inspect.json"), finished.out);
  EXPECT_THAT(read_file(folder / "maps/inspect.html"), StartsWith("<!doctype html>"));
}

TEST(Inspect, ReportsCollapsedCoordinates) {
  // σ of the linear map: 1 and 10⁻³.
  const json all =
      json::parse(run_tool({"inspect", "relu-fold:s=1000", "--box", "1,2", "--grid", "4", "--json", "-"}).out);
  EXPECT_EQ(all["surveys"][0]["collapsed"], json({1}));
}

// The tool alone in a folder: without the trainer and the module that reads TorchScript.
std::string lonely_tool(const Folder& folder) {
  std::filesystem::create_directory(folder.path() / "bin");
  std::filesystem::copy_file(PULLBACK_TOOL, folder.path() / "bin/pullback");
  return folder / "bin/pullback";
}

TEST(Train, IsAnotherProgramBesideTheTool) {
  const Folder folder;
  const std::string tool = lonely_tool(folder);
  std::filesystem::permissions(folder.put("bin/pullback-train", "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n"),
                               std::filesystem::perms::owner_all);
  const Finished finished = run_program(tool, {"train", "vae", "--data", "a b", "--help"});
  EXPECT_EQ(finished.status, 7);
  EXPECT_EQ(finished.out, "<vae><--data><a b><--help>");
}

TEST(Train, SaysThatItIsNotThere) {
  const Folder folder;
  const Finished finished = run_program(lonely_tool(folder), {"train", "vae"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_EQ(finished.err, "pullback: this build has no training: built without LibTorch\n");
  EXPECT_THAT(finished.out, IsEmpty());
}

// Modules are sought beside the library, which is copied alone.
TEST(TorchScript, SaysThatItNeedsLibTorch) {
  const Folder folder;
  std::filesystem::create_directory(folder.path() / "lib");
  const std::filesystem::path built = std::filesystem::path(PULLBACK_TOOL).parent_path() / "../lib";
  for (const auto& file : std::filesystem::directory_iterator(built)) {
    if (!file.path().filename().string().starts_with("libpullback_spaces.so.")) continue;
    std::filesystem::copy_file(file.path(), folder.path() / "lib" / file.path().filename());
  }
  const Finished finished =
      run_program("/usr/bin/env", {"LD_LIBRARY_PATH=" + (folder / "lib"), PULLBACK_TOOL, "geodesic",
                                   folder.put("m.PT", "anything"), "--from", "0,0", "--to", "1,1"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_THAT(finished.err, HasSubstr("TorchScript needs LibTorch"));
  EXPECT_THAT(finished.out, IsEmpty());
}

TEST(Help, IsThereForEveryCommand) {
  EXPECT_THAT(run_tool({"--help"}).out, HasSubstr("Examples:"));
  EXPECT_THAT(run_tool({"--version"}).out, StartsWith("pullback "));
  for (const char* command : {"solvers", "generators", "geodesic", "inspect", "compare", "distances", "exp", "log",
                              "transport", "curvature", "verify", "study"}) {
    const Finished finished = run_tool({command, "--help"});
    EXPECT_EQ(finished.status, 0);
    EXPECT_THAT(finished.out, HasSubstr("Usage: ")) << command;
  }
}

}  // namespace
}  // namespace pullback::cli
