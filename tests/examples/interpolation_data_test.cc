// The parts of the study of digits mixed along geodesics, and the program on images without meaning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "classifier.h"
#include "mixing.h"
#include "pullback/generators/combine/compose.h"
#include "study.h"
#include "tests/base/idx_files.h"

namespace interpolation_data {
namespace {

using ::testing::HasSubstr;

TEST(Classifier, HasTheGradientOfItsLoss) {
  Classifier classifier(4, 3, 2, 1);
  const Images x = Images::Random(4, 5).cwiseAbs();
  Targets target(2, 5);
  target << 1, 0, 0.3F, 0.5F, 0, 0, 1, 0.7F, 0.5F, 1;
  Eigen::VectorXf gradient;
  Eigen::VectorXf scratch;
  classifier.gradient(x, target, gradient);
  constexpr float kStep = 1e-2F;
  for (Eigen::Index i = 0; i < gradient.size(); ++i) {
    const float before = classifier.weights()(i);
    classifier.weights()(i) = before + kStep;
    const float plus = classifier.gradient(x, target, scratch);
    classifier.weights()(i) = before - kStep;
    const float minus = classifier.gradient(x, target, scratch);
    classifier.weights()(i) = before;
    EXPECT_NEAR(gradient(i), (plus - minus) / (2 * kStep), 1e-3) << i;  // single precision, and kStep² of curvature
  }
}

TEST(Classifier, LearnsWhatCanBeToldApart) {
  Classifier classifier(2, 8, 2, 1);
  Images x(2, 4);
  x << 0, 1, 0, 1, 0, 1, 1, 0;
  Targets target(2, 4);  // exclusive or
  target << 1, 1, 0, 0, 0, 0, 1, 1;
  for (int i = 0; i < 500; ++i) classifier.step(x, target, 0.02F);
  const Score s = score(classifier.probabilities(x), {0, 0, 1, 1});
  EXPECT_EQ(s.accuracy, 1);
  EXPECT_LT(s.negative_log_likelihood, 0.1);
}

TEST(ScoreOf, HasItsClosedForm) {
  Targets p(2, 4);
  p << 0.9F, 0.9F, 0.6F, 0.3F, 0.1F, 0.1F, 0.4F, 0.7F;
  const Score s = score(p, {0, 1, 0, 1});
  constexpr double kSingle = 1e-6;
  EXPECT_EQ(s.accuracy, 0.75);
  EXPECT_NEAR(s.negative_log_likelihood, -(std::log(0.9) + std::log(0.1) + std::log(0.6) + std::log(0.7)) / 4, kSingle);
  // Bins of 0.9 (one of two right), 0.6 and 0.7 (both right).
  EXPECT_NEAR(s.calibration_error, (2 * std::abs(0.5 - 0.9) + 0.4 + 0.3) / 4, kSingle);
}

TEST(RandomWeight, HasTheMomentsOfItsDistribution) {
  constexpr int kDraws = 40000;
  for (const double alpha : {0.4, 1.0}) {
    std::mt19937_64 random(1);
    double mean = 0;
    double square = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double t = random_weight(alpha, random);
      mean += t / kDraws;
      square += (t - 0.5) * (t - 0.5) / kDraws;
    }
    EXPECT_NEAR(mean, 0.5, 5 * std::sqrt(0.25 / kDraws));
    EXPECT_NEAR(square, 0.25 / (2 * alpha + 1), 5 * 0.125 / std::sqrt(kDraws));  // Beta's variance
  }
}

// A decoder that adds the coordinates of a code twice, and paths over a detour.
TEST(DrawBatch, MixesImagesCodesAndLabelsAlike) {
  pullback::Matrix A(2, 1);
  A << 1, 2;
  const pullback::LinearMap decoder(A);
  Digits digits{Images(2, 2), pullback::Matrix(1, 2), {0, 1}};
  digits.images << 0, 1, 0, 1;
  digits.codes << 0, 1;
  std::vector<Pair> pairs = {{0, 1, pullback::Matrix(1, 3)}};
  pairs[0].path << 0, 10, 1;
  pullback::Workspace workspace;
  const auto draw = [&](Mixing mixing) {
    std::mt19937_64 random(3);
    return draw_batch(mixing, digits, pairs, decoder, 8, 1, 2, random, workspace);
  };
  const MixedBatch inputs = draw(Mixing::kInputs);
  const MixedBatch codes = draw(Mixing::kCodes);
  const MixedBatch geodesics = draw(Mixing::kGeodesics);
  const MixedBatch decoded = draw(Mixing::kDecoded);
  const MixedBatch none = draw(Mixing::kNone);
  EXPECT_EQ(inputs.targets, codes.targets) << "the same digits, pairs and weights";
  EXPECT_EQ(inputs.targets, geodesics.targets);
  for (int k = 0; k < 4; ++k) {
    const float t = inputs.targets(1, k);
    constexpr float kSingle = 1e-5F;
    EXPECT_NEAR(inputs.images(0, k), t, kSingle);
    EXPECT_NEAR(codes.images(1, k), 2 * t, kSingle);
    EXPECT_NEAR(geodesics.images(0, k), t < 0.5F ? 20 * t : 10 - 18 * (t - 0.5F), 20 * kSingle);
    EXPECT_EQ(decoded.targets(1, k), std::round(t));
    EXPECT_EQ(decoded.images(1, k), 2 * std::round(t));
    EXPECT_EQ(none.targets.col(k).maxCoeff(), 1);
  }
  EXPECT_EQ(inputs.images.rightCols(4), none.images.rightCols(4)) << "the other half stays as it is";
}

TEST(Summarise, HasStudentsInterval) {
  std::vector<std::vector<Score>> scores(3, std::vector<Score>(std::size(kMixings)));
  for (int i = 0; i < 3; ++i) scores[static_cast<std::size_t>(i)][1].accuracy = 0.1 * i;  // differences 0, 0.1, 0.2
  const auto difference = summarise(scores)["differences"][0]["accuracy"];
  EXPECT_NEAR(difference["mean"].get<double>(), 0.1, 1e-12);
  EXPECT_NEAR(difference["high"].get<double>(), 0.1 + 4.302653 * 0.1 / std::sqrt(3.0), 1e-6);  // t at 97.5 %, 2 degrees
}

int run_study(const std::filesystem::path& folder, const std::string& more, std::string* error = nullptr) {
  const std::string model = std::string(PULLBACK_SOURCE_DIR) + "/models/mnist-vae-8d.safetensors";
  const std::string err = (folder / "err").string();
  const std::string command = std::string(INTERPOLATION_DATA) + " --model " + model + " --out " +
                              (folder / "out").string() + " --labels 20 --pairs 3 --steps 5 --seeds 2 " + more + " >" +
                              (folder / "log").string() + " 2>" + err;
  const int status = std::system(command.c_str());
  if (error != nullptr) *error = pullback::training::get(err);
  return WEXITSTATUS(status);
}

// 2,040 images of random pixels: 40 to draw from, the rest held out.
TEST(InterpolationData, WritesResultsAndGoesOn) {
  const pullback::training::TemporaryFolder folder;
  constexpr std::uint32_t kCount = 2040;
  std::mt19937 random(1);
  std::string pixels(std::size_t{kCount} * 784, '\0');
  for (char& pixel : pixels) pixel = static_cast<char>(random());
  std::string labels(kCount, '\0');
  for (char& label : labels) label = static_cast<char>(random() % 10);
  pullback::training::put(folder.path() / "t10k-images-idx3-ubyte",
                          pullback::training::image_header(kCount, 28, 28) + pixels);
  pullback::training::put(folder.path() / "t10k-labels-idx1-ubyte", pullback::training::label_header(kCount) + labels);
  const std::string data = "--data " + folder.path().string();
  ASSERT_EQ(run_study(folder.path(), data), 0);
  const auto results = nlohmann::json::parse(pullback::training::get(folder.path() / "out/results.json"));
  EXPECT_EQ(results["schema"], "pullback-interpolation-data-1");
  EXPECT_TRUE(results["complete"].get<bool>());
  EXPECT_EQ(results["summary"]["mixings"].size(), std::size(kMixings));
  EXPECT_THAT(pullback::training::get(folder.path() / "out/tables.md"), HasSubstr("| codes, geodesics |"));

  std::filesystem::remove(folder.path() / "out/seed-2.json");
  const auto before = std::filesystem::last_write_time(folder.path() / "out/seed-1.json");
  ASSERT_EQ(run_study(folder.path(), data), 0);
  const auto again = nlohmann::json::parse(pullback::training::get(folder.path() / "out/results.json"));
  EXPECT_EQ(again["summary"], results["summary"]);
  EXPECT_EQ(std::filesystem::last_write_time(folder.path() / "out/seed-1.json"), before) << "seed 1 is kept";
}

TEST(InterpolationData, SaysWhatIsMissing) {
  const pullback::training::TemporaryFolder folder;
  std::string error;
  EXPECT_EQ(run_study(folder.path(), "", &error), 2);
  EXPECT_THAT(error, HasSubstr("--data"));
  EXPECT_EQ(run_study(folder.path(), "--data " + (folder.path() / "none").string(), &error), 3);
  EXPECT_THAT(error, HasSubstr("none"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "out"));
}

}  // namespace
}  // namespace interpolation_data
