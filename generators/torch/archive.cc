#include "pullback/generators/torch/archive.h"

#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pullback/generators/error.h"
#include "pullback/generators/torch/torch_module.h"

namespace pullback::internal {
namespace {

constexpr std::string_view kZip = "PK\x03\x04";
constexpr std::string_view kPickle = "\x80\x02";  // also what torch.save wrote before it wrote zip archives
constexpr const char* kPickled = "is a pickled Python object, not TorchScript: save torch.jit.script(model) instead";

std::string read_bytes(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw Error(fmt::format("{}: is a folder", path.string()));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  if (at > bytes.size() || bytes.size() - at < size) throw TorchFailure("a directory entry is cut off");
  std::uint32_t number = 0;
  for (std::size_t i = size; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// The checksum of each record, from the directory at the end of the archive. Names are without the archive's own
// folder.
std::map<std::string, std::uint32_t> checksums(std::string_view bytes) {
  const std::size_t end = bytes.rfind("PK\x05\x06");
  if (end == std::string_view::npos) throw TorchFailure("it has no directory");
  const std::uint32_t entries = little_endian(bytes, end + 10, 2);
  std::size_t at = little_endian(bytes, end + 16, 4);
  std::map<std::string, std::uint32_t> found;
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::uint32_t name_size = little_endian(bytes, at + 28, 2);
    const std::uint32_t more = little_endian(bytes, at + 30, 2) + little_endian(bytes, at + 32, 2);
    const std::string_view name = bytes.substr(at + 46, name_size);
    found[std::string(name.substr(name.find('/') + 1))] = little_endian(bytes, at + 16, 4);
    at += 46 + name_size + more;
  }
  return found;
}

// LibTorch reads records without comparing their checksums, so that a damaged weight would go unnoticed.
std::vector<std::string> checked_records(const std::filesystem::path& path, std::string_view bytes) {
  caffe2::serialize::PyTorchStreamReader reader(path.string());
  const auto expected = checksums(bytes);
  std::vector<std::string> records = reader.getAllRecords();
  for (const std::string& record : records) {
    const auto [data, size] = reader.getRecord(record);
    const auto* content = static_cast<const Bytef*>(data.get());
    const auto found = expected.find(record);
    if (found == expected.end() || crc32_z(crc32_z(0, nullptr, 0), content, size) != found->second) {
      throw TorchFailure(fmt::format("the checksum of '{}' is wrong", record));
    }
  }
  return records;
}

bool is_record_of(const std::vector<std::string>& records, std::string_view start) {
  return std::ranges::any_of(records, [&](const std::string& name) { return name.starts_with(start); });
}

}  // namespace

void require_torchscript_archive(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& what) { throw Error(fmt::format("{}: {}", path.string(), what)); };
  const std::string bytes = read_bytes(path);
  if (bytes.empty()) fail("is empty");
  if (bytes.starts_with(kPickle)) fail(kPickled);
  if (!bytes.starts_with(kZip)) fail("is not TorchScript: not a zip archive");
  std::vector<std::string> records;
  try {
    records = checked_records(path, bytes);
  } catch (const std::exception& error) {
    fail(fmt::format("is truncated, damaged or not TorchScript: {}", torch_message(error)));
  }
  const bool code = is_record_of(records, "code/") || is_record_of(records, "constants.pkl");
  if (!code && is_record_of(records, "data.pkl")) fail(kPickled);
  if (!code) fail("is a zip archive, but not TorchScript");
}

}  // namespace pullback::internal
