// Reading and writing safetensors files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "pullback/base/export.h"

namespace pullback {

// One tensor as it lies in the file: row-major (last index fastest), little-endian.
struct PULLBACK_EXPORT Tensor {
  std::string dtype;  // "F64", "F32", "I64", "I32", "U8"
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;

  std::int64_t element_count() const;
  // The elements as doubles, in file order. Errors: std::invalid_argument for a dtype not listed above.
  std::vector<double> to_double() const;
  static Tensor from_float(std::vector<std::int64_t> shape, const std::vector<float>& values);
  static Tensor from_bytes(std::vector<std::int64_t> shape, const std::vector<std::uint8_t>& values);
};

// The content of a safetensors file: 8 bytes header length (little-endian), a JSON header
// {"__metadata__": {string: string}, name: {"dtype", "shape", "data_offsets": [begin, end]}}, then the data.
struct PULLBACK_EXPORT Safetensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

// Errors: pullback::Error with the path and what is wrong (not readable, truncated, header not JSON or too long,
// offsets outside the file, overlapping or not matching shape and dtype). No size in the file is trusted before it was
// checked against the file's own size, so that a malicious file costs no more memory than its length.
PULLBACK_EXPORT Safetensors read_safetensors(const std::filesystem::path& path);

// Writes the file as AtomicFile does, so that `path` is either old or whole.
// Errors: pullback::Error with the path.
PULLBACK_EXPORT void write_safetensors(const std::filesystem::path& path, const Safetensors& content);

}  // namespace pullback
