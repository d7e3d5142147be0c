// Characterisation of Jacobians: the figures, and the command `study jacobian`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pullback/analysis/studies/study_fields.h"
#include "pullback/base/error.h"
#include "pullback/cli/fields_json.h"
#include "pullback/cli/findings.h"
#include "pullback/cli/jacobian_json.h"
#include "tests/spaces/exponential_space.h"
#include "tool.h"

namespace pullback::cli {
namespace {

using pullback::testing::normal_codes;
using pullback::testing::space_with_codes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::size_t kMedian = 3;

TEST(FindingsTest, NumberCollapsedCoordinatesFromOne) {
  const Characterisation c = characterise(space_with_codes(normal_codes(1)));
  EXPECT_THAT(findings(c).front(), HasSubstr("1 of 3 latent coordinates are collapsed (number 3)"));
}

TEST(JacobianStudyTest, LabelsAreToldFromParameters) {
  EXPECT_EQ(split_label("VAE=mnist-vae").label, "VAE");
  EXPECT_EQ(split_label("VAE=mnist-vae").specification, "mnist-vae");
  EXPECT_EQ(split_label("wide=torus:R=3,r=1").specification, "torus:R=3,r=1");
  for (const char* plain : {"mnist-vae", "torus:R=3,r=1", "mnist-vae@kappa=1e6", "folder/a=b.safetensors"}) {
    EXPECT_EQ(split_label(plain).label, plain);
    EXPECT_EQ(split_label(plain).specification, plain);
  }
}

TEST(JacobianStudyTest, ModelsComeBackAsTheyWereWritten) {
  OpenedSpace space = space_with_codes(normal_codes(1));
  space.metadata["quality"] = "0.12345678";
  const LabelledSpace labelled{"exp", space};
  const JacobianFigures figures = *study_model(labelled, {{.points = 50}, 4, 0, {}, 0}, {});
  const JacobianModel model = report_of(labelled, figures);
  EXPECT_EQ(model.quality, 0.1235) << "four digits";
  Json json = model_json(model, figures);
  const auto read = read_fields<JacobianModel>(JsonView(json, "file"));
  EXPECT_EQ(fields_json(read), fields_json(model));
  json["figures"]["inside"].erase("variation");
  EXPECT_THROW(read_fields<JacobianModel>(JsonView(json, "file")), Error);
}

TEST(JacobianStudyTest, IsDrawnAgainFromItsResults) {
  const Folder folder;
  const Finished first =
      run_tool({"study", "jacobian", "VAE=mnist-vae", "VAE=mnist-vae@kappa=100", "mnist-dae", "--points", "40",
                "--grid", "6", "--pairs", "1", "--solver", "energy:nodes=8,max_nodes=8", "--out", folder / "out"});
  ASSERT_EQ(first.status, 0) << first.err;
  const Json results = Json::parse(read_file(folder / "out/results.json"));
  EXPECT_EQ(results.at("groups").size(), 2U);
  const Json& a = results.at("models")[0].at("figures").at("inside");
  const Json& b = results.at("models")[1].at("figures").at("inside");
  EXPECT_EQ(a.at("variation"), b.at("variation")) << "a chart is the same model";
  EXPECT_EQ(a.at("scaled_kappa"), b.at("scaled_kappa"));
  EXPECT_NE(a.at("kappa"), b.at("kappa"));
  EXPECT_TRUE(results.at("models")[1].at("map").is_null()) << "one map for each label";
  const Finished again =
      run_tool({"study", "jacobian", "--from", folder / "out/results.json", "--out", folder / "again"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(read_file(folder / "again/report.html"), read_file(folder / "out/report.html"));
  EXPECT_EQ(again.out.substr(0, again.out.find("report:")), first.out.substr(0, first.out.find("report:")));
}

TEST(JacobianStudyTest, RefusesWhatItCannotStudy) {
  const Folder folder;
  const auto fails = [&](std::vector<std::string> arguments, int status, const std::string& message) {
    arguments.insert(arguments.begin(), {"study", "jacobian", "--out", folder / "out"});
    const Finished finished = run_tool(arguments);
    EXPECT_EQ(finished.status, status) << message;
    EXPECT_THAT(finished.err, HasSubstr(message));
    EXPECT_EQ(finished.out, "");
  };
  fails({}, 2, "expected models, or --from");
  fails({"torus"}, 2, "torus: expected a model with latent codes");
  fails({"mnist-vae", "--solver", "energy"}, 2, "--solver: say with --pairs");
  fails({"mnist-vae", "--pairs", "1", "--solver", "nothing"}, 2, "nothing");
  fails({"mnist-vae", "--from", "x.json"}, 2, "--from: draws results again");
  fails({"--from", folder / "absent.json"}, 3, "absent.json");
  fails({"--from", folder.put("other.json", "{\"schema\": \"pullback-compare-1\"}")}, 3,
        "expected pullback-jacobian-1");
  fails({"--from", folder.put("part.json", "{\"schema\": \"pullback-jacobian-1\"}")}, 3, "not the results");
  EXPECT_THAT(folder.list(), ElementsAre("other.json", "part.json"));
}

TEST(InspectTest, TellsTheDataFromTheirSurroundings) {
  const Finished finished = run_tool(
      {"inspect", "mnist-vae", "--grid", "4", "--pairs", "2", "--solver", "energy:nodes=8,max_nodes=8", "--json", "-"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json json = Json::parse(finished.out);
  const Json& figures = json.at("characterisation");
  EXPECT_GT(figures.at("inside").at("points"), 900);
  EXPECT_GT(figures.at("outside").at("kappa")[kMedian], figures.at("inside").at("kappa")[kMedian]);
  ASSERT_EQ(json.at("geodesics").size(), 3U) << "two sevens and two pairs";
  for (const Json& geodesic : json.at("geodesics")) EXPECT_GT(geodesic.at("geodesic").at("arc"), 0);
  EXPECT_TRUE(
      Json::parse(run_tool({"inspect", "torus", "--grid", "4", "--json", "-"}).out).at("characterisation").is_null());
  EXPECT_EQ(run_tool({"inspect", "torus", "--pairs", "2"}).status, 2);
}

}  // namespace
}  // namespace pullback::cli
