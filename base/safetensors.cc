#include "pullback/base/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "pullback/base/atomic_file.h"
#include "pullback/base/error.h"

namespace pullback {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian and is copied as it lies");

constexpr std::uint64_t kPrefix = 8;  // the header's length
// The format allows 100 MB, of which the parsed JSON would be some twenty times as large. Models need a few kB.
constexpr std::uint64_t kLongestHeader = std::uint64_t{16} << 20;
constexpr std::size_t kDataAlignment = 8;  // so that a mapped file can be read in place
constexpr int kDeepestStart = 2;           // root 0, tensor 1, shape and data_offsets 2
constexpr std::array<std::pair<const char*, std::uint64_t>, 5> kDtypes{
    {{"F64", 8}, {"F32", 4}, {"I64", 8}, {"I32", 4}, {"U8", 1}}};

// Bytes of one element, 0 for a dtype that is not known.
std::uint64_t dtype_size(const std::string& dtype) {
  for (const auto& [name, size] : kDtypes) {
    if (dtype == name) return size;
  }
  return 0;
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(fmt::format("{}: {}", path.string(), what));
}

// Elements of a tensor of this shape, or nothing when a size is negative or the number of bytes passes 2⁶³.
bool checked_bytes(const std::vector<std::int64_t>& shape, std::uint64_t element_size, std::uint64_t* bytes) {
  // A zero anywhere makes the product zero, however large the other sizes are.
  *bytes = 0;
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) return false;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return true;
  std::uint64_t product = element_size;
  for (const std::int64_t size : shape) {
    if (product >
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / static_cast<std::uint64_t>(size))
      return false;
    product *= static_cast<std::uint64_t>(size);
  }
  *bytes = product;
  return true;
}

template <typename T>
std::vector<double> widen(const std::vector<std::byte>& data) {
  std::vector<double> values(data.size() / sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

template <typename T>
Tensor make_tensor(const char* dtype, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  std::uint64_t bytes = 0;
  if (!checked_bytes(shape, sizeof(T), &bytes) || bytes != values.size() * sizeof(T)) {
    throw std::invalid_argument(
        fmt::format("tensor of shape [{}] does not hold {} values", fmt::join(shape, ", "), values.size()));
  }
  Tensor tensor{dtype, std::move(shape), std::vector<std::byte>(bytes)};
  if (bytes > 0) std::memcpy(tensor.data.data(), values.data(), bytes);
  return tensor;
}

// ---- reading ----

// Where a tensor lies, relative to the end of the header.
struct Placed {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::string read_header(const std::filesystem::path& path, std::ifstream& file, std::uint64_t file_size) {
  if (file_size < kPrefix) {
    fail(path,
         fmt::format("not a safetensors file: {} bytes, shorter than the 8 bytes of the header length", file_size));
  }
  std::uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), kPrefix);
  if (!file) fail(path, "could not be read");
  if (length > kLongestHeader) {
    fail(path,
         fmt::format("not a safetensors file: header of {} bytes, at most {} are allowed", length, kLongestHeader));
  }
  if (length > file_size - kPrefix) {
    fail(path, fmt::format("truncated or not a safetensors file: header of {} bytes in a file of {} bytes", length,
                           file_size));
  }
  std::string header(length, '\0');
  file.read(header.data(), static_cast<std::streamsize>(length));
  if (!file) fail(path, "could not be read");
  return header;
}

// Parses the header and refuses what a DOM would hide: a name given twice, and nesting that no header has.
Json parse_header(const std::filesystem::path& path, const std::string& header) {
  std::set<std::string> names;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if ((event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) &&
        depth > kDeepestStart) {
      fail(path, "safetensors header is nested too deeply");
    }
    if (event == Json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second) {
      fail(path, fmt::format("safetensors header names '{}' twice", parsed.get<std::string>()));
    }
    return true;
  };
  Json json;
  try {
    json = Json::parse(header, watch);
  } catch (const Json::exception& error) {
    fail(path, fmt::format("safetensors header is not JSON: {}", error.what()));
  }
  if (!json.is_object()) fail(path, "safetensors header is not a JSON object");
  return json;
}

std::map<std::string, std::string> parse_metadata(const std::filesystem::path& path, const Json& json) {
  if (!json.is_object()) fail(path, "safetensors __metadata__ is not a JSON object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) fail(path, fmt::format("safetensors metadata '{}' is not a string", key));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

Placed parse_tensor(const std::filesystem::path& path, const std::string& name, const Json& json,
                    std::uint64_t data_size) {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) fail(path, fmt::format("tensor '{}': {}", name, what));
  };
  require(json.is_object() && json.contains("dtype") && json.contains("shape") && json.contains("data_offsets"),
          "an object with dtype, shape and data_offsets was expected");
  Placed placed{name, "", {}, 0, 0};
  require(json["dtype"].is_string(), "dtype is not a string");
  placed.dtype = json["dtype"].get<std::string>();
  const std::uint64_t element_size = dtype_size(placed.dtype);
  require(element_size > 0, fmt::format("dtype {} is not one of F64, F32, I64, I32, U8", placed.dtype));

  require(json["shape"].is_array(), "shape is not a list");
  for (const Json& size : json["shape"]) {
    require(size.is_number_unsigned() && size.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max(),
            "shape holds something other than sizes");
    placed.shape.push_back(size.get<std::int64_t>());
  }
  const Json& offsets = json["data_offsets"];
  require(
      offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() && offsets[1].is_number_unsigned(),
      "data_offsets is not a pair of sizes");
  placed.begin = offsets[0].get<std::uint64_t>();
  placed.end = offsets[1].get<std::uint64_t>();
  require(
      placed.begin <= placed.end && placed.end <= data_size,
      fmt::format("bytes {} to {} lie outside the {} bytes of data (truncated?)", placed.begin, placed.end, data_size));
  std::uint64_t bytes = 0;
  require(checked_bytes(placed.shape, element_size, &bytes), "shape is too large");
  require(bytes == placed.end - placed.begin,
          fmt::format("shape and dtype need {} bytes, data_offsets give {}", bytes, placed.end - placed.begin));
  return placed;
}

// The tensors must fill the data without gap or overlap, which is what the format asks and keeps the memory of all
// tensors together at the file's size.
void check_layout(const std::filesystem::path& path, std::vector<Placed>& tensors, std::uint64_t data_size) {
  std::sort(tensors.begin(), tensors.end(),
            [](const Placed& a, const Placed& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t next = 0;
  for (const Placed& tensor : tensors) {
    if (tensor.begin != next) {
      fail(path, fmt::format("tensor '{}' begins at byte {} of the data, where {} was expected: tensors {}",
                             tensor.name, tensor.begin, next, tensor.begin < next ? "overlap" : "leave a gap"));
    }
    next = tensor.end;
  }
  if (next != data_size) fail(path, fmt::format("{} bytes of data, the tensors need {}", data_size, next));
}

// ---- writing ----

using Entry = std::pair<const std::string, Tensor>;

// Widest elements first, so that every tensor is aligned to its own element.
std::vector<const Entry*> in_file_order(const std::map<std::string, Tensor>& tensors) {
  std::vector<const Entry*> order;
  for (const Entry& entry : tensors) {
    std::uint64_t bytes = 0;
    const std::uint64_t element_size = dtype_size(entry.second.dtype);
    if (element_size == 0 || !checked_bytes(entry.second.shape, element_size, &bytes) ||
        bytes != entry.second.data.size() || entry.first == "__metadata__") {
      throw std::invalid_argument(fmt::format("tensor '{}' of dtype {} and shape [{}] cannot be written with {} bytes",
                                              entry.first, entry.second.dtype, fmt::join(entry.second.shape, ", "),
                                              entry.second.data.size()));
    }
    order.push_back(&entry);
  }
  std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return dtype_size(a->second.dtype) > dtype_size(b->second.dtype);
  });
  return order;
}

std::string make_header(const std::map<std::string, std::string>& metadata, const std::vector<const Entry*>& order) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t begin = 0;
  for (const Entry* entry : order) {
    const std::uint64_t end = begin + entry->second.data.size();
    header[entry->first] = {
        {"dtype", entry->second.dtype}, {"shape", entry->second.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception&) {
    throw std::invalid_argument("safetensors metadata and tensor names must be UTF-8");
  }
  text.append((kDataAlignment - text.size() % kDataAlignment) % kDataAlignment, ' ');
  return text;
}

}  // namespace

std::int64_t Tensor::element_count() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

std::vector<double> Tensor::to_double() const {
  if (dtype == "F64") return widen<double>(data);
  if (dtype == "F32") return widen<float>(data);
  if (dtype == "I64") return widen<std::int64_t>(data);
  if (dtype == "I32") return widen<std::int32_t>(data);
  if (dtype == "U8") return widen<std::uint8_t>(data);
  throw std::invalid_argument(fmt::format("dtype {} is not one of F64, F32, I64, I32, U8", dtype));
}

Tensor Tensor::from_float(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  return make_tensor("F32", std::move(shape), values);
}

Tensor Tensor::from_bytes(std::vector<std::int64_t> shape, const std::vector<std::uint8_t>& values) {
  return make_tensor("U8", std::move(shape), values);
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) fail(path, "no such file");
  if (!std::filesystem::is_regular_file(status)) fail(path, "not a regular file");
  const std::uint64_t file_size = std::filesystem::file_size(path, code);
  if (code) fail(path, fmt::format("cannot be read: {}", code.message()));
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, fmt::format("cannot be read: {}", std::strerror(errno)));

  const std::string header = read_header(path, file, file_size);
  const std::uint64_t data_size = file_size - kPrefix - header.size();
  const Json json = parse_header(path, header);

  Safetensors content;
  std::vector<Placed> placed;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      content.metadata = parse_metadata(path, value);
    } else {
      placed.push_back(parse_tensor(path, name, value, data_size));
    }
  }
  check_layout(path, placed, data_size);
  for (Placed& tensor : placed) {
    Tensor& target = content.tensors[tensor.name];
    target = {std::move(tensor.dtype), std::move(tensor.shape), std::vector<std::byte>(tensor.end - tensor.begin)};
    file.read(reinterpret_cast<char*>(target.data.data()), static_cast<std::streamsize>(target.data.size()));
    if (!file) fail(path, "could not be read to its end");
  }
  return content;
}

void write_safetensors(const std::filesystem::path& path, const Safetensors& content) {
  const std::vector<const Entry*> order = in_file_order(content.tensors);
  const std::string header = make_header(content.metadata, order);
  if (header.size() > kLongestHeader) {
    throw std::invalid_argument(
        fmt::format("safetensors header of {} bytes, at most {} are allowed", header.size(), kLongestHeader));
  }
  const std::uint64_t length = header.size();
  AtomicFile file(path);
  file.write(&length, kPrefix);
  file.write(header.data(), header.size());
  for (const Entry* entry : order) file.write(entry->second.data.data(), entry->second.data.size());
  file.move_into_place();
}

}  // namespace pullback
