#include "pullback/base/idx.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "pullback/base/error.h"

namespace pullback {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDefaultHeldout = 2000;
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 30;     // beyond any set that this trainer is meant for
constexpr std::uint64_t kLargestContent = std::uint64_t{1} << 32;  // decompressed
// Images compress by a factor of five or so. Deflate reaches 1032, by which a small file would fill the memory.
constexpr std::uint64_t kHighestCompression = 20;
constexpr std::uint64_t kUnpackedAlways = std::uint64_t{64} << 20;
constexpr std::uint8_t kUnsignedByte = 0x08;

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Error(fmt::format("{}: {}", path.string(), what));
}

std::vector<std::uint8_t> read_file(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) fail(path, "no such file");
  if (!fs::is_regular_file(status)) fail(path, "not a regular file");
  const std::uint64_t size = fs::file_size(path, code);
  if (code) fail(path, fmt::format("cannot be read: {}", code.message()));
  if (size > kLargestFile) fail(path, fmt::format("{} bytes, at most {} are read", size, kLargestFile));
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, fmt::format("cannot be read: {}", std::strerror(errno)));
  std::vector<std::uint8_t> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) fail(path, "could not be read to its end");
  return bytes;
}

// The content of a plain or gzipped file, taken piece by piece.
class Content {
 public:
  explicit Content(const fs::path& path) : path_(path), raw_(read_file(path)) {
    compressed_ = raw_.size() >= 2 && raw_[0] == 0x1f && raw_[1] == 0x8b;
    if (!compressed_) return;
    stream_.next_in = raw_.data();
    stream_.avail_in = static_cast<uInt>(raw_.size());  // at most kLargestFile
    constexpr int kGzip = 16;
    if (inflateInit2(&stream_, MAX_WBITS + kGzip) != Z_OK) fail(path_, "zlib could not be started");
  }
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content() {
    if (compressed_) inflateEnd(&stream_);
  }

  // No more than this may come out of the file.
  std::uint64_t bound() const {
    return std::min(kLargestContent, compressed_ ? raw_.size() * kHighestCompression + kUnpackedAlways : raw_.size());
  }

  // Fills up to `size` bytes and says how many there were.
  std::size_t take(std::uint8_t* out, std::size_t size) {
    if (compressed_) return inflate_some(out, size);
    const std::size_t taken = std::min(size, raw_.size() - next_);
    std::copy_n(raw_.data() + next_, taken, out);
    next_ += taken;
    return taken;
  }

  // The content must end here, and its checksum must hold.
  void expect_end() {
    std::uint8_t extra = 0;
    if (take(&extra, 1) != 0) fail(path_, fmt::format("longer than the {} bytes that its header gives", total_));
    if (compressed_ && !ended_) fail(path_, "gzip stream ends early");
    if (compressed_ && stream_.avail_in != 0) {
      fail(path_, fmt::format("{} bytes follow the gzip stream", stream_.avail_in));
    }
  }

  void set_total(std::uint64_t total) { total_ = total; }
  const fs::path& path() const { return path_; }

 private:
  std::size_t inflate_some(std::uint8_t* out, std::size_t size) {
    std::size_t filled = 0;
    while (filled < size && !ended_) {
      const auto step = static_cast<uInt>(std::min<std::size_t>(size - filled, std::numeric_limits<uInt>::max()));
      stream_.next_out = out + filled;
      stream_.avail_out = step;
      const int code = inflate(&stream_, Z_NO_FLUSH);
      filled += step - stream_.avail_out;
      if (code == Z_STREAM_END) {
        ended_ = true;
      } else if (code == Z_BUF_ERROR || (code == Z_OK && stream_.avail_in == 0 && stream_.avail_out > 0)) {
        break;  // the file is at its end, the stream is not
      } else if (code != Z_OK) {
        fail(path_, fmt::format("corrupt gzip stream ({})", stream_.msg ? stream_.msg : "checksum or header"));
      }
    }
    return filled;
  }

  fs::path path_;
  std::vector<std::uint8_t> raw_;
  std::size_t next_ = 0;
  bool compressed_ = false;
  bool ended_ = false;
  std::uint64_t total_ = 0;
  z_stream stream_{};
};

struct Array {
  std::vector<std::int64_t> sizes;
  std::vector<std::uint8_t> elements;
};

Array read_array(const fs::path& path, std::size_t dimensions) {
  Content content(path);
  std::vector<std::uint8_t> header(4 + 4 * dimensions);
  const std::size_t header_found = content.take(header.data(), header.size());
  if (header_found < header.size()) {
    fail(path, fmt::format("truncated: {} bytes, the header alone needs {}", header_found, header.size()));
  }
  if (header[0] != 0 || header[1] != 0 || header[2] != kUnsignedByte || header[3] != dimensions) {
    fail(path, fmt::format("not an IDX file of {}-dimensional unsigned bytes: begins with {:02x}{:02x}{:02x}{:02x}, "
                           "0000{:02x}{:02x} was expected",
                           dimensions, header[0], header[1], header[2], header[3], kUnsignedByte, dimensions));
  }
  Array array;
  std::uint64_t expected = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const std::uint8_t* bytes = header.data() + 4 + 4 * i;
    const auto size = static_cast<std::uint64_t>((std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
                                                 (std::uint32_t{bytes[2]} << 8) | std::uint32_t{bytes[3]});
    array.sizes.push_back(static_cast<std::int64_t>(size));
    // Both factors are below 2³², so that the product does not wrap before it is compared.
    expected = std::min(expected * size, kLargestContent);
  }
  if (expected + header.size() > content.bound()) {
    fail(path, fmt::format("truncated or damaged: its header gives at least {} bytes, the file can hold at most {}",
                           expected + header.size(), content.bound()));
  }
  content.set_total(expected + header.size());
  array.elements.resize(expected);
  const std::size_t found = content.take(array.elements.data(), expected);
  if (found < expected) {
    fail(path,
         fmt::format("truncated: {} bytes, its header gives {}", found + header.size(), expected + header.size()));
  }
  content.expect_end();
  return array;
}

// The file of this name, plain or with .gz; empty when neither exists.
fs::path find_part(const fs::path& folder, const std::string& name) {
  for (const char* ending : {"", ".gz"}) {
    fs::path path = folder / (name + ending);
    if (fs::exists(path)) return path;
  }
  return {};
}

std::optional<ImageSet> find_set(const fs::path& folder, const std::string& prefix) {
  const fs::path images = find_part(folder, prefix + "-images-idx3-ubyte");
  const fs::path labels = find_part(folder, prefix + "-labels-idx1-ubyte");
  if (images.empty() && labels.empty()) return std::nullopt;
  if (images.empty()) fail(labels, fmt::format("has no {}-images-idx3-ubyte[.gz] beside it", prefix));
  if (labels.empty()) fail(images, fmt::format("has no {}-labels-idx1-ubyte[.gz] beside it", prefix));
  return read_image_set(images, labels);
}

std::string folder_name(const fs::path& folder) {
  const fs::path normal = fs::absolute(folder).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

Dataset split(const fs::path& folder, const std::string& prefix, const ImageSet& all,
              std::optional<std::int64_t> train_count) {
  const std::int64_t count = train_count.value_or(all.count - kDefaultHeldout);
  if (count < 1 || count >= all.count) {
    fail(folder,
         fmt::format("{} images, {}: expected to train on 1 to {} of them", all.count,
                     train_count ? fmt::format("training on {} leaves none to train on or none to hold out", count)
                                 : fmt::format("too few to hold out {}", kDefaultHeldout),
                     std::max<std::int64_t>(1, all.count - 1)));
  }
  return {all.slice(0, count), all.slice(count, all.count - count),
          fmt::format("{}: first {} images of {} for training, last {} held out", folder_name(folder), count, prefix,
                      all.count - count)};
}

}  // namespace

ImageSet ImageSet::slice(std::int64_t first, std::int64_t size) const {
  if (first < 0 || size < 0 || first > count || size > count - first) {
    throw std::invalid_argument(fmt::format("images {} to {} of a set of {}", first, first + size, count));
  }
  const auto pixel = [&](std::int64_t image) { return pixels.begin() + image * pixels_per_image(); };
  return {size,
          rows,
          columns,
          {pixel(first), pixel(first + size)},
          {labels.begin() + first, labels.begin() + first + size}};
}

ImageSet read_image_set(const fs::path& images, const fs::path& labels) {
  Array pixels = read_array(images, 3);
  Array classes = read_array(labels, 1);
  if (pixels.sizes[0] != classes.sizes[0]) {
    fail(images, fmt::format("{} images, but {} labels in {}", pixels.sizes[0], classes.sizes[0], labels.string()));
  }
  if (pixels.elements.empty()) fail(images, "holds no pixels");
  return {pixels.sizes[0], pixels.sizes[1], pixels.sizes[2], std::move(pixels.elements), std::move(classes.elements)};
}

Dataset load_dataset(const fs::path& folder, std::optional<std::int64_t> train_count) {
  if (!fs::is_directory(folder)) fail(folder, "not a folder");
  std::optional<ImageSet> train = find_set(folder, "train");
  std::optional<ImageSet> test = find_set(folder, "t10k");
  if (!train && !test) {
    fail(folder, "holds neither train-images-idx3-ubyte[.gz] nor t10k-images-idx3-ubyte[.gz]");
  }
  if (!train || !test) {
    return train ? split(folder, "train", *train, train_count) : split(folder, "t10k", *test, train_count);
  }
  if (train->rows != test->rows || train->columns != test->columns) {
    fail(folder, fmt::format("images of {}x{} to train on, of {}x{} to hold out", train->rows, train->columns,
                             test->rows, test->columns));
  }
  const std::int64_t count = train_count.value_or(train->count);
  if (count < 1 || count > train->count) {
    fail(folder, fmt::format("{} images to train on: expected a number from 1 to {}, got {}", train->count,
                             train->count, count));
  }
  return {train->slice(0, count), std::move(*test),
          fmt::format("{}: first {} images of train for training, {} of t10k held out", folder_name(folder), count,
                      test->count)};
}

}  // namespace pullback
