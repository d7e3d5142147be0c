#include "pullback/training/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pullback::training {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

ParsedCommand parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "pullback-train");
  std::vector<const char*> argv;
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_command(static_cast<int>(argv.size()), argv.data());
}

ParsedCommand parse_usual(const std::string& kind, std::vector<std::string> more) {
  more.insert(more.begin(), {kind, "--data", "digits", "--out", "folder/mine.safetensors"});
  return parse(more);
}

TEST(OptionsTest, FillsInWhatDependsOnOtherOptions) {
  const Options vae = parse_usual("vae", {}).options.value();
  EXPECT_EQ(vae.kind, Kind::kVae);
  EXPECT_EQ(vae.activation, "sigmoid");
  EXPECT_EQ(vae.name, "mine");
  EXPECT_EQ(vae.checkpoint, "folder/mine.safetensors.checkpoint");
  EXPECT_GT(vae.epochs, 0);
  EXPECT_GT(vae.batch, 0);
  EXPECT_GT(vae.learning_rate, 0);
  EXPECT_EQ(parse_usual("dae", {}).options.value().activation, "tanh");
}

TEST(OptionsTest, GivenOptionsWin) {
  const Options gan = parse_usual("gan", {"--hidden", "3,5,7", "--activation", "elu", "--epochs=9", "--name", "other",
                                          "--checkpoint", "c", "--train", "11", "--weight-decay", "0"})
                          .options.value();
  EXPECT_THAT(gan.hidden, ElementsAre(3, 5, 7));
  EXPECT_EQ(gan.activation, "elu");
  EXPECT_EQ(gan.epochs, 9);
  EXPECT_EQ(gan.name, "other");
  EXPECT_EQ(gan.checkpoint, "c");
  EXPECT_EQ(gan.train, 11);
  EXPECT_EQ(gan.weight_decay, 0);
}

TEST(OptionsTest, WrongUseIsExplained) {
  const std::vector<std::vector<std::string>> wrong{
      {"--epochs", "0"},         {"--epochs", "many"},       {"--activation", "step"},
      {"--latent", "0"},         {"--learning-rate", "nan"}, {"--learning-rate", "0"},
      {"--learning-rate", "-1"}, {"--learning-rate", "inf"}, {"--weight-decay", "-1"},
      {"--noise", "1"},          {"--hidden", "4,,x"},       {"--hidden", "0"},
      {"--seed", "-1"},          {"--seed", "0.5"},          {"--no-such-option"},
      {"--resume", "--fresh"},   {"--train", "0"},           {"surplus"},
      {"--regularise", "flat"},  {"--regularise=flat=0"},    {"--regularise=flat=x"},
      {"--clamp-range=3,1"},     {"--clamp-range=3"},        {"--clamp-step=0"},
  };
  for (const auto& more : wrong) {
    ::testing::internal::CaptureStderr();
    const ParsedCommand parsed = parse_usual("vae", more);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), StartsWith("pullback train: "));
    EXPECT_FALSE(parsed.options) << ::testing::PrintToString(more);
    EXPECT_EQ(parsed.status, 2) << ::testing::PrintToString(more);
  }
  for (const std::vector<std::string>& few :
       {std::vector<std::string>{}, {"vae"}, {"vae", "--data", "d"}, {"rbm", "--data", "d", "--out", "o"}}) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(parse(few).status, 2) << ::testing::PrintToString(few);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), StartsWith("pullback train: "));
  }
}

TEST(OptionsTest, HelpNamesTheProgramAndEveryKind) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const ParsedCommand parsed = parse({"--help"});
  EXPECT_FALSE(parsed.options);
  EXPECT_EQ(parsed.status, 0);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              AllOf(HasSubstr("Usage: pullback train"), HasSubstr("vae|dae|gan|wgan"), HasSubstr("--regularise"),
                    HasSubstr("--checkpoint")));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), IsEmpty());
}

TEST(OptionsTest, RecordsTheCommandWithoutAbsolutePaths) {
  EXPECT_EQ(parse_usual("vae", {"--seed", "3"}).options.value().command,
            "pullback train vae --data digits --out folder/mine.safetensors --seed 3");
  EXPECT_EQ(
      parse({"dae", "--data", "/home/somebody/digits", "--out=/home/somebody/m.safetensors"}).options.value().command,
      "pullback train dae --data DIR --out=m.safetensors");
  EXPECT_EQ(parse({"gan", "--data=/home/somebody/digits", "--out", "m", "--checkpoint", "/home/somebody/c"})
                .options.value()
                .command,
            "pullback train gan --data=DIR --out m --checkpoint c");
}

TEST(OptionsTest, RegularisersAreReadInTheirOrder) {
  const Options options = parse_usual("vae", {"--regularise", "volume=0.1", "--regularize=isometric=100",
                                              "--regularise=clamping=2", "--clamp-range", "0.5,9"})
                              .options.value();
  EXPECT_EQ(to_string(options.regularisers), "volume=0.1 isometric=100 clamping=2");
  EXPECT_THAT(options.clamp_range, ElementsAre(0.5, 9));
  EXPECT_EQ(to_string(parse_usual("vae", {}).options->regularisers), "none");
}

TEST(OptionsTest, UnknownAndRepeatedRegularisersAreExplained) {
  const auto message = [](std::vector<std::string> more) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(parse_usual("vae", std::move(more)).status, 2);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(message({"--regularise", "isometry=1"}),
              AllOf(HasSubstr("no regulariser 'isometry'"),
                    HasSubstr("valid: isometric, conformal, flat, volume, clamping, spectral")));
  EXPECT_THAT(message({"--regularise=flat=1", "--regularise=flat=2"}), HasSubstr("flat is given twice"));
}

// Checkpoints say what they were made with: those older than regularisers, when wgan was called gan, still open.
TEST(OptionsTest, SettingsOfOldCheckpointsStay) {
  const auto settings = [](const std::string& kind) {
    return settings_text(parse_usual(kind, {"--epochs", "9"}).options.value(), "images");
  };
  EXPECT_EQ(settings("wgan"),
            R"({"activation":"tanh","average":0.999,"batch":64,"critic":[512,256],"critic-steps":3,"epochs":9,)"
            R"("hidden":[32,128],"images":"images","kind":"gan","latent":2,"learning-rate":0.0005,"penalty":10.0,)"
            R"("seed":1,"threads":1,"weight-decay":0.0})");
  EXPECT_THAT(settings("gan"), HasSubstr("logistic"));
  EXPECT_THAT(settings("vae"), ::testing::Not(HasSubstr("regularise")));
}

TEST(OptionsTest, SettingsHoldWhatChangesTheWeights) {
  const Options one = parse_usual("vae", {}).options.value();
  Options other = one;
  other.out = "elsewhere";
  other.checkpoint_seconds = 3;
  other.codes = 5;
  EXPECT_EQ(settings_text(one, "images"), settings_text(other, "images"));
  other.kl_weight = 2;
  EXPECT_NE(settings_text(one, "images"), settings_text(other, "images"));
  EXPECT_NE(settings_text(one, "images"), settings_text(one, "other images"));
}

}  // namespace
}  // namespace pullback::training
