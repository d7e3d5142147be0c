// Transforms after a generator's name, from the specification to what the tool writes of them.
#include "pullback/cli/transform_text.h"
#include "pullback/spaces/named_transforms.h"
#include "pullback/spaces/opener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "pullback/spaces/charts.h"
#include "pullback/spaces/opener.h"
#include "tool.h"

namespace pullback::cli {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kRounding = 1e-13;
// Relative difference of lengths that were solved or measured in two ways.
constexpr double kSolved = 1e-7;

TEST(SplitSteps, ReadsThemFromLeftToRight) {
  const TransformedName name = split_transforms("torus:R=3,r=1@isometric@damp=1e-3@kappa=1e3,chart=sheared");
  EXPECT_EQ(name.base, "torus:R=3,r=1");
  EXPECT_THAT(name.transforms, ElementsAre("isometric", "damp=1e-3", "kappa=1e3,chart=sheared"));
  EXPECT_THAT(split_transforms("torus").transforms, IsEmpty());
}

TEST(SplitSteps, LeavesPathsAlone) {
  const Folder folder;
  for (const char* path : {"some@where/model.safetensors", "me@home.safetensors", "me@home.pt"}) {
    EXPECT_EQ(split_transforms(path).base, path);
  }
  EXPECT_EQ(split_transforms("some@where/model.pt@damp=1").base, "some@where/model.pt");
  const std::string odd = folder.put("model@damp=1", "");
  EXPECT_EQ(split_transforms(odd).base, odd) << "a file is there";
  EXPECT_EQ(split_transforms(odd + "@floor=1").base, odd);
  const std::string plain = folder.put("model@2", "");
  EXPECT_EQ(split_transforms(plain + "@floor=1").base, plain);
}

TEST(ApplySteps, HasTheClosedFormsOfALinearMap) {
  Opener opener({});
  const Vector z = Vector::Zero(2);
  const Matrix plain = opener.open("linear:k=6").manifold->metric(z);
  const auto metric = [&](const std::string& transforms) {
    return opener.open("linear:k=6" + transforms).manifold->metric(z);
  };
  const Matrix I = Matrix::Identity(2, 2);
  EXPECT_LE((metric("@isometric") - I).norm(), 1e-9) << "κ = 10⁶ times rounding";
  EXPECT_LE((metric("@damp=0.25") - plain - 0.25 * I).norm(), kRounding);
  EXPECT_LE((metric("@smooth=3") - plain).norm(), kRounding);
  EXPECT_NEAR(metric("@floor=0.1").determinant(), 0.01, kRounding) << "1 and 0.1 for 1 and 10⁻⁶";
  EXPECT_LE((metric("@isometric@damp=0.5") - 1.5 * I).norm(), 1e-9);
  const Matrix other = metric("@damp=0.5@isometric");
  EXPECT_LE((other - I).norm(), 1e-9) << "in the order in which they stand";
}

TEST(ApplySteps, CarriesTheCodesAndTheWayBack) {
  Opener opener({});
  OpenedSpace base = opener.open("torus");
  base.codes = Matrix(2, 3);
  base.codes << 0.1, 0.7, -0.4, 0.3, -0.2, 0.9;
  base.metadata["code_deviation"] = "[1, 1]";
  const OpenedSpace space = apply_transforms(base, {"isometric", "kappa=10,chart=sheared", "damp=1e-2"});
  EXPECT_EQ(space.name, "torus@isometric@kappa=10,chart=sheared@damp=1e-2");
  EXPECT_LE((space.transformation.chart * space.codes - base.codes).norm(), kRounding * 10);
  EXPECT_EQ(space.transformation.plain, base.manifold);
  EXPECT_FALSE(space.metadata.contains("code_deviation")) << "was that of other coordinates";
  EXPECT_EQ(space.transformation.transforms[0].where, "the codes");
}

TEST(ApplySteps, SaysWhatChanged) {
  Opener opener({});
  const OpenedSpace space = opener.open("linear:k=3@floor=0.1@damp=0");
  const AppliedTransform& floor = space.transformation.transforms[0];
  EXPECT_EQ(floor.touched, 1);
  EXPECT_NEAR(floor.largest_factor, 100, 1e-6);
  EXPECT_NEAR(floor.least_factor, 1, kRounding * 10);
  EXPECT_NEAR(floor.kappa_before[1], 1000, 1e-6);
  EXPECT_NEAR(floor.kappa_after[1], 10, 1e-9);
  EXPECT_NEAR(floor.raised_to, 0.1, kRounding);
  EXPECT_EQ(space.transformation.transforms[1].touched, 0);
}

TEST(ApplySteps, RefusesWhatMeansNothing) {
  Opener opener({});
  for (const char* bad : {"torus@flor=0.1", "torus@", "torus@damp", "torus@damp=", "torus@damp=-1", "torus@floor=0",
                          "torus@floor=nan", "torus@smooth=0", "torus@isometric=1", "torus@damp=1@tanh"}) {
    EXPECT_THROW(opener.open(bad), std::invalid_argument) << bad;
  }
}

json geodesic(const Folder& folder, const std::string& generator) {
  const Finished finished = run_tool({"geodesic", generator, "--from", "0.3,0.4", "--to", "0.8,1.1", "--solver",
                                      "newton", "--samples", "11", "--json", folder / "out.json"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("in the metric before the transforms"));
  return json::parse(read_file(folder / "out.json"));
}

TEST(GeodesicWithSteps, IsMeasuredInThePlainMetricToo) {
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

TEST(GeodesicWithSteps, IsVerifiedAndFoundOut) {
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

TEST(InspectWithSteps, SaysWhatTheyChanged) {
  const Folder folder;
  const Finished finished =
      run_tool({"inspect", "linear:k=3@floor=0.1", "--grid", "4", "--json", folder / "inspect.json"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("@floor=0.1: lengths change by over 1 % at 100.0 %"));
  EXPECT_EQ(json::parse(read_file(folder / "inspect.json"))["transforms"][0]["touched"], 1);
}

TEST(CompareWithSteps, SolvesThem) {
  const Folder folder;
  const Finished finished = run_tool({"compare", "torus@damp=0.1", "torus@floor=0.4", "--solver", "newton", "--solver",
                                      "energy", "--pairs", "2", "--out", folder / "out"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(run_tool({"verify", folder / "out/results.json"}).status, 0);
}

}  // namespace
}  // namespace pullback::cli
