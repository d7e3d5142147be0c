// TorchScript archives up to the point where LibTorch takes over. The bytes are read as they come and with checksums
// that hold, so that what lies behind them is reached too. What is no zip archive is read as if it came out of one: as
// a pickle, and as the text of a program.
#include <zlib.h>

#include <cstring>

#include "pullback/generators/torch/archive.h"
#include "pullback/generators/torch/pickled_module.h"
#include "pullback/generators/torch/source_scan.h"
#include "pullback/generators/torch/zip.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

namespace {

std::uint32_t number(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint32_t out = 0;
  for (std::size_t i = size; i-- > 0;) out = out << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return out;
}

void put_number(std::string& bytes, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

bool inside(const std::string& bytes, std::size_t at, std::size_t size) {
  return at <= bytes.size() && bytes.size() - at >= size;
}

// Writes the right checksum of every stored record that can be found by the directory.
std::string with_checksums(std::string bytes) {
  const std::size_t end = bytes.rfind("PK\x05\x06");
  if (end == std::string::npos || !inside(bytes, end, 22)) return bytes;
  std::size_t entry = number(bytes, end + 16, 4);
  for (std::uint32_t i = number(bytes, end + 10, 2); i > 0 && inside(bytes, entry, 46); --i) {
    const std::size_t header = number(bytes, entry + 42, 4);
    const std::size_t size = number(bytes, entry + 20, 4);
    if (inside(bytes, header, 30)) {
      const std::size_t data = header + 30 + number(bytes, header + 26, 2) + number(bytes, header + 28, 2);
      if (inside(bytes, data, size)) {
        const auto* content = reinterpret_cast<const Bytef*>(bytes.data() + data);
        const auto sum = static_cast<std::uint32_t>(crc32_z(crc32_z(0, nullptr, 0), content, size));
        put_number(bytes, entry + 16, sum);
        put_number(bytes, header + 14, sum);
      }
    }
    entry += 46 + number(bytes, entry + 28, 2) + number(bytes, entry + 30, 2) + number(bytes, entry + 32, 2);
  }
  return bytes;
}

// The readers of records refuse with an exception of their own.
template <class Read>
void expect_record_read_or_refused(Read read) {
  expect_read_or_refused([&] {
    try {
      read();
    } catch (const internal::ArchiveFailure& error) {
      throw Error(error.what());
    }
  });
}

void read_record(std::string_view input) {
  expect_record_read_or_refused([&] {
    internal::check_module_pickle(internal::read_pickle(input), [](const std::string& key) {
      return key.size() > 1 ? std::nullopt : std::optional<std::uint64_t>(64);
    });
  });
  expect_record_read_or_refused([&] { internal::scan_source(input, "code/model.py"); });
}

}  // namespace

void read_input(std::string_view input) {
  if (!input.starts_with("PK")) read_record(input);
  const std::string bytes(input);
  const auto read = [](std::string_view content) {
    const auto path = put("input.pt", content);
    expect_read_or_refused([&] { internal::require_torchscript_archive(path); });
  };
  read(bytes);
  if (const std::string whole = with_checksums(bytes); whole != bytes) read(whole);
}

}  // namespace pullback::fuzz
