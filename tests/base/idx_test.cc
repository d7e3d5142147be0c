#include "pullback/base/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "pullback/base/error.h"
#include "tests/base/idx_files.h"

namespace pullback::training {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kPixels = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\xff";  // 2 images of 2×3

class IdxTest : public ::testing::Test {
 protected:
  std::filesystem::path images() const { return folder_.path() / "t10k-images-idx3-ubyte"; }
  std::filesystem::path labels() const { return folder_.path() / "t10k-labels-idx1-ubyte"; }

  void SetUp() override {
    put(images(), image_header(2, 2, 3) + kPixels);
    put(labels(), label_header(2) + "\x07\xff");
  }

  // The message with which `read` is refused; empty when it is not.
  static std::string refusal(const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  std::string refusal() const {
    return refusal([this] { read_image_set(images(), labels()); });
  }

  TemporaryFolder folder_;
};

TEST_F(IdxTest, ReadsPlainAndGzippedAlike) {
  for (const bool compressed : {false, true}) {
    if (compressed) {
      put(images(), gzipped(get(images())));
      put(labels(), gzipped(get(labels())));
    }
    const ImageSet set = read_image_set(images(), labels());
    EXPECT_EQ(set.count, 2);
    EXPECT_EQ(set.rows, 2);
    EXPECT_EQ(set.columns, 3);
    EXPECT_THAT(set.pixels, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255));
    EXPECT_THAT(set.labels, ElementsAre(7, 255));
  }
}

TEST_F(IdxTest, SliceTakesWholeImages) {
  const ImageSet second = read_image_set(images(), labels()).slice(1, 1);
  EXPECT_EQ(second.count, 1);
  EXPECT_THAT(second.pixels, ElementsAre(7, 8, 9, 10, 11, 255));
  EXPECT_THAT(second.labels, ElementsAre(255));
  EXPECT_THROW(second.slice(1, 1), std::invalid_argument);
  EXPECT_THROW(second.slice(0, -1), std::invalid_argument);
}

TEST_F(IdxTest, TruncatedAnywhereIsRefused) {
  for (const bool compressed : {false, true}) {
    const std::string plain = image_header(2, 2, 3) + kPixels;
    const std::string whole = compressed ? gzipped(plain) : plain;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      put(images(), whole.substr(0, size));
      EXPECT_THAT(refusal(), HasSubstr(images().string())) << size << " of " << whole.size() << " bytes";
    }
  }
}

TEST_F(IdxTest, TruncationGivesBothByteCounts) {
  put(images(), image_header(2, 2, 3) + kPixels.substr(0, 11));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("28"), HasSubstr("27")));
}

TEST_F(IdxTest, TrailingBytesAreRefused) {
  put(images(), image_header(2, 2, 3) + kPixels + "x");
  EXPECT_THAT(refusal(), HasSubstr("longer than the 28 bytes"));
  put(images(), gzipped(image_header(2, 2, 3) + kPixels + "x"));
  EXPECT_THAT(refusal(), HasSubstr("longer than the 28 bytes"));
  put(images(), gzipped(image_header(2, 2, 3) + kPixels) + "xy");
  EXPECT_THAT(refusal(), HasSubstr("2 bytes follow"));
}

TEST_F(IdxTest, CorruptGzipIsRefused) {
  const std::string whole = gzipped(image_header(2, 2, 3) + kPixels);
  constexpr std::size_t kIgnoredFirst = 4;  // bytes 4 to 9 are time, flags of the compressor and system
  constexpr std::size_t kIgnoredLast = 9;
  for (std::size_t i = 2; i < whole.size(); ++i) {
    if (i >= kIgnoredFirst && i <= kIgnoredLast) continue;
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
    put(images(), damaged);
    EXPECT_THAT(refusal(), HasSubstr(images().string())) << "byte " << i;
  }
}

TEST_F(IdxTest, WrongMagicIsRefused) {
  put(images(), label_header(2) + "\x07\xff");
  EXPECT_THAT(refusal(), HasSubstr("truncated"));  // shorter than an image header
  put(images(), std::string("\0\0\x0d\x03", 4) + std::string(24, '\0'));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("00000d03"), HasSubstr("00000803")));
  put(images(), "this is a text, not an image file");
  EXPECT_THAT(refusal(), HasSubstr("not an IDX file"));
}

TEST_F(IdxTest, SizesOfTheHeaderAreNotBelieved) {
  for (const bool compressed : {false, true}) {
    // 2³²−1 in each dimension, and sizes whose product wraps to 0 in 64 bits.
    for (const std::uint32_t size : {0xffffffffU, 0x80000000U, 0x00400000U}) {
      const std::string bytes = image_header(size, size, size) + kPixels;
      put(images(), compressed ? gzipped(bytes) : bytes);
      EXPECT_THAT(refusal(), HasSubstr("can hold at most")) << size;
    }
  }
}

TEST_F(IdxTest, CountsMustAgree) {
  put(labels(), label_header(3) + "\x01\x02\x03");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("2 images"), HasSubstr("3 labels")));
}

TEST_F(IdxTest, EmptySetIsRefused) {
  put(images(), image_header(0, 2, 3));
  put(labels(), label_header(0));
  EXPECT_THAT(refusal(), HasSubstr("no pixels"));
}

TEST_F(IdxTest, AbsentFileAndFolderAreRefused) {
  std::filesystem::remove(labels());
  EXPECT_THAT(refusal(), HasSubstr("no such file"));
  std::filesystem::create_directory(labels());
  EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
}

TEST(DatasetTest, HoldsOutTheLast) {
  TemporaryFolder folder;
  put_synthetic_set(folder.path(), 2010);
  const Dataset all = load_dataset(folder.path(), std::nullopt);
  EXPECT_EQ(all.train.count, 10);
  EXPECT_EQ(all.heldout.count, 2000);
  const Dataset some = load_dataset(folder.path(), 2009);
  EXPECT_EQ(some.train.count, 2009);
  EXPECT_EQ(some.heldout.count, 1);
  const ImageSet whole =
      read_image_set(folder.path() / "t10k-images-idx3-ubyte", folder.path() / "t10k-labels-idx1-ubyte");
  EXPECT_EQ(some.heldout.pixels, whole.slice(2009, 1).pixels);
  EXPECT_THAT(some.description,
              AllOf(HasSubstr(folder.path().filename().string()), ::testing::Not(HasSubstr(folder.path().string()))));
}

TEST(DatasetTest, TrainAndTestFilesKeepTheirParts) {
  TemporaryFolder folder;
  put_synthetic_set(folder.path(), 30);
  std::filesystem::rename(folder.path() / "t10k-images-idx3-ubyte", folder.path() / "train-images-idx3-ubyte");
  std::filesystem::rename(folder.path() / "t10k-labels-idx1-ubyte", folder.path() / "train-labels-idx1-ubyte");
  put_synthetic_set(folder.path(), 4);
  const Dataset data = load_dataset(folder.path(), 20);
  EXPECT_EQ(data.train.count, 20);
  EXPECT_EQ(data.heldout.count, 4);
  EXPECT_EQ(load_dataset(folder.path(), std::nullopt).train.count, 30);
  EXPECT_THROW(load_dataset(folder.path(), 31), Error);
}

TEST(DatasetTest, FoldersWithoutASetAreRefused) {
  TemporaryFolder folder;
  EXPECT_THROW(load_dataset(folder.path() / "absent", std::nullopt), Error);
  EXPECT_THROW(load_dataset(folder.path(), std::nullopt), Error);
  put_synthetic_set(folder.path(), 20);
  EXPECT_THROW(load_dataset(folder.path(), std::nullopt), Error) << "too few to hold out 2000";
  EXPECT_THROW(load_dataset(folder.path(), 20), Error) << "none left to hold out";
  std::filesystem::remove(folder.path() / "t10k-labels-idx1-ubyte");
  EXPECT_THROW(load_dataset(folder.path(), 10), Error) << "labels are absent";
}

}  // namespace
}  // namespace pullback::training
