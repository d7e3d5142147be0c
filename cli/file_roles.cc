#include "pullback/cli/file_roles.h"

#include <fmt/format.h>

#include <stdexcept>
#include <system_error>

#include "pullback/base/atomic_file.h"
#include "pullback/spaces/installation.h"
#include "pullback/spaces/named_transforms.h"

namespace pullback::cli {

namespace fs = std::filesystem;

void FileRoles::reads(const fs::path& path, const std::string& role) {
  if (path.empty() || path == "-") return;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    inputs_.push_back({path, role});
    return;
  }
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_regular_file(ignored)) inputs_.push_back({it->path(), role});
  }
}

void FileRoles::reads(const std::vector<std::string>& paths, const std::string& role) {
  for (const std::string& path : paths) reads(path, role);
}

void FileRoles::reads_generator(const std::string& specification) {
  const std::string base(split_transforms(specification).base);
  std::error_code error;
  for (const fs::path& path : {fs::path(base), models_folder() / (base + ".safetensors")}) {
    if (!fs::is_regular_file(path, error)) continue;
    inputs_.push_back({path, "generator " + specification});
    return;
  }
}

void FileRoles::reads_generators(const std::vector<std::string>& specifications) {
  for (const std::string& specification : specifications) reads_generator(specification);
}

void FileRoles::writes(const fs::path& path, const std::string& role) {
  if (!path.empty() && path != "-") outputs_.push_back({path, role});
}

void FileRoles::writes(const fs::path& folder, const std::vector<std::string>& names, const std::string& role) {
  if (folder.empty()) return;
  for (const std::string& name : names) outputs_.push_back({folder / name, role});
}

void add_inputs(const SolveArguments& arguments, FileRoles& roles) {
  roles.reads_generator(arguments.generator);
  roles.reads(arguments.points, "--points");
  roles.reads(arguments.plugins, "--plugin");
}

void FileRoles::check() const {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const auto& [path, role] = outputs_[i];
    for (const File& input : inputs_) {
      if (!same_file(path, input.path)) continue;
      throw std::invalid_argument(
          fmt::format("{}: {} would be replaced, but is an input of the same call ({} {}); choose another name", role,
                      path.string(), input.role, input.path.string()));
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (!same_file(path, outputs_[k].path)) continue;
      throw std::invalid_argument(fmt::format("{}: {} is the same file as {} of {}; choose another name", role,
                                              path.string(), outputs_[k].path.string(), outputs_[k].role));
    }
  }
}

}  // namespace pullback::cli
