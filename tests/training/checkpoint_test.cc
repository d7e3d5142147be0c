#include "pullback/training/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pullback/base/error.h"
#include "tests/base/idx_files.h"

namespace pullback::training {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kSettings = R"({"epochs":30,"seed":1})";

class CheckpointTest : public ::testing::Test {
 protected:
  std::filesystem::path path() const { return folder_.path() / "checkpoint"; }
  void SetUp() override {
    Checkpoint checkpoint{kSettings, 12, 0.1, {}};
    checkpoint.state["weight"] = Tensor::from_float({2}, {1.5F, -3.0F});
    checkpoint.state["random"] = Tensor::from_bytes({3}, {1, 2, 3});
    write_checkpoint(path(), checkpoint);
  }
  std::string refusal(const std::string& settings = kSettings) const {
    try {
      read_checkpoint(path(), settings);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  TemporaryFolder folder_;
};

TEST_F(CheckpointTest, ComesBackAsItWas) {
  const Checkpoint read = read_checkpoint(path(), kSettings).value();
  EXPECT_EQ(read.epoch, 12);
  EXPECT_EQ(read.loss, 0.1);
  ASSERT_EQ(read.state.size(), 2U);
  EXPECT_THAT(read.state.at("weight").to_double(), ::testing::ElementsAre(1.5, -3));
  EXPECT_THAT(read.state.at("random").to_double(), ::testing::ElementsAre(1, 2, 3));
}

TEST_F(CheckpointTest, AbsentIsNoError) {
  EXPECT_FALSE(read_checkpoint(folder_.path() / "absent", kSettings).has_value());
}

TEST_F(CheckpointTest, EveryDamagedByteIsNoticed) {
  const std::string good = get(path());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    put(path(), bytes);
    // A blank that pads the header may become another blank; then nothing is lost.
    const std::string message = refusal();
    if (message.empty()) {
      EXPECT_EQ(read_checkpoint(path(), kSettings)->state.at("weight").to_double(), (std::vector<double>{1.5, -3}));
      EXPECT_EQ(good[i], ' ') << "byte " << i;
    } else {
      EXPECT_THAT(message, AllOf(HasSubstr(path().string()), HasSubstr("--fresh"))) << "byte " << i;
    }
  }
}

TEST_F(CheckpointTest, TruncatedAnywhereIsRefused) {
  const std::string good = get(path());
  for (std::size_t size = 0; size < good.size(); ++size) {
    put(path(), good.substr(0, size));
    EXPECT_THAT(refusal(), HasSubstr("damaged")) << size;
  }
}

TEST_F(CheckpointTest, OtherSettingsAreNamed) {
  EXPECT_THAT(
      refusal(R"({"epochs":40,"latent":2,"seed":1})"),
      AllOf(HasSubstr("epochs 30 (now 40)"), HasSubstr("latent unset (now 2)"), ::testing::Not(HasSubstr("seed"))));
}

TEST_F(CheckpointTest, OtherSafetensorsAreRefused) {
  Safetensors model;
  model.metadata = {{"format", "pullback-model-1"}};
  write_safetensors(path(), model);
  EXPECT_THAT(refusal(), HasSubstr("not a checkpoint"));
}

}  // namespace
}  // namespace pullback::training
