#include "pullback/generators/torch/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <set>

namespace pullback::internal {
namespace {

// Sizes of the fixed parts, and where their fields lie: PKWARE's APPNOTE.TXT 6.3.9, sections 4.3.7 to 4.3.16.
constexpr std::size_t kLocalHeader = 30;
constexpr std::size_t kDirectoryEntry = 46;
constexpr std::size_t kEnd = 22;
constexpr std::size_t kEnd64 = 56;
constexpr std::size_t kLocator64 = 20;
constexpr unsigned kEncrypted = 1;
constexpr unsigned kStored = 0;
constexpr unsigned kDeflated = 8;
constexpr std::uint64_t kUnpackFactor = 4;
constexpr std::uint64_t kUnpackBase = std::uint64_t{16} << 20;

[[noreturn]] void fail(const std::string& what) { throw ArchiveFailure(what); }

// A little-endian number. Errors: ArchiveFailure beyond the end.
std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  if (at > bytes.size() || bytes.size() - at < size) fail("the archive is cut off");
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string_view part(std::string_view bytes, std::size_t at, std::uint64_t size) {
  if (at > bytes.size() || bytes.size() - at < size) fail("the archive is cut off");
  return bytes.substr(at, size);
}

void require_signature(std::string_view bytes, std::size_t at, std::uint64_t signature, const char* what) {
  if (number(bytes, at, 4) != signature) fail(fmt::format("{} is damaged", what));
}

struct Directory {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t entries = 0;
};

// A 64-bit end record, which LibTorch's writer adds to every archive, must not say anything else: readers differ in
// which of the two they believe.
void check_end64(std::string_view bytes, std::size_t end, const Directory& directory) {
  if (end < kLocator64 || number(bytes, end - kLocator64, 4) != 0x07064b50) return;
  const std::uint64_t at = number(bytes, end - kLocator64 + 8, 8);
  if (at > bytes.size() || bytes.size() - at < kEnd64) fail("its 64-bit directory lies outside of it");
  require_signature(bytes, at, 0x06064b50, "its 64-bit directory");
  if (number(bytes, at + 32, 8) != directory.entries || number(bytes, at + 24, 8) != directory.entries ||
      number(bytes, at + 40, 8) != directory.end - directory.begin || number(bytes, at + 48, 8) != directory.begin) {
    fail("its two directories contradict each other");
  }
}

Directory find_directory(std::string_view bytes) {
  const std::size_t end = bytes.rfind("PK\x05\x06");
  if (end == std::string_view::npos) fail("it has no directory");
  if (number(bytes, end + 20, 2) + end + kEnd != bytes.size()) fail("bytes follow its directory, or it is cut off");
  if (number(bytes, end + 4, 4) != 0) fail("it is spread over several disks");
  Directory directory;
  directory.entries = number(bytes, end + 10, 2);
  directory.begin = number(bytes, end + 16, 4);
  directory.end = directory.begin + number(bytes, end + 12, 4);
  if (number(bytes, end + 8, 2) != directory.entries) fail("it is spread over several disks");
  if (directory.begin == 0xFFFFFFFF || directory.entries == 0xFFFF) fail("archives of 4 GiB and more are not read");
  if (directory.end > end) fail("its directory lies outside of it");
  check_end64(bytes, end, directory);
  return directory;
}

void check_name(const std::string& name) {
  const bool printable = std::ranges::all_of(name, [](unsigned char c) { return c >= 0x20 && c != 0x7F && c != '\\'; });
  const bool upwards = ("/" + name + "/").find("/../") != std::string::npos;
  if (name.empty() || name.front() == '/' || !printable || upwards)
    fail("a record has a name that is no relative path");
}

// What lies before the record's bytes must say the same as its entry in the directory. Returns where they begin.
std::size_t check_local_header(std::string_view bytes, std::size_t at, const ZipRecord& record) {
  require_signature(bytes, at, 0x04034b50, "the header of a record");
  const std::uint64_t flags = number(bytes, at + 6, 2);
  const std::uint64_t name_size = number(bytes, at + 26, 2);
  const bool sizes_follow = (flags & 8) != 0;  // they then stand behind the bytes, and the directory has them
  const bool same = (number(bytes, at + 8, 2) == kDeflated) == record.deflated &&
                    part(bytes, at + kLocalHeader, name_size) == record.name &&
                    (sizes_follow || (number(bytes, at + 14, 4) == record.checksum));
  if (!same) fail(fmt::format("the two headers of '{}' contradict each other", record.name));
  return at + kLocalHeader + name_size + number(bytes, at + 28, 2);
}

// Reads one entry of the directory and moves to the next.
ZipRecord read_entry(std::string_view bytes, std::size_t& at, std::size_t& begin) {
  require_signature(bytes, at, 0x02014b50, "its directory");
  ZipRecord record;
  const std::uint64_t method = number(bytes, at + 10, 2);
  const std::uint64_t name_size = number(bytes, at + 28, 2);
  record.name = part(bytes, at + kDirectoryEntry, name_size);
  check_name(record.name);
  if ((number(bytes, at + 8, 2) & kEncrypted) != 0) fail(fmt::format("'{}' is encrypted", record.name));
  if (method != kStored && method != kDeflated) fail(fmt::format("'{}' is compressed in an unknown way", record.name));
  record.deflated = method == kDeflated;
  record.checksum = static_cast<unsigned>(number(bytes, at + 16, 4));
  const std::uint64_t packed = number(bytes, at + 20, 4);
  record.size = number(bytes, at + 24, 4);
  if (!record.deflated && packed != record.size) fail(fmt::format("'{}' has two sizes", record.name));
  begin = check_local_header(bytes, number(bytes, at + 42, 4), record);
  record.stored = part(bytes, begin, packed);
  at += kDirectoryEntry + name_size + number(bytes, at + 30, 2) + number(bytes, at + 32, 2);
  return record;
}

void check_overlaps(std::vector<std::pair<std::size_t, std::size_t>> places, std::size_t directory) {
  std::ranges::sort(places);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::size_t next = i + 1 < places.size() ? places[i + 1].first : directory;
    if (places[i].second > next) fail("its records overlap");
  }
}

}  // namespace

std::vector<ZipRecord> read_zip(std::string_view bytes) {
  const Directory directory = find_directory(bytes);
  const std::uint64_t most = kUnpackFactor * bytes.size() + kUnpackBase;
  std::vector<ZipRecord> records;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // from the header to the end of the bytes
  std::set<std::string> names;
  std::uint64_t total = 0;
  std::size_t at = directory.begin;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const std::size_t header = number(bytes, at + 42, 4);
    std::size_t begin = 0;
    ZipRecord record = read_entry(bytes, at, begin);
    places.emplace_back(header, begin + record.stored.size());
    if (!names.insert(record.name).second) fail(fmt::format("it has two records '{}'", record.name));
    total += record.size;
    if (total > most) fail(fmt::format("it unpacks to more than {} bytes, the most for its size", most));
    records.push_back(std::move(record));
  }
  if (at != directory.end) fail("its directory is damaged");
  check_overlaps(std::move(places), directory.begin);
  return records;
}

std::string unpack(const ZipRecord& record) {
  std::string content;
  if (!record.deflated) {
    content = record.stored;
  } else {
    content.resize(record.size);
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("zlib could not be started");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(record.stored.data()));
    stream.avail_in = static_cast<uInt>(record.stored.size());  // both are below 4 GiB
    stream.next_out = reinterpret_cast<Bytef*>(content.data());
    stream.avail_out = static_cast<uInt>(content.size());
    const int code = inflate(&stream, Z_FINISH);
    const bool whole = code == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
    inflateEnd(&stream);
    if (!whole) fail(fmt::format("'{}' does not unpack to its {} bytes", record.name, record.size));
  }
  const auto* data = reinterpret_cast<const Bytef*>(content.data());
  if (crc32_z(crc32_z(0, nullptr, 0), data, content.size()) != record.checksum) {
    fail(fmt::format("the checksum of '{}' is wrong", record.name));
  }
  return content;
}

}  // namespace pullback::internal
