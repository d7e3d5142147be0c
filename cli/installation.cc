#include "pullback/cli/installation.h"

#include <cstdlib>

namespace pullback::cli {

namespace fs = std::filesystem;

fs::path binary_folder() {
  static const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  return folder;
}

fs::path models_folder() {
  if (const char* folder = std::getenv("PULLBACK_MODELS"); folder != nullptr && *folder != '\0') return folder;
  const fs::path installed = binary_folder() / "../share/pullback/models";
  std::error_code error;
  if (fs::is_directory(installed, error)) return installed.lexically_normal();
  return (binary_folder() / "../models").lexically_normal();
}

std::optional<fs::path> find_module(const std::string& file_name) {
  // PULLBACK_LIBDIR is where this build installs libraries ("lib", "lib/x86_64-linux-gnu"); a build tree has "lib".
  for (const char* libraries : {PULLBACK_LIBDIR, "lib"}) {
    const fs::path path = (binary_folder() / ".." / libraries / "pullback/plugins" / file_name).lexically_normal();
    std::error_code error;
    if (fs::exists(path, error)) return path;
  }
  return std::nullopt;
}

}  // namespace pullback::cli
