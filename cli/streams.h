// Files, pipes and devices as bytes, without ever waiting where Ctrl-C does not end the wait.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "pullback/base/error.h"

namespace pullback::cli {

// The user ended the program while it waited for the other side of a pipe.
class Interrupted : public Error {
 public:
  using Error::Error;
};

// More than this is never read into memory.
inline constexpr std::size_t kLargestInput = std::size_t{1} << 30;

// Everything that a file, a pipe or a terminal gives, up to its end. `expected` says in errors what it should be ("a
// CSV file"). Waits for whoever writes into a pipe. Errors: pullback::Error with the path for what cannot be read, is a
// folder or gives more than kLargestInput bytes; Interrupted.
std::string read_whole(const std::filesystem::path& path, std::string_view expected);

// Whether `path` is there and is neither a regular file nor a folder, or names a descriptor of this process
// (/dev/stdout, /dev/fd/63).
bool is_special(const std::filesystem::path& path);

// Writes into a pipe or device. Waits for whoever reads from a pipe. Errors: pullback::Error with the path;
// Interrupted.
void write_special(const std::filesystem::path& path, std::string_view content);

}  // namespace pullback::cli
