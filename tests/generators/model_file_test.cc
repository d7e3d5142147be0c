#include "pullback/generators/network/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <string>

#include "pullback/base/error.h"
#include "pullback/base/safetensors.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr const char* kDecoder =
    R"([{"weight":"decoder.0.weight","bias":"decoder.0.bias","activation":"tanh"},
        {"weight":"decoder.1.weight","bias":"decoder.1.bias","activation":"leaky_relu","parameter":0.25}])";
constexpr const char* kEncoder = R"([{"weight":"encoder.0.weight","bias":"encoder.0.bias","activation":"identity"}])";

// 2-3-4 decoder, 4-2 encoder, five codes.
Safetensors good_content() {
  Safetensors content;
  content.metadata = {{"format", "pullback-model-1"}, {"name", "little"},   {"kind", "vae"}, {"image", "2,2"},
                      {"decoder", kDecoder},          {"encoder", kEncoder}};
  auto& tensors = content.tensors;
  tensors["decoder.0.weight"] = Tensor::from_float({3, 2}, {1, 2, 3, 4, 5, 6});
  tensors["decoder.0.bias"] = Tensor::from_float({3}, {0.5F, -0.5F, 0});
  tensors["decoder.1.weight"] = Tensor::from_float({4, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1});
  tensors["decoder.1.bias"] = Tensor::from_float({4}, {0, 0, 0, 1});
  tensors["encoder.0.weight"] = Tensor::from_float({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  tensors["encoder.0.bias"] = Tensor::from_float({2}, {10, 20});
  tensors["codes"] = Tensor::from_float({5, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  tensors["labels"] = Tensor::from_bytes({5}, {3, 1, 4, 1, 5});
  return content;
}

class ModelFileTest : public ::testing::Test {
 protected:
  ModelFileTest() : folder_(fs::temp_directory_path() / ("model_file_test." + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~ModelFileTest() override { fs::remove_all(folder_); }

  fs::path path() const { return folder_ / "model.safetensors"; }

  // What read_model says of the good content after a change.
  void expect_error(const std::function<void(Safetensors&)>& change, const char* message) const {
    Safetensors content = good_content();
    change(content);
    write_safetensors(path(), content);
    EXPECT_THAT([&] { read_model(path()); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path().string()), HasSubstr(message))));
  }

 private:
  fs::path folder_;
};

TEST_F(ModelFileTest, ReadsWhatWasWritten) {
  write_safetensors(path(), good_content());
  const ModelFile model = read_model(path());
  ASSERT_EQ(model.decoder->latent_dimension(), 2);
  ASSERT_EQ(model.decoder->ambient_dimension(), 4);
  EXPECT_EQ(model.decoder->traits().name, "little");
  EXPECT_EQ(model.decoder->layers()[0].weight, (Matrix(3, 2) << 1, 2, 3, 4, 5, 6).finished());
  EXPECT_EQ(model.decoder->layers()[1].activation.kind, ActivationKind::kLeakyRelu);
  EXPECT_EQ(model.decoder->layers()[1].activation.parameter, 0.25);
  // tanh(W z + b) by hand, then the sum of the three in the last component.
  const Matrix x = model.decoder->value(Vector{{0.1, -0.2}});
  const double a = std::tanh(0.2), b = std::tanh(-1.0), c = std::tanh(-0.7);
  EXPECT_NEAR(x(0), a, 1e-15);
  EXPECT_NEAR(x(1), 0.25 * b, 1e-15);
  EXPECT_NEAR(x(2), 0.25 * c, 1e-15);
  EXPECT_NEAR(x(3), a + b + c + 1 > 0 ? a + b + c + 1 : 0.25 * (a + b + c + 1), 1e-15);
  ASSERT_NE(model.encoder, nullptr);
  EXPECT_EQ(model.encoder->value(Vector{{1, 1, 1, 1}}), (Vector{{20, 46}}));
  EXPECT_EQ(model.codes, (Matrix(2, 5) << 0, 2, 4, 6, 8, 1, 3, 5, 7, 9).finished());
  EXPECT_THAT(model.labels, ::testing::ElementsAre(3, 1, 4, 1, 5));
  EXPECT_EQ(model.metadata.at("image"), "2,2");
}

TEST_F(ModelFileTest, EncoderCodesAndLabelsAreOptional) {
  Safetensors content = good_content();
  content.metadata.erase("encoder");
  content.metadata.erase("name");
  content.tensors.erase("codes");
  content.tensors.erase("labels");
  write_safetensors(path(), content);
  const ModelFile model = read_model(path());
  EXPECT_EQ(model.encoder, nullptr);
  EXPECT_EQ(model.codes.rows(), 2);
  EXPECT_EQ(model.codes.cols(), 0);
  EXPECT_TRUE(model.labels.empty());
  EXPECT_EQ(model.decoder->traits().name, "model");  // of the file
}

TEST_F(ModelFileTest, RefusesMetadataThatDoNotDescribeAModel) {
  const auto set = [](const char* key, const char* text) {
    return [=](Safetensors& content) { content.metadata[key] = text; };
  };
  expect_error([](Safetensors& c) { c.metadata.erase("format"); },
               "metadata 'format' must be 'pullback-model-1' or 'pullback-uncertainty-1', is missing");
  expect_error(set("format", "other"),
               "metadata 'format' must be 'pullback-model-1' or 'pullback-uncertainty-1', got 'other'");
  expect_error([](Safetensors& c) { c.metadata.erase("decoder"); },
               "metadata 'decoder', the list of layers, is missing");
  expect_error(set("decoder", "[{"), "metadata 'decoder' must be a JSON list of layers");
  expect_error(set("decoder", "[]"), "metadata 'decoder' must be a JSON list of layers");
  expect_error(set("decoder", "{}"), "metadata 'decoder' must be a JSON list of layers");
  expect_error(set("encoder", "none"), "metadata 'encoder' must be a JSON list of layers");
  expect_error(set("decoder", "[3]"), "decoder layer 0 must be a JSON object");
  expect_error(set("decoder", R"([{"weight":3}])"), "decoder layer 0 must have a string 'weight'");
  expect_error(set("decoder", R"([{"weights":"a"}])"),
               "decoder layer 0 has the unknown key 'weights'; choices: weight");
}

TEST_F(ModelFileTest, RefusesActivationsThatItDoesNotKnow) {
  const auto with_activation = [](const std::string& activation) {
    return [=](Safetensors& content) {
      content.metadata["encoder"] =
          R"([{"weight":"encoder.0.weight","bias":"encoder.0.bias","activation":)" + activation + "}]";
    };
  };
  expect_error(with_activation("\"swish\""), "encoder layer 0: unknown activation 'swish'; choices: identity, tanh");
  expect_error(with_activation("7"), "encoder layer 0 must have a string 'activation'");
  expect_error(with_activation("\"tanh\",\"parameter\":1"), "encoder layer 0: activation 'tanh' has no parameter");
  expect_error(with_activation("\"elu\",\"parameter\":\"1\""), "encoder layer 0: 'parameter' must be a number");
}

TEST_F(ModelFileTest, RefusesTensorsThatDoNotFit) {
  expect_error([](Safetensors& c) { c.tensors.erase("decoder.1.weight"); },
               "decoder layer 1 names the tensor 'decoder.1.weight', which is missing");
  expect_error([](Safetensors& c) { c.tensors.erase("decoder.0.bias"); },
               "decoder layer 0 names the tensor 'decoder.0.bias', which is missing");
  expect_error([](Safetensors& c) { c.tensors["decoder.0.weight"].shape = {6}; },
               "tensor 'decoder.0.weight' must have the shape [outputs, inputs], got [6]");
  expect_error(
      [](Safetensors& c) {
        c.tensors["decoder.0.bias"] = Tensor::from_float({2}, {1, 2});
      },
      "tensor 'decoder.0.bias' must have the shape [3], one element for each row of 'decoder.0.weight', got [2]");
  expect_error(
      [](Safetensors& c) {
        c.tensors["decoder.1.weight"] = Tensor::from_float({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
      },
      "layer 1: the weight must have 3 columns");
  expect_error(
      [](Safetensors& c) {
        c.tensors["encoder.0.weight"] = Tensor::from_float({2, 3}, {1, 2, 3, 4, 5, 6});
      },
      "the encoder must map 4 numbers to 2, the inverse of the decoder, but maps 3 to 2");
  expect_error(
      [](Safetensors& c) {
        c.tensors["decoder.0.weight"] = Tensor::from_float({3, 0}, {});
      },
      "weight is empty");
}

TEST_F(ModelFileTest, RefusesNumbersThatAreNotFinite) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  expect_error(
      [](Safetensors& c) {
        c.tensors["decoder.0.weight"] = Tensor::from_float({3, 2}, {1, 2, 3, 4, kNaN, 6});
      },
      "tensor 'decoder.0.weight' has an element that is NaN or infinite");
  expect_error(
      [](Safetensors& c) {
        c.tensors["encoder.0.bias"] = Tensor::from_float({2}, {1, -kInfinity});
      },
      "tensor 'encoder.0.bias' has an element that is NaN or infinite");
  expect_error(
      [](Safetensors& c) {
        c.tensors["codes"] = Tensor::from_float({1, 2}, {kNaN, 0});
      },
      "tensor 'codes' has an element that is NaN or infinite");
}

TEST_F(ModelFileTest, RefusesCodesAndLabelsThatDoNotFit) {
  expect_error(
      [](Safetensors& c) {
        c.tensors["codes"] = Tensor::from_float({2, 3}, {1, 2, 3, 4, 5, 6});
      },
      "tensor 'codes' must have the shape [points, 2], the latent dimension of the decoder, got [2, 3]");
  expect_error(
      [](Safetensors& c) {
        c.tensors["labels"] = Tensor::from_bytes({4}, {1, 2, 3, 4});
      },
      "tensor 'labels' must have the shape [5], one for each code, got [4]");
  expect_error([](Safetensors& c) { c.tensors.erase("codes"); },
               "tensor 'labels' must have the shape [0], one for each code, got [5]");
  expect_error(
      [](Safetensors& c) {
        c.tensors["labels"] = Tensor::from_float({5}, {0, 1, 2.5F, 3, 4});
      },
      "tensor 'labels' must hold whole numbers from 0 to 255, found 2.5");
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Into a new file: some file systems sync a file that is truncated and written again, which takes its time.
void write_bytes(const fs::path& path, const std::string& bytes) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST_F(ModelFileTest, RefusesAMissingFile) {
  EXPECT_THAT([&] { read_model(path()); }, ThrowsMessage<Error>(HasSubstr(path().string())));
}

TEST_F(ModelFileTest, RefusesAFileThatEndsEarlyWhereverItEnds) {
  write_safetensors(path(), good_content());
  const std::string bytes = bytes_of(path());
  for (std::size_t size = 0; size < bytes.size(); size += size < 32 ? 1 : 7) {
    write_bytes(path(), bytes.substr(0, size));
    EXPECT_THAT([&] { read_model(path()); }, ThrowsMessage<Error>(HasSubstr(path().string()))) << size << " bytes";
  }
}

// A damaged byte may leave a valid file (a digit in a weight); it must never do anything but give a model or an Error.
TEST_F(ModelFileTest, SurvivesADamagedByteAnywhere) {
  write_safetensors(path(), good_content());
  const std::string bytes = bytes_of(path());
  constexpr char kMasks[] = {'\x01', '\x7f', '\x20'};
  int refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ kMasks[i % 3]);
    write_bytes(path(), damaged);
    try {
      const ModelFile model = read_model(path());
      EXPECT_TRUE(model.decoder->value(Vector::Zero(2)).allFinite());
    } catch (const Error& error) {
      ++refused;
      EXPECT_THAT(error.what(), HasSubstr(path().string()));
    }
  }
  EXPECT_GT(refused, 500);  // most of the header's bytes matter
}

}  // namespace
}  // namespace pullback
