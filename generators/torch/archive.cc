#include "pullback/generators/torch/archive.h"

#include <caffe2/serialize/inline_container.h>
#include <fmt/format.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "pullback/base/error.h"
#include "pullback/generators/torch/large_stack.h"
#include "pullback/generators/torch/pickle.h"
#include "pullback/generators/torch/pickled_module.h"
#include "pullback/generators/torch/program_scan.h"
#include "pullback/generators/torch/source_scan.h"
#include "pullback/generators/torch/zip.h"

namespace pullback::internal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kZip = "PK\x03\x04";
constexpr std::string_view kPickle = "\x80\x02";  // also what torch.save wrote before it wrote zip archives
constexpr const char* kPickled = "is a pickled Python object, not TorchScript: save torch.jit.script(model) instead";
// What modules are made of. LibTorch needs nothing else, and is not given it: debug records, for instance, are pickles
// that it reads on an error.
constexpr const char* kDataPickles[] = {"constants", "data"};

[[noreturn]] void fail(const std::string& what) { throw ArchiveFailure(what); }

// What was looked at: names without the archive's own folder.
struct Archive {
  std::map<std::string, std::string> records;
  std::uint64_t version = 0;
};

std::string read_bytes(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw Error(fmt::format("{}: is a folder", path.string()));
  errno = 0;
  // A pipe would make this wait for whoever writes into it.
  if (fs::exists(path, error) && !fs::is_regular_file(path, error)) {
    throw Error(fmt::format("{}: is not a regular file", path.string()));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  std::string bytes(fs::file_size(path, error), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw Error(fmt::format("{}: cannot be read to its end", path.string()));
  return bytes;
}

bool is_source(std::string_view name) { return name.starts_with("code/") && name.ends_with(".py"); }

bool is_needed(std::string_view name) {
  return is_source(name) || name == "data.pkl" || name == "constants.pkl" || name.starts_with("data/") ||
         name.starts_with("constants/");
}

std::uint64_t parse_version(const std::map<std::string, std::string>& records) {
  for (const char* name : {".data/version", "version"}) {
    const auto found = records.find(name);
    if (found == records.end()) continue;
    std::uint64_t version = 0;
    const auto [end, error] =
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), version);
    if (error == std::errc() && end != found->second.data()) return version;
  }
  fail("it does not say its version");
}

// All records, each unpacked and its checksum compared, which LibTorch does not do.
std::map<std::string, std::string> unpack_all(std::string_view bytes) {
  std::map<std::string, std::string> records;
  std::string folder;
  for (const ZipRecord& record : read_zip(bytes)) {
    const std::string own = record.name.substr(0, record.name.find('/') + 1);
    if (own.empty()) fail("a record lies outside of the archive's folder");
    if (!folder.empty() && own != folder) fail("it has more than one folder");
    folder = own;
    records.emplace(record.name.substr(own.size()), unpack(record));
  }
  return records;
}

void check_pickles(const std::map<std::string, std::string>& records) {
  for (const std::string name : kDataPickles) {
    const auto found = records.find(name + ".pkl");
    if (found == records.end()) fail(fmt::format("'{}.pkl' is missing", name));
    const Pickle pickle = read_pickle(found->second);
    const PickleNode& root = pickle.at(pickle.root);
    const bool object =
        root.kind == PickleNode::Kind::kCall && pickle.at(root.children[0]).text.starts_with("__torch__");
    if (name == "data" && !object) fail("it holds no module");
    if (name == "constants" && root.kind != PickleNode::Kind::kTuple) fail("'constants.pkl' holds no constants");
    check_module_pickle(pickle, [&](const std::string& key) -> std::optional<std::uint64_t> {
      const auto record = records.find(fmt::format("{}/{}", name, key));
      return record == records.end() ? std::nullopt : std::optional<std::uint64_t>(record->second.size());
    });
  }
}

Archive check(std::map<std::string, std::string> records) {
  if (records.contains("model.json")) fail("it is of the format of 2019 and before: save it anew with torch.jit.save");
  Archive archive;
  archive.version = parse_version(records);
  check_pickles(records);
  for (const auto& [name, content] : records) {
    if (is_source(name)) scan_source(content, name);
  }
  std::erase_if(records, [](const auto& record) { return !is_needed(record.first); });
  archive.records = std::move(records);
  return archive;
}

Archive read_archive(const fs::path& path) {
  const auto refuse = [&](const std::string& what) { throw Error(fmt::format("{}: {}", path.string(), what)); };
  const std::string bytes = read_bytes(path);
  if (bytes.empty()) refuse("is empty");
  if (bytes.starts_with(kPickle)) refuse(kPickled);
  if (!bytes.starts_with(kZip)) refuse("is not TorchScript: not a zip archive");
  std::map<std::string, std::string> records;
  try {
    records = unpack_all(bytes);
  } catch (const ArchiveFailure& error) {
    refuse(fmt::format("is truncated, damaged or not TorchScript: {}", error.what()));
  }
  const bool code =
      std::ranges::any_of(records, [](const auto& record) { return record.first.starts_with("code/"); }) ||
      records.contains("constants.pkl");
  if (!code && records.contains("data.pkl")) refuse(kPickled);
  if (!code) refuse("is a zip archive, but not TorchScript");
  try {
    return check(std::move(records));
  } catch (const ArchiveFailure& error) {
    refuse(fmt::format("is refused: {}", error.what()));
  }
  return {};
}

// Bytes in memory as LibTorch reads an archive.
class MemoryReader : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit MemoryReader(std::string bytes) : bytes_(std::move(bytes)) {}
  std::size_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t pos, void* buffer, std::size_t n, const char* /*what*/) const override {
    const std::size_t count = pos < bytes_.size() ? std::min<std::size_t>(n, bytes_.size() - pos) : 0;
    std::memcpy(buffer, bytes_.data() + std::min<std::uint64_t>(pos, bytes_.size()), count);
    return count;
  }

 private:
  std::string bytes_;
};

std::shared_ptr<MemoryReader> write_anew(const Archive& archive) {
  std::string bytes;
  caffe2::serialize::PyTorchStreamWriter writer([&](const void* data, std::size_t size) {
    bytes.append(static_cast<const char*>(data), size);
    return size;
  });
  writer.setMinVersion(archive.version);
  for (const auto& [name, content] : archive.records) writer.writeRecord(name, content.data(), content.size());
  writer.writeEndOfFile();
  return std::make_shared<MemoryReader>(std::move(bytes));
}

}  // namespace

void require_torchscript_archive(const fs::path& path) { read_archive(path); }

torch::jit::Module load_torchscript(const fs::path& path) {
  const std::shared_ptr<MemoryReader> reader = write_anew(read_archive(path));
  std::optional<torch::jit::Module> module;
  with_large_stack([&] {
    module = torch::jit::load(reader, at::Device(at::kCPU));
    scan_program(*module);
  });
  return *module;
}

}  // namespace pullback::internal
