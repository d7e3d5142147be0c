// The program pullback-train from outside: what it learns, that it survives being killed, and what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/SVD>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "program.h"
#include "pullback/base/safetensors.h"
#include "pullback/generators/network/model_file.h"

namespace pullback::training {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

constexpr int kSynthetic = 60;
constexpr int kPixels = 30;
constexpr std::size_t kLongestMessage = 6;  // lines

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// A folder with a small set in `data`; models are written to `model`.
class Workplace {
 public:
  Workplace() {
    std::filesystem::create_directory(path() / "data");
    put_synthetic_set(path() / "data", kSynthetic);
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path model() const { return path() / "model"; }
  std::filesystem::path checkpoint() const { return path() / "model.checkpoint"; }

  // `more` goes before the usual options and replaces those that it names.
  static std::vector<std::string> arguments(const std::string& kind, int epochs,
                                            const std::vector<std::string>& more = {}) {
    const std::vector<std::array<std::string, 2>> usual{
        {"--data", "data"}, {"--out", "model"}, {"--train", "50"}, {"--hidden", "4,8"},
        {"--critic", "16"}, {"--batch", "10"},  {"--codes", "8"},  {"--epochs", std::to_string(epochs)}};
    std::vector<std::string> all{kind};
    all.insert(all.end(), more.begin(), more.end());
    for (const auto& [name, value] : usual) {
      const auto given = [&name = name](const std::string& text) {
        return text == name || text.starts_with(name + "=");
      };
      if (std::none_of(more.begin(), more.end(), given)) all.insert(all.end(), {name, value});
    }
    return all;
  }
  Finished train(const std::string& kind, int epochs, const std::vector<std::string>& more = {}) const {
    return run_program(path(), arguments(kind, epochs, more));
  }

 private:
  TemporaryFolder folder_;
};

class EveryKind : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Train, EveryKind, ::testing::Values("vae", "dae", "gan", "wgan"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(EveryKind, LongerTrainingFitsHeldoutImagesBetter) {
  const Workplace workplace;
  std::vector<double> losses;
  for (const int epochs : {1, 200}) {
    const Finished finished = workplace.train(GetParam(), epochs, {"--learning-rate", "0.01"});
    ASSERT_EQ(finished.status, 0) << finished.err;
    EXPECT_LE(lines(finished.err), 11U) << "a line for each tenth, at most, where there is no terminal";
    losses.push_back(std::stod(read_safetensors(workplace.model()).metadata.at("heldout_loss")));
  }
  // The classes differ in 2/3 of their pixels; knowing the class takes well over a tenth off the loss.
  EXPECT_LT(losses[1], 0.9 * losses[0]);
}

TEST_P(EveryKind, WritesTheShippedFormat) {
  const Workplace workplace;
  ASSERT_EQ(workplace.train(GetParam(), 2).status, 0);
  const Safetensors file = read_safetensors(workplace.model());
  EXPECT_EQ(file.metadata.at("format"), "pullback-model-1");
  EXPECT_EQ(file.metadata.at("kind"), GetParam());
  EXPECT_EQ(file.metadata.at("name"), "model");
  EXPECT_EQ(file.metadata.at("image"), "6,5");
  EXPECT_THAT(file.metadata.at("command"), "pullback train " + std::string(GetParam()) +
                                               " --data data --out model --train 50 --hidden 4,8 --critic 16 "
                                               "--batch 10 --codes 8 --epochs 2");
  EXPECT_THAT(file.metadata.at("decoder"), HasSubstr(R"("weight":"decoder.2.weight")"));
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(file.tensors.at("decoder.0.weight").shape, (Shape{4, 2}));
  EXPECT_EQ(file.tensors.at("decoder.2.weight").shape, (Shape{kPixels, 8}));
  EXPECT_EQ(file.tensors.at("decoder.2.bias").shape, Shape{kPixels});
  EXPECT_EQ(file.tensors.at("codes").shape, (Shape{8, 2}));
  EXPECT_THAT(file.tensors.at("labels").to_double(), AllOf(Each(Ge(0)), Each(Le(1))));
  EXPECT_GT(std::stod(file.metadata.at("quality")), 0);
  EXPECT_THAT(file.metadata.at("quality_measure"), HasSubstr("squared"));
  EXPECT_EQ(std::count(file.metadata.at("code_deviation").begin(), file.metadata.at("code_deviation").end(), ','), 1);
  EXPECT_EQ(file.metadata.at("regulariser"), "none");
  const bool has_encoder = !std::string(GetParam()).ends_with("gan");
  EXPECT_EQ(file.metadata.count("encoder") == 1, has_encoder);
  if (has_encoder) {
    EXPECT_EQ(file.tensors.at("encoder.2.weight").shape, (Shape{2, 4}));
  }
}

// Starts a long training, waits for a checkpoint, sends the signal and returns how the program ended.
Finished interrupt(const Workplace& workplace, const std::string& kind, int epochs, int signal,
                   std::vector<std::string> more = {}) {
  more.emplace_back("--checkpoint-seconds=0");
  Program program(workplace.path(), Workplace::arguments(kind, epochs, more));
  while (program.running() && !std::filesystem::exists(workplace.checkpoint())) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  program.send(signal);
  return program.wait();
}

constexpr int kManyEpochs = 400;  // far more than are done when the first checkpoint is seen
constexpr int kFewEpochs = 60;    // still more, where every epoch takes several times as long

TEST_P(EveryKind, GoesOnAfterAKillToTheSameBits) {
  const Workplace whole;
  ASSERT_EQ(whole.train(GetParam(), kManyEpochs).status, 0);

  const Workplace killed;
  EXPECT_EQ(interrupt(killed, GetParam(), kManyEpochs, SIGKILL).status, -SIGKILL);
  ASSERT_FALSE(std::filesystem::exists(killed.model()));
  const Finished rest = killed.train(GetParam(), kManyEpochs);
  ASSERT_EQ(rest.status, 0) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("going on from model.checkpoint after epoch"));
  EXPECT_FALSE(std::filesystem::exists(killed.checkpoint())) << "the checkpoint outlived its use";

  // The command of the run that finished is recorded, and it was the same one.
  const Safetensors expected = read_safetensors(whole.model());
  const Safetensors resumed = read_safetensors(killed.model());
  EXPECT_EQ(resumed.metadata, expected.metadata);
  for (const auto& [name, tensor] : expected.tensors) EXPECT_EQ(resumed.tensors.at(name).data, tensor.data) << name;
}

TEST(Train, RegularisedGoesOnAfterAKillToTheSameBits) {
  const std::vector<std::string> regularised{"--regularise=isometric=1",  "--regularise=conformal=1",
                                             "--regularise=flat=0.1",     "--regularise=volume=0.1",
                                             "--regularise=clamping=0.1", "--regularise=spectral=3"};
  const Workplace whole;
  const Finished finished = whole.train("vae", kFewEpochs, regularised);
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Workplace killed;
  EXPECT_EQ(interrupt(killed, "vae", kFewEpochs, SIGKILL, regularised).status, -SIGKILL);
  ASSERT_EQ(killed.train("vae", kFewEpochs, regularised).status, 0);
  const Safetensors expected = read_safetensors(whole.model());
  const Safetensors resumed = read_safetensors(killed.model());
  EXPECT_EQ(expected.metadata.at("regulariser"), "isometric=1 conformal=1 flat=0.1 volume=0.1 clamping=0.1 spectral=3");
  for (const auto& [name, tensor] : expected.tensors) EXPECT_EQ(resumed.tensors.at(name).data, tensor.data) << name;
}

// What each regulariser is meant to lower, measured on the stored codes by the library's own Jacobians.
Matrix squared_singular_values(const ModelFile& model) {
  Matrix squared(model.codes.rows(), model.codes.cols());
  for (Eigen::Index k = 0; k < model.codes.cols(); ++k) {
    const Eigen::JacobiSVD<Matrix> svd(model.decoder->jacobian(model.codes.col(k)));
    squared.col(k) = svd.singularValues().array().square();
  }
  return squared;
}

double isometric_measure(const ModelFile& model) {
  const Matrix squared = squared_singular_values(model);
  const double trace = squared.colwise().sum().mean();
  return squared.array().square().colwise().sum().mean() / (trace * trace);
}

double conformal_measure(const ModelFile& model) {
  const Matrix squared = squared_singular_values(model);
  return (squared.array().square().colwise().sum() / squared.colwise().sum().array().square()).mean();
}

double flat_measure(const ModelFile& model) {
  const Matrix squared = squared_singular_values(model);
  return (squared.array() - squared.mean()).square().colwise().sum().mean();
}

double volume_measure(const ModelFile& model) {
  const Vector logs = squared_singular_values(model).array().log().colwise().sum();
  return (logs.array() - logs.mean()).square().mean();
}

// Steps of length 1 stretch by at most this.
constexpr double kClamp = 0.5;
double clamping_measure(const ModelFile& model) {
  const Matrix moved = model.codes.colwise() + Vector::Unit(model.codes.rows(), 0);
  const Vector stretching = (model.decoder->value(moved) - model.decoder->value(model.codes)).colwise().norm();
  return (stretching.array() - kClamp).max(0).square().mean();
}

struct Regularised {
  const char* name;
  const char* weight;
  double (*measure)(const ModelFile&);
};
std::ostream& operator<<(std::ostream& out, const Regularised& regularised) { return out << regularised.name; }

class EveryRegulariser : public ::testing::TestWithParam<Regularised> {};
INSTANTIATE_TEST_SUITE_P(Train, EveryRegulariser,
                         ::testing::Values(Regularised{"isometric", "30", isometric_measure},
                                           Regularised{"conformal", "30", conformal_measure},
                                           Regularised{"flat", "10", flat_measure},
                                           Regularised{"volume", "1000", volume_measure},
                                           Regularised{"clamping", "10", clamping_measure}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(EveryRegulariser, LowersWhatItIsMeantToLower) {
  const std::string regularise = std::string("--regularise=") + GetParam().name + "=" + GetParam().weight;
  std::vector<double> measures;
  for (const std::string& option : {std::string("--seed=1"), regularise}) {
    const Workplace workplace;
    const Finished finished =
        workplace.train("dae", 100, {option, "--learning-rate=0.01", "--clamp-range=0," + std::to_string(kClamp)});
    ASSERT_EQ(finished.status, 0) << finished.err;
    measures.push_back(GetParam().measure(read_model(workplace.model())));
  }
  // The optimum would lower each to its least value; half of what was too much is enough to tell a wrong sign or scale.
  const bool ratio = std::string(GetParam().name) == "isometric" || std::string(GetParam().name) == "conformal";
  const double least = ratio ? 0.5 : 0;
  EXPECT_LT(measures[1] - least, 0.5 * (measures[0] - least)) << measures[0] << " became " << measures[1];
}

TEST(Train, SpectralNormalisationIsInTheStoredWeights) {
  for (const char* kind : {"vae", "dae", "gan", "wgan"}) {
    const Workplace workplace;
    ASSERT_EQ(workplace.train(kind, 3, {"--regularise", "spectral=2.5"}).status, 0);
    const Safetensors file = read_safetensors(workplace.model());
    for (const char* name : {"decoder.0.weight", "decoder.1.weight", "decoder.2.weight"}) {
      const Tensor& stored = file.tensors.at(name);
      const std::vector<double> entries = stored.to_double();
      const Matrix transposed = Eigen::Map<const Matrix>(entries.data(), stored.shape[1], stored.shape[0]);
      constexpr double kSinglePrecision = 1e-5;  // of sums of 30 terms, relative to 2.5
      EXPECT_NEAR(Eigen::JacobiSVD<Matrix>(transposed).singularValues()(0), 2.5, 2.5 * kSinglePrecision) << name;
    }
  }
}

TEST(Train, CtrlCLeavesACheckpointAndSaysSo) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Workplace workplace;
    const Finished stopped = interrupt(workplace, "vae", 1'000'000, signal);
    EXPECT_EQ(stopped.status, 1);
    EXPECT_THAT(stopped.err, HasSubstr("the same command goes on from model.checkpoint"));
    EXPECT_FALSE(std::filesystem::exists(workplace.model()));
    EXPECT_TRUE(std::filesystem::exists(workplace.checkpoint()));
  }
}

// What a refusal must look like: exit status 3, a few lines, the first of which says it all.
void expect_refusal(const Workplace& workplace, const Finished& finished,
                    const ::testing::Matcher<const std::string&>& message) {
  EXPECT_EQ(finished.status, 3) << finished.err;
  EXPECT_THAT(first_line(finished.err), message);
  EXPECT_LE(lines(finished.err), kLongestMessage);
  EXPECT_THAT(finished.out, IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(workplace.model()));
}

TEST(Train, RefusedCheckpointsStopItUnlessFresh) {
  const Workplace workplace;
  interrupt(workplace, "vae", kManyEpochs, SIGKILL);
  expect_refusal(workplace, workplace.train("vae", kManyEpochs, {"--seed", "2"}),
                 AllOf(HasSubstr("model.checkpoint"), HasSubstr("seed 1 (now 2)"), HasSubstr("--fresh")));
  put(workplace.checkpoint(), get(workplace.checkpoint()).substr(0, 1000));
  expect_refusal(workplace, workplace.train("vae", kManyEpochs),
                 AllOf(HasSubstr("model.checkpoint"), HasSubstr("damaged"), HasSubstr("--fresh")));
  EXPECT_EQ(workplace.train("vae", 2, {"--fresh"}).status, 0);
}

TEST(Train, CheckpointOfOtherImagesIsRefused) {
  const Workplace workplace;
  interrupt(workplace, "vae", kManyEpochs, SIGKILL);
  put(workplace.path() / "data" / "t10k-labels-idx1-ubyte", label_header(kSynthetic) + std::string(kSynthetic, '\1'));
  expect_refusal(workplace, workplace.train("vae", kManyEpochs), HasSubstr("images"));
}

TEST(Train, DamagedImagesAreRefused) {
  const Workplace workplace;
  const std::filesystem::path images = workplace.path() / "data" / "t10k-images-idx3-ubyte";
  const std::string zipped = gzipped(get(images));
  put(images, zipped.substr(0, zipped.size() / 2));
  expect_refusal(workplace, workplace.train("vae", 2), HasSubstr("data/t10k-images-idx3-ubyte: truncated"));
}

TEST(Train, UnwritableOutputIsFoundBeforeTraining) {
  const Workplace workplace;
  // So many epochs that the test's time limit would pass if training began.
  expect_refusal(workplace, workplace.train("vae", 1'000'000, {"--out", "absent/model", "--checkpoint", "c"}),
                 HasSubstr("absent/model: cannot be written"));
}

TEST(Train, AFailedRunKeepsTheOldModel) {
  const Workplace workplace;
  put(workplace.model(), "old");
  EXPECT_EQ(workplace.train("vae", 2, {"--train", "60"}).status, 3);
  EXPECT_EQ(get(workplace.model()), "old");
}

TEST(Train, WrongUseExitsWithTwo) {
  const Workplace workplace;
  const Finished finished = workplace.train("rbm", 2);
  EXPECT_EQ(finished.status, 2);
  EXPECT_THAT(finished.err, AllOf(HasSubstr("pullback train: "), HasSubstr("rbm")));
  EXPECT_LE(lines(finished.err), kLongestMessage);
}

}  // namespace
}  // namespace pullback::training
