// Model files with an uncertainty.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <string>

#include "pullback/base/error.h"
#include "pullback/generators/generator_registry.h"
#include "pullback/generators/network/model_file.h"
#include "pullback/generators/uncertain/gaussian_process.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr const char* kDecoder = R"([{"weight":"decoder.weight","bias":"decoder.bias","activation":"identity"}])";
constexpr const char* kMembers = R"([[{"weight":"decoder.weight","bias":"decoder.bias","activation":"identity"}],
                                     [{"weight":"member.weight","bias":"decoder.bias","activation":"identity"}]])";

// z ↦ (z1, z2, z1 + z2) and each kind of uncertainty; the files share what the kinds do not use.
Safetensors content_of(const char* kind) {
  Safetensors content;
  content.metadata = {{"format", kUncertaintyFormat},
                      {"uncertainty", kind},
                      {"name", "little"},
                      {"decoder", kDecoder},
                      {"members", kMembers}};
  auto& tensors = content.tensors;
  tensors["decoder.weight"] = Tensor::from_float({3, 2}, {1, 0, 0, 1, 1, 1});
  tensors["decoder.bias"] = Tensor::from_float({3}, {0, 0, 0});
  tensors["member.weight"] = Tensor::from_float({3, 2}, {3, 0, 0, 1, 1, 1});
  tensors["uncertainty.centres"] = Tensor::from_float({1, 2}, {0, 0});
  tensors["uncertainty.rates"] = Tensor::from_float({1, 2}, {1, 1});
  tensors["uncertainty.weight"] = Tensor::from_float({3, 1}, {1, 1, 4});
  tensors["uncertainty.floor"] = Tensor::from_float({3}, {0.25F, 0.25F, 0.25F});
  tensors["process.inputs"] = Tensor::from_float({4, 2}, {0, 0, 1, 0, 0, 1, 1, 1});
  tensors["process.outputs"] = Tensor::from_float({4, 2}, {0, 0, 1, 0.5F, -0.5F, 1, 0.8F, 1.2F});
  tensors["process.offset"] = Tensor::from_float({2}, {0, 0});
  tensors["process.lengths"] = Tensor::from_float({2}, {1, 1});
  tensors["process.variances"] = Tensor::from_float({2}, {1, 0.01F});
  tensors["codes"] = Tensor::from_float({2, 2}, {0, 1, 2, 3});
  tensors["labels"] = Tensor::from_bytes({2}, {7, 1});
  return content;
}

class UncertainModelTest : public ::testing::Test {
 protected:
  UncertainModelTest() : folder_(fs::temp_directory_path() / ("uncertain_model_test." + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~UncertainModelTest() override { fs::remove_all(folder_); }

  fs::path path() const { return folder_ / "model.safetensors"; }

  ModelFile read(const char* kind) const {
    write_safetensors(path(), content_of(kind));
    return read_model(path());
  }

  void expect_error(const char* kind, const std::function<void(Safetensors&)>& change, const char* message) const {
    Safetensors content = content_of(kind);
    change(content);
    write_safetensors(path(), content);
    EXPECT_THAT([&] { read_model(path()); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path().string()), HasSubstr(message))));
  }

 private:
  fs::path folder_;
};

TEST_F(UncertainModelTest, DeviationsAreStackedBelowTheMean) {
  const ModelFile model = read("rbf");
  const Matrix x = model.generator->value(Vector{{0, 0}});
  ASSERT_EQ(x.rows(), 6);
  EXPECT_NEAR(x(3), 1 / std::sqrt(1.25), 1e-15);
  EXPECT_NEAR(x(5), 1 / std::sqrt(4.25), 1e-15);
  EXPECT_EQ(model.decoder->ambient_dimension(), 3);
  EXPECT_EQ(model.codes, (Matrix{{0, 2}, {1, 3}}));
  EXPECT_EQ(model.generator->traits().name, "little");
}

TEST_F(UncertainModelTest, MembersShareTensors) {
  const ModelFile model = read("ensemble");
  const Matrix J = model.generator->jacobian(Vector{{0.3, 0.4}});
  // The mean of [2 1; 1 2] and [10 1; 1 2].
  EXPECT_LE((J.transpose() * J - Matrix{{6, 1}, {1, 2}}).norm(), 1e-14);
}

TEST_F(UncertainModelTest, AProcessNeedsNoDecoder) {
  Safetensors content = content_of("gp");
  content.metadata.erase("decoder");
  write_safetensors(path(), content);
  const OpenedGenerator opened = GeneratorRegistry().open(path().string());
  const auto process = std::dynamic_pointer_cast<const GaussianProcess>(opened.generator);
  ASSERT_NE(process, nullptr);
  EXPECT_EQ(process->data().inputs.cols(), 4);
  EXPECT_EQ(opened.codes.cols(), 2);
  EXPECT_EQ(opened.labels[0], 7);
}

TEST_F(UncertainModelTest, RefusesWhatIsDamaged) {
  const auto without = [](const char* tensor) { return [=](Safetensors& c) { c.tensors.erase(tensor); }; };
  const auto with = [](const char* tensor, const Tensor& value) {
    return [=](Safetensors& c) { c.tensors[tensor] = value; };
  };
  const auto metadata = [](const char* key, const char* text) {
    return [=](Safetensors& c) { c.metadata[key] = text; };
  };
  expect_error(
      "guess", [](Safetensors&) {}, "metadata 'uncertainty' must be rbf, ensemble or gp, got 'guess'");
  expect_error(
      "rbf", [](Safetensors& c) { c.metadata.erase("uncertainty"); }, "is missing");
  expect_error("rbf", without("uncertainty.weight"), "the tensor 'uncertainty.weight' is missing");
  expect_error("rbf", with("uncertainty.weight", Tensor::from_float({2, 1}, {1, 1})), "must have 3 rows");
  expect_error("rbf", with("uncertainty.weight", Tensor::from_float({3, 1}, {1, -1, 1})), "must not be negative");
  expect_error("rbf", with("uncertainty.weight", Tensor::from_float({3, 1}, {1, NAN, 1})), "NaN or infinite");
  expect_error("rbf", with("uncertainty.floor", Tensor::from_float({3}, {1, 0, 1})), "must be positive");
  expect_error("rbf", with("uncertainty.floor", Tensor::from_float({2}, {1, 1})), "must have the shape [3]");
  expect_error("rbf", with("uncertainty.rates", Tensor::from_float({1, 1}, {1})), "rates must be 2×1");
  expect_error("rbf", with("uncertainty.centres", Tensor::from_float({2}, {1, 1})), "two dimensions");
  expect_error("rbf", with("uncertainty.centres", Tensor::from_float({1, 3}, {1, 1, 1})), "rates must be");
  expect_error(
      "ensemble", [](Safetensors& c) { c.metadata.erase("members"); }, "'members'");
  expect_error("ensemble", metadata("members", "{}"), "must be a JSON list of decoders");
  expect_error("ensemble", metadata("members", "[[]]"), "member 0");
  expect_error("ensemble", without("member.weight"), "member 1 layer 0 names the tensor 'member.weight'");
  expect_error("ensemble", with("member.weight", Tensor::from_float({3, 1}, {1, 1, 1})), "must map 2 numbers to 3");
  expect_error("gp", with("process.outputs", Tensor::from_float({3, 2}, {0, 0, 1, 1, 2, 2})), "4 columns");
  expect_error("gp", with("process.lengths", Tensor::from_float({2}, {1, 0})), "lengths must be positive");
  expect_error("gp", with("process.variances", Tensor::from_float({2}, {0, 0})), "signal variance");
  expect_error("gp", without("process.variances"), "'process.variances' is missing");
}

}  // namespace
}  // namespace pullback
