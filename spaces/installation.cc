#include "pullback/spaces/installation.h"

#include <dlfcn.h>

#include <cstdlib>

namespace pullback {
namespace {

namespace fs = std::filesystem;

// The folder of this library.
fs::path library_folder() {
  static const fs::path folder = [] {
    Dl_info info{};
    const bool known = dladdr(reinterpret_cast<const void*>(&library_folder), &info) != 0 && info.dli_fname != nullptr;
    std::error_code error;
    const fs::path library = known ? fs::canonical(info.dli_fname, error) : fs::path();
    return library.empty() || error ? fs::read_symlink("/proc/self/exe").parent_path() : library.parent_path();
  }();
  return folder;
}

}  // namespace

fs::path models_folder() {
  if (const char* folder = std::getenv("PULLBACK_MODELS"); folder != nullptr && *folder != '\0') return folder;
  // "lib", or "lib/x86_64-linux-gnu".
  for (const char* way : {"../share/pullback/models", "../../share/pullback/models"}) {
    const fs::path installed = library_folder() / way;
    std::error_code error;
    if (fs::is_directory(installed, error)) return installed.lexically_normal();
  }
  return (library_folder() / "../models").lexically_normal();
}

std::optional<fs::path> find_module(const std::string& file_name) {
  const fs::path path = library_folder() / "pullback/plugins" / file_name;
  std::error_code error;
  return fs::exists(path, error) ? std::optional(path) : std::nullopt;
}

}  // namespace pullback
