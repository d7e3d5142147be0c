// Small IDX files for tests.
#pragma once

#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>

namespace pullback::training {

// A folder of its own, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "training_test_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline void put(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string get(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

inline std::string image_header(std::uint32_t count, std::uint32_t rows, std::uint32_t columns) {
  return std::string("\0\0\x08\x03", 4) + big_endian(count) + big_endian(rows) + big_endian(columns);
}

inline std::string label_header(std::uint32_t count) { return std::string("\0\0\x08\x01", 4) + big_endian(count); }

inline std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Images of 6×5 in two classes, a bright left half and a bright upper half, with noise.
inline void put_synthetic_set(const std::filesystem::path& folder, std::uint32_t count) {
  std::mt19937 random(7);
  std::string images = image_header(count, 6, 5);
  std::string labels = label_header(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    labels += static_cast<char>(i % 2);
    for (int row = 0; row < 6; ++row) {
      for (int column = 0; column < 5; ++column) {
        const bool bright = i % 2 == 0 ? column < 3 : row < 3;
        images += static_cast<char>((bright ? 200 : 0) + random() % 50);
      }
    }
  }
  put(folder / "t10k-images-idx3-ubyte", images);
  put(folder / "t10k-labels-idx1-ubyte", labels);
}

}  // namespace pullback::training
