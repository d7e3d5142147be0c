#include "pullback/generators/torch/archive.h"

#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "pullback/generators/error.h"
#include "pullback/generators/torch/torch_module.h"

namespace pullback::internal {
namespace {

constexpr std::string_view kZip = "PK\x03\x04";
constexpr std::string_view kPickle = "\x80\x02";  // also what torch.save wrote before it wrote zip archives
constexpr const char* kPickled = "is a pickled Python object, not TorchScript: save torch.jit.script(model) instead";

std::string first_bytes(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw Error(fmt::format("{}: is a folder", path.string()));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  std::string bytes(kZip.size(), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

bool is_record_of(const std::vector<std::string>& records, std::string_view start) {
  return std::ranges::any_of(records, [&](const std::string& name) { return name.starts_with(start); });
}

}  // namespace

void require_torchscript_archive(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& what) { throw Error(fmt::format("{}: {}", path.string(), what)); };
  const std::string start = first_bytes(path);
  if (start.empty()) fail("is empty");
  if (start.starts_with(kPickle)) fail(kPickled);
  if (start != kZip) fail("is not TorchScript: not a zip archive");
  std::vector<std::string> records;
  try {
    caffe2::serialize::PyTorchStreamReader reader(path.string());
    records = reader.getAllRecords();
    for (const std::string& record : records) reader.getRecord(record);
  } catch (const std::exception& error) {
    fail(fmt::format("is truncated, damaged or not TorchScript: {}", torch_message(error)));
  }
  const bool code = is_record_of(records, "code/") || is_record_of(records, "constants.pkl");
  if (!code && is_record_of(records, "data.pkl")) fail(kPickled);
  if (!code) fail("is a zip archive, but not TorchScript");
}

}  // namespace pullback::internal
