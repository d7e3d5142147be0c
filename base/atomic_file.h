// Files that hold either their old content or all of the new, whatever happens while they are written.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "pullback/base/export.h"

namespace pullback {

// A file that is written under a random name in the folder of its target and moved into place when it is whole.
//
// The temporary is created exclusively, so that nothing planted under its name is followed or overwritten, and it
// vanishes unless it was moved. A target that is a symbolic link stays one: what it points to is replaced. An existing
// target keeps its permissions and, where the process may set them, its owner and group. Where the target has other
// hard links, those keep the old content: a file under several names cannot be replaced as a whole.
//
// Errors of all: pullback::Error with the target's path and the system's reason (no such folder, not permitted, disk
// full). A target that is a folder, that may not be written, or that is no regular file (a pipe, a device) is refused.
// Thread safety: none for one object; several objects may have one target, and the last one moved wins.
class PULLBACK_EXPORT AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  AtomicFile& operator=(AtomicFile&&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }

  // Flushes all that was written to the disk, under the temporary name. Nothing can be written afterwards.
  void finish();

  // Moves the file to its target; finishes it first where that was not done.
  void move_into_place();

 private:
  [[noreturn]] void fail(int error) const;
  void open_temporary();
  void take_over(mode_t mode, uid_t owner, gid_t group);

  std::filesystem::path target_;  // as it was given, for errors
  std::filesystem::path place_;   // the target behind all symbolic links
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

// Whether both paths lead to one file, through symbolic and hard links, so that writing one would change the other. For
// a file that does not exist yet only the path counts. A pipe, a terminal or anything else that is not a regular file
// never counts as the same. Errors: pullback::Error where links go round in a circle.
PULLBACK_EXPORT bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// Writes all files under temporary names before any is moved into place, so that a full disk leaves all as they were.
// Errors: as above.
using FileContents = std::vector<std::pair<std::filesystem::path, std::string_view>>;
PULLBACK_EXPORT void write_atomically(const FileContents& files);

}  // namespace pullback
