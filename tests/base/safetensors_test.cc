#include "pullback/base/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <stdexcept>

#include "pullback/base/error.h"

namespace pullback {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A folder of its own for each test, removed afterwards.
class SafetensorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "safetensors_test_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path path() const { return folder_ / "x.safetensors"; }

  void put(const std::string& bytes) const { std::ofstream(path(), std::ios::binary) << bytes; }

  std::string get() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Writes a file of this header and that many bytes of data.
  void put_header(const std::string& header, std::size_t data_size) const {
    const std::uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    put(bytes + header + std::string(data_size, 'x'));
  }

  // The message with which reading the file is refused; empty when it is not.
  std::string refusal() const {
    try {
      read_safetensors(path());
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(path().string()));
      return error.what();
    }
    return "";
  }

  std::size_t files_in_folder() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
};

Safetensors example() {
  Safetensors content;
  content.metadata = {{"format", "example"}, {"quoted", "\"ü\"\n"}};
  content.tensors["a"] = Tensor::from_bytes({3}, {0, 7, 255});
  content.tensors["b"] = Tensor::from_float({2, 2}, {1.5F, -2.0F, 0.25F, 1e-30F});
  content.tensors["empty"] = Tensor::from_float({0, 4}, {});
  content.tensors["scalar"] = Tensor::from_float({}, {3.0F});
  return content;
}

TEST_F(SafetensorsTest, RoundTripKeepsEverything) {
  const Safetensors written = example();
  write_safetensors(path(), written);
  const Safetensors read = read_safetensors(path());
  EXPECT_EQ(read.metadata, written.metadata);
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (const auto& [name, tensor] : written.tensors) {
    EXPECT_EQ(read.tensors.at(name).dtype, tensor.dtype) << name;
    EXPECT_EQ(read.tensors.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(read.tensors.at(name).data, tensor.data) << name;
  }
  EXPECT_THAT(read.tensors.at("b").to_double(), ElementsAre(1.5, -2.0, 0.25, 1e-30F));
  EXPECT_THAT(read.tensors.at("a").to_double(), ElementsAre(0, 7, 255));
  EXPECT_EQ(read.tensors.at("b").element_count(), 4);
  EXPECT_EQ(read.tensors.at("scalar").element_count(), 1);
  EXPECT_EQ(files_in_folder(), 1U) << "a temporary file was left";
}

TEST_F(SafetensorsTest, DataIsAligned) {
  write_safetensors(path(), example());
  std::uint64_t length = 0;
  std::memcpy(&length, get().data(), 8);
  EXPECT_EQ(length % 8, 0U);
}

TEST_F(SafetensorsTest, ReadsEveryDtype) {
  put_header(
      R"({"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"i":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},
"j":{"dtype":"I32","shape":[1],"data_offsets":[16,20]}})",
      0);
  const double d = -0.1;
  const std::int64_t i = -5'000'000'000;
  const std::int32_t j = -7;
  std::string bytes = get();
  bytes.append(reinterpret_cast<const char*>(&d), 8);
  bytes.append(reinterpret_cast<const char*>(&i), 8);
  bytes.append(reinterpret_cast<const char*>(&j), 4);
  put(bytes);
  const Safetensors read = read_safetensors(path());
  EXPECT_THAT(read.tensors.at("d").to_double(), ElementsAre(-0.1));
  EXPECT_THAT(read.tensors.at("i").to_double(), ElementsAre(-5e9));
  EXPECT_THAT(read.tensors.at("j").to_double(), ElementsAre(-7));
}

TEST_F(SafetensorsTest, TruncatedAnywhereIsRefused) {
  write_safetensors(path(), example());
  const std::string whole = get();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    put(whole.substr(0, size));
    EXPECT_NE(refusal(), "") << "cut after " << size << " of " << whole.size() << " bytes";
  }
}

TEST_F(SafetensorsTest, TrailingBytesAreRefused) {
  write_safetensors(path(), example());
  put(get() + "x");
  EXPECT_THAT(refusal(), HasSubstr("bytes of data"));
}

TEST_F(SafetensorsTest, HugeHeaderLengthIsRefusedBeforeItIsAllocated) {
  for (const std::uint64_t length : {~std::uint64_t{0}, std::uint64_t{1} << 62, std::uint64_t{99'999'999}}) {
    std::string bytes(16, ' ');
    std::memcpy(bytes.data(), &length, 8);
    put(bytes);
    EXPECT_THAT(refusal(), HasSubstr("header of")) << length;
  }
}

TEST_F(SafetensorsTest, BadHeadersAreRefused) {
  struct Case {
    const char* header;
    std::size_t data_size;
    const char* message;
  };
  const Case cases[] = {
      {"hello", 0, "not JSON"},
      {"", 0, "not JSON"},
      {"[1]", 0, "not a JSON object"},
      {R"({"__metadata__":{"a":1}})", 0, "not a string"},
      {R"({"__metadata__":"a"})", 0, "__metadata__"},
      {R"({"a":3})", 0, "dtype, shape and data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "dtype, shape and data_offsets"},
      {R"({"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", 4, "F99 is not one of"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "need 8 bytes"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "other than sizes"},
      {R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "other than sizes"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4, "other than sizes"},
      {R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4, "shape is not a list"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "pair of sizes"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4, "pair of sizes"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "outside"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "outside"},
      // 2³¹·2³¹·4 bytes wraps to 0 in 64 bits.
      {R"({"a":{"dtype":"F32","shape":[2147483648,2147483648],"data_offsets":[0,0]}})", 0, "too large"},
      {R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
       4, "overlap"},
      {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
       4, "overlap"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
       4, "gap"},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
       1, "twice"},
      {R"({"a":{"dtype":"U8","shape":[[[[1]]]],"data_offsets":[0,1]}})", 1, "nested"},
  };
  for (const Case& bad : cases) {
    put_header(bad.header, bad.data_size);
    EXPECT_THAT(refusal(), HasSubstr(bad.message)) << bad.header;
  }
}

TEST_F(SafetensorsTest, AbsentFileAndFolderAreRefused) {
  EXPECT_THAT(refusal(), HasSubstr("no such file"));
  std::filesystem::create_directory(path());
  EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
}

TEST_F(SafetensorsTest, UnwritablePathLeavesNothing) {
  const std::filesystem::path nowhere = folder_ / "absent" / "x.safetensors";
  try {
    write_safetensors(nowhere, example());
    FAIL() << "wrote into a folder that does not exist";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(nowhere.string()), HasSubstr("cannot be written")));
  }
  // A folder in the file's place: the temporary file is written, the rename fails and nothing may stay behind.
  std::filesystem::create_directory(path());
  std::ofstream(path() / "occupied") << "x";
  EXPECT_THROW(write_safetensors(path(), example()), Error);
  EXPECT_EQ(files_in_folder(), 1U);
}

TEST_F(SafetensorsTest, RefusedContentLeavesTheOldFile) {
  write_safetensors(path(), example());
  const std::string before = get();
  Safetensors bad = example();
  bad.tensors["b"].data.pop_back();
  EXPECT_THROW(write_safetensors(path(), bad), std::invalid_argument);
  bad = example();
  bad.metadata["latin1"] = "\xfc";
  EXPECT_THROW(write_safetensors(path(), bad), std::invalid_argument);
  EXPECT_EQ(get(), before);
  EXPECT_EQ(files_in_folder(), 1U);
}

TEST(TensorTest, ShapeMustMatchTheValues) {
  EXPECT_THROW(Tensor::from_float({2, 2}, {1, 2, 3}), std::invalid_argument);
  EXPECT_THROW(Tensor::from_bytes({-1}, {1}), std::invalid_argument);
  Tensor unknown = Tensor::from_bytes({1}, {1});
  unknown.dtype = "BF16";
  EXPECT_THROW(unknown.to_double(), std::invalid_argument);
}

}  // namespace
}  // namespace pullback
