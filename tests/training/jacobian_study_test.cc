// The script examples/jacobian_study, from images to page.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/base/idx_files.h"

namespace pullback::training {
namespace {

class JacobianStudyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_.path() / "data");
    put_synthetic_set(folder_.path() / "data", 80);
  }

  // The exit status; what it prints goes to files.
  int run(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.path().string() +
                                "' && '" PULLBACK_JACOBIAN_STUDY "' --pullback '" PULLBACK_TOOL "' " + arguments +
                                " > stdout 2> stderr < /dev/null";
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): a script is what is tested
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string err() const { return get(folder_.path() / "stderr"); }

  std::map<std::string, std::filesystem::file_time_type> models() const {
    std::map<std::string, std::filesystem::file_time_type> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "out/models")) {
      found[entry.path().filename()] = entry.last_write_time();
    }
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(JacobianStudyTest, TrainsEveryKindOnceAndComparesThem) {
  ASSERT_EQ(run("--quick --data data --out out"), 0) << err();
  const auto json = nlohmann::json::parse(get(folder_.path() / "out/results.json"));
  ASSERT_EQ(json.at("groups").size(), 4U);
  EXPECT_EQ(json.at("complete"), true);
  std::string labels;
  for (const auto& group : json.at("groups")) labels += group.at("label").get<std::string>() + " ";
  EXPECT_EQ(labels, "vae-4-8-tanh-2d dae-4-8-tanh-2d gan-4-8-tanh-2d wgan-4-8-tanh-2d ");
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "out/report.html"));
  EXPECT_EQ(get(folder_.path() / "out/results.json").find(folder_.path()), std::string::npos)
      << "the results name their models from the study's folder";

  // What is there is kept; what is missing comes again.
  const auto before = models();
  ASSERT_EQ(before.size(), 4U);
  std::filesystem::remove(folder_.path() / "out/models/gan-4-8-tanh-2d-1.safetensors");
  ASSERT_EQ(run("--quick --data data --out out"), 0) << err();
  const auto after = models();
  ASSERT_EQ(after.size(), 4U);
  for (const auto& [name, time] : before) EXPECT_EQ(after.at(name) == time, !name.starts_with("gan")) << name;
}

TEST_F(JacobianStudyTest, ComparesRemediesWithDoingNothing) {
  ASSERT_EQ(run("--quick --remedies --data data --out out"), 0) << err();
  const auto json = nlohmann::json::parse(get(folder_.path() / "out/remedies/results.json"));
  std::map<std::string, double> kappa;
  std::string labels;
  const std::string plain = "vae-4-8-tanh-2d";
  for (const auto& group : json.at("groups")) {
    const auto label = group.at("label").get<std::string>();
    ASSERT_TRUE(label.starts_with(plain)) << label;
    labels += label.substr(plain.size()) + " ";
    kappa[label.substr(plain.size())] = group.at("cells").at("kappa_outside").at("median").get<double>();
  }
  EXPECT_EQ(labels, " +isometric +damp +floor +smooth +variance -isometric ");
  // M + I is better conditioned than M wherever that is ill-conditioned.
  EXPECT_LT(kappa.at("+damp"), kappa.at(""));
}

TEST_F(JacobianStudyTest, SaysWhatIsWrong) {
  EXPECT_EQ(run("--data data"), 2);
  EXPECT_NE(err().find("--out DIR are needed"), std::string::npos);
  EXPECT_EQ(run("--data nowhere --out out"), 2);
  EXPECT_NE(err().find("nowhere is no folder"), std::string::npos);
  EXPECT_EQ(run("--data data --out out --pairs many"), 2);
  EXPECT_EQ(run("--dataa data"), 2);
  EXPECT_EQ(run("--help"), 0);
  // A training that fails ends the study, with its reason.
  put(folder_.path() / "data/t10k-images-idx3-ubyte", "no images");
  EXPECT_EQ(run("--quick --data data --out out"), 3);
  EXPECT_NE(err().find("t10k-images-idx3-ubyte"), std::string::npos) << err();
}

}  // namespace
}  // namespace pullback::training
