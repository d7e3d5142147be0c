// Zip archives of strangers; private to generators/torch.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace pullback::internal {

// What is wrong with an archive or with what lies in it: one line without a path.
class ArchiveFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One file in an archive.
struct ZipRecord {
  std::string name;
  std::string_view stored;  // its bytes as they lie in the archive
  std::size_t size = 0;     // of its content
  bool deflated = false;
  unsigned checksum = 0;  // CRC-32 of its content
};

// The records of an archive, in the order of its directory; `bytes` must outlive them. Nothing is unpacked.
//
// Taken are archives on one disk, below 4 GiB, with stored and deflated records that are not encrypted, lie one after
// the other without overlap, and say the same of themselves in the directory and where they lie. All records together
// unpack to at most four times the archive and 16 MiB, so that no small file fills the memory. Names are printable, are
// relative, do not lead upwards, and are all different.
// Errors: ArchiveFailure.
std::vector<ZipRecord> read_zip(std::string_view bytes);

// The content of a record. Errors: ArchiveFailure where it is damaged or its checksum is wrong.
std::string unpack(const ZipRecord& record);

}  // namespace pullback::internal
