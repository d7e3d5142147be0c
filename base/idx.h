// Reading image sets in the IDX format of MNIST.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pullback/base/export.h"

namespace pullback {

// Grey images with a class each. Pixels lie image after image, row after row, 0 black to 255 white.
struct PULLBACK_EXPORT ImageSet {
  std::int64_t count = 0;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::uint8_t> pixels;  // count·rows·columns
  std::vector<std::uint8_t> labels;  // count

  std::int64_t pixels_per_image() const { return rows * columns; }
  // Images first … first+count-1. Errors: std::invalid_argument when they are not all there.
  ImageSet slice(std::int64_t first, std::int64_t count) const;
};

// What a model learns from and what it is judged by.
struct PULLBACK_EXPORT Dataset {
  ImageSet train;
  ImageSet heldout;
  std::string description;  // which images of which folder, without the path to it
};

// Reads images and their labels, each plain or compressed by gzip (told apart by content).
//
// IDX: 2 zero bytes, element type (8 = unsigned byte), number of dimensions (3 for images, 1 for labels), each size as
// a big-endian 32-bit number, then the elements and nothing else. Errors: pullback::Error with the path and the bytes
// expected and found, when a file cannot be read, is not IDX, is truncated, corrupt or too long, or when the counts of
// images and labels differ. No size of the header is believed before it was compared with the size of the file, so that
// memory is bounded: by the file itself, and for a compressed one by twenty times the file and 64 MiB.
PULLBACK_EXPORT ImageSet read_image_set(const std::filesystem::path& images, const std::filesystem::path& labels);

// Reads the set in a folder: train-{images-idx3,labels-idx1}-ubyte[.gz] and t10k-… of the same form.
//
// With both, train-* is for training and t10k-* held out; `train_count` then limits the training images. With one of
// them, its first `train_count` images are for training and the rest is held out; by default all but the last 2,000.
// Errors: pullback::Error when the folder holds neither, or too few images.
PULLBACK_EXPORT Dataset load_dataset(const std::filesystem::path& folder, std::optional<std::int64_t> train_count);

}  // namespace pullback
