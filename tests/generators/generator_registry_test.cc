#include "pullback/generators/generator_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

#include "pullback/base/error.h"
#include "pullback/base/safetensors.h"
#include "pullback/generators/network/network.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

// z ↦ R z + r on the line: a generator that shows its parameters.
std::shared_ptr<const Generator> make_line(const ParameterValues& values) {
  const Matrix slope = Matrix::Constant(1, 1, values.find("R")->second);
  return std::make_shared<Network>(std::vector<Layer>{{slope, Vector::Constant(1, values.find("r")->second), {}}});
}

GeneratorRegistry with_line() {
  GeneratorRegistry registry;
  registry.add_named("line", "a line", {{"R", 2, "slope"}, {"r", 1, "offset"}}, make_line);
  return registry;
}

void write_model(const fs::path& path, float slope) {
  Safetensors content;
  content.metadata = {{"format", "pullback-model-1"},
                      {"name", "straight"},
                      {"decoder", R"([{"weight":"w","bias":"b","activation":"identity"}])"}};
  content.tensors["w"] = Tensor::from_float({1, 1}, {slope});
  content.tensors["b"] = Tensor::from_float({1}, {0});
  content.tensors["codes"] = Tensor::from_float({2, 1}, {5, 6});
  content.tensors["labels"] = Tensor::from_bytes({2}, {7, 8});
  write_safetensors(path, content);
}

class GeneratorRegistryTest : public ::testing::Test {
 protected:
  GeneratorRegistryTest()
      : folder_(fs::temp_directory_path() / ("generator_registry_test." + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~GeneratorRegistryTest() override { fs::remove_all(folder_); }

  fs::path folder_;
};

double at_one(const OpenedGenerator& opened) { return opened.generator->value(Matrix::Ones(1, 1))(0, 0); }

TEST_F(GeneratorRegistryTest, OpensANameWithItsDefaultsAndWithParameters) {
  const GeneratorRegistry registry = with_line();
  EXPECT_EQ(at_one(registry.open("line")), 3);
  EXPECT_EQ(at_one(registry.open("line:R=5")), 6);
  EXPECT_EQ(at_one(registry.open("line:r=-0.5,R=1e1")), 9.5);
  const OpenedGenerator opened = registry.open("line");
  EXPECT_EQ(opened.codes.rows(), 1);
  EXPECT_EQ(opened.codes.cols(), 0);
  EXPECT_THAT(opened.labels, IsEmpty());
}

TEST_F(GeneratorRegistryTest, RefusesParametersWithTheChoices) {
  const GeneratorRegistry registry = with_line();
  const auto expect = [&](const char* specification, const char* message) {
    EXPECT_THAT([&] { registry.open(specification); }, ThrowsMessage<std::invalid_argument>(HasSubstr(message)));
  };
  expect("line:q=1", "generator 'line' has no parameter 'q'; choices: R, r");
  expect("line:R=1,", "generator 'line' has no parameter ''; choices: R, r");
  expect("line:R", "parameter 'R' needs a value, as in R=2");
  expect("line:R=", "parameter 'R' must be a finite number, got ''");
  expect("line:R=one", "parameter 'R' must be a finite number, got 'one'");
  expect("line:R=1x", "parameter 'R' must be a finite number, got '1x'");
  expect("line:R=nan", "parameter 'R' must be a finite number, got 'nan'");
  expect("line:R=1e999", "parameter 'R' is 1e999, which overflow");
  expect("line:R=1e-999", "parameter 'R' is 1e-999, which");
  expect("line:R=1,R=2", "parameter 'R' is given twice");
}

TEST_F(GeneratorRegistryTest, AnUnknownNameListsTheKnownOnes) {
  GeneratorRegistry registry = with_line();
  registry.set_model_directory(folder_);
  write_model(folder_ / "mnist-vae.safetensors", 3);
  for (const char* specification : {"torus", "torus:R=3", "", "mnist-vae.safetensor"}) {
    EXPECT_THAT([&] { registry.open(specification); },
                ThrowsMessage<std::invalid_argument>(
                    AllOf(HasSubstr("unknown generator"),
                          HasSubstr("choices: line; models: mnist-vae; or an existing file ending in .safetensors"))));
  }
}

TEST_F(GeneratorRegistryTest, OpensAFileAndAModelByName) {
  GeneratorRegistry registry = with_line();
  write_model(folder_ / "mnist-vae.safetensors", 3);
  EXPECT_THROW(registry.open("mnist-vae"), std::invalid_argument);
  registry.set_model_directory(folder_);
  for (const std::string& specification : {std::string("mnist-vae"), (folder_ / "mnist-vae.safetensors").string()}) {
    const OpenedGenerator opened = registry.open(specification);
    EXPECT_EQ(at_one(opened), 3);
    EXPECT_EQ(opened.generator->traits().name, "straight");
    EXPECT_EQ(opened.codes, (Matrix(1, 2) << 5, 6).finished());
    EXPECT_THAT(opened.labels, ElementsAre(7, 8));
    EXPECT_EQ(opened.metadata.at("name"), "straight");
  }
  EXPECT_THAT([&] { registry.open("mnist-vae:R=1"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("is a model and has no parameters")));
}

TEST_F(GeneratorRegistryTest, AFileThatCannotBeReadIsAnErrorWithItsPath) {
  const GeneratorRegistry registry = with_line();
  const auto expect = [&](const std::string& path, const char* message) {
    EXPECT_THAT([&] { registry.open(path); }, ThrowsMessage<Error>(AllOf(HasSubstr(path), HasSubstr(message))));
  };
  expect((folder_ / "absent.safetensors").string(), "no such file");
  expect("absent.safetensors", "no such file");
  expect("./line", "no such file");
  expect(folder_.string(), "is a folder");
  std::ofstream(folder_ / "weights.bin") << "x";
  expect((folder_ / "weights.bin").string(), "no reader for this file ending; known endings: .safetensors");
  std::ofstream(folder_ / "broken.safetensors") << "x";
  expect((folder_ / "broken.safetensors").string(), "");
}

TEST_F(GeneratorRegistryTest, AddedReadersServeTheirEndingInAnyCase) {
  GeneratorRegistry registry;
  registry.add_reader(".Line", "a line in a file", [](const fs::path&) {
    return OpenedGenerator{make_line({{"R", 4}, {"r", 0}}), Matrix(1, 0), {}, {}};
  });
  std::ofstream(folder_ / "a.LINE") << "";
  EXPECT_EQ(at_one(registry.open((folder_ / "a.LINE").string())), 4);
  registry.set_model_directory(folder_);
  EXPECT_EQ(at_one(registry.open("a")), 4);
}

TEST_F(GeneratorRegistryTest, ListsWhatCanBeOpened) {
  GeneratorRegistry registry = with_line();
  registry.add_named("arc", "an arc", {}, [](const ParameterValues&) { return make_line({{"R", 1}, {"r", 1}}); });
  registry.set_model_directory(folder_);
  write_model(folder_ / "m2.safetensors", 1);
  write_model(folder_ / "m1.safetensors", 1);
  std::ofstream(folder_ / "README.md") << "no model";
  std::vector<std::string> names;
  for (const GeneratorEntry& entry : registry.list()) names.push_back(entry.name);
  EXPECT_THAT(names, ElementsAre("arc", "line", "m1", "m2", ".safetensors"));
  const GeneratorEntry line = registry.list()[1];
  EXPECT_EQ(line.source, GeneratorSource::kNamed);
  EXPECT_EQ(line.description, "a line");
  ASSERT_EQ(line.parameters.size(), 2u);
  EXPECT_EQ(line.parameters[0].name, "R");
  EXPECT_EQ(line.parameters[0].default_value, 2);
  EXPECT_EQ(registry.list()[2].source, GeneratorSource::kModel);
  EXPECT_EQ(registry.list()[4].source, GeneratorSource::kFile);
  registry.set_model_directory(folder_ / "absent");
  EXPECT_EQ(registry.list().size(), 3u);
}

TEST_F(GeneratorRegistryTest, RefusesRegistrationsThatMakeNoSense) {
  GeneratorRegistry registry = with_line();
  const auto reader = [](const fs::path&) { return OpenedGenerator{}; };
  EXPECT_THROW(registry.add_named("line", "", {}, make_line), std::invalid_argument);
  EXPECT_THROW(registry.add_named("", "", {}, make_line), std::invalid_argument);
  EXPECT_THROW(registry.add_named("a:b", "", {}, make_line), std::invalid_argument);
  EXPECT_THROW(registry.add_named("a", "", {{"R", 1, ""}, {"R", 2, ""}}, make_line), std::invalid_argument);
  EXPECT_THROW(registry.add_named("a", "", {}, nullptr), std::invalid_argument);
  EXPECT_THROW(registry.add_reader(".SafeTensors", "", reader), std::invalid_argument);
  EXPECT_THROW(registry.add_reader("pt", "", reader), std::invalid_argument);
  EXPECT_THROW(registry.add_reader(".", "", reader), std::invalid_argument);
  EXPECT_THROW(registry.add_reader(".pt", "", nullptr), std::invalid_argument);
  EXPECT_EQ(registry.list().size(), 2u);
}

}  // namespace
}  // namespace pullback
