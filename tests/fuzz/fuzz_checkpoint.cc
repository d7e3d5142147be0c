// Checkpoints of a training, as they come and with a checksum that holds, so that what lies behind it is reached too.
#include <fmt/format.h>
#include <zlib.h>

#include "pullback/base/safetensors.h"
#include "pullback/training/checkpoint.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

namespace {

const std::string kSettings = R"({"epochs":30,"seed":1})";

// The checksum that training/checkpoint.cc asks for.
std::string checksum(const Safetensors& file) {
  uLong crc = crc32(0, nullptr, 0);
  const auto add = [&](const void* data, std::size_t size) {
    crc = crc32_z(crc, static_cast<const Bytef*>(data), size);
  };
  for (const auto& [key, value] : file.metadata) {
    if (key == "checksum") continue;
    add(key.data(), key.size() + 1);
    add(value.data(), value.size() + 1);
  }
  for (const auto& [name, tensor] : file.tensors) {
    add(name.data(), name.size() + 1);
    add(tensor.data.data(), tensor.data.size());
  }
  return fmt::format("{:08x}", crc);
}

}  // namespace

void read_input(std::string_view input) {
  const auto path = put("checkpoint", input);
  expect_read_or_refused([&] { training::read_checkpoint(path, kSettings); });
  Safetensors file;
  try {
    file = read_safetensors(path);
  } catch (const Error&) {
    return;
  }
  file.metadata["checksum"] = checksum(file);
  write_safetensors(path, file);
  expect_read_or_refused([&] { training::read_checkpoint(path, kSettings); });
}

}  // namespace pullback::fuzz
