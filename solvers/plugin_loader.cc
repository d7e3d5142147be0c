#include "pullback/solvers/plugin_loader.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "pullback/base/error.h"

namespace pullback {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw Error(fmt::format("plugin {}: {}", path.string(), reason));
}

// Eigen aligns to 16 bytes unless the compiler may use wider vectors or is told otherwise.
std::string alignment_advice(std::uint32_t plugin, std::uint32_t program) {
  return plugin > program ? "compile it without -march=native and EIGEN_MAX_ALIGN_BYTES"
                          : fmt::format("compile it with -DEIGEN_MAX_ALIGN_BYTES={}", program);
}

// What differs between two builds so that objects cannot pass between them, or nothing.
std::optional<std::string> difference(const BuildFingerprint& plugin, const BuildFingerprint& program) {
  const auto differ = [](const char* what, std::uint32_t of_plugin, std::uint32_t of_program, const std::string& todo) {
    return fmt::format("it was built with {} {}, this program with {}: {}", what, of_plugin, of_program, todo);
  };
  if (plugin.size != program.size) {
    return differ("a fingerprint of size", plugin.size, program.size, "build it against this version of pullback");
  }
  if (plugin.library_version != program.library_version) {
    return differ("pullback version code", plugin.library_version, program.library_version,
                  "build it against this version of pullback");
  }
  if (plugin.layout != program.layout) {
    return differ("classes of layout", plugin.layout, program.layout, "build it against this build of pullback");
  }
  if (plugin.cxx_abi != program.cxx_abi) {
    return differ("C++ ABI version", plugin.cxx_abi, program.cxx_abi, "compile it without -fabi-version");
  }
  if (plugin.cxx11_abi != program.cxx11_abi) {
    return differ("_GLIBCXX_USE_CXX11_ABI", plugin.cxx11_abi, program.cxx11_abi, "compile it with the same value");
  }
  if (plugin.eigen_version != program.eigen_version) {
    return differ("Eigen version code", plugin.eigen_version, program.eigen_version, "build it with the same Eigen");
  }
  if (plugin.eigen_alignment != program.eigen_alignment) {
    return differ("Eigen alignment", plugin.eigen_alignment, program.eigen_alignment,
                  alignment_advice(plugin.eigen_alignment, program.eigen_alignment));
  }
  if (plugin.eigen_default_column_major != program.eigen_default_column_major) {
    return differ("Eigen's column-major default", plugin.eigen_default_column_major, program.eigen_default_column_major,
                  "compile it without EIGEN_DEFAULT_TO_ROW_MAJOR");
  }
  if (plugin.scalar_size != program.scalar_size) {
    return differ("a scalar of size", plugin.scalar_size, program.scalar_size, "build it against this pullback");
  }
  return std::nullopt;
}

// The loader maps what the headers of a shared object promise and dies of SIGBUS where a truncated file does not have
// it, so that is looked at first.
void require_complete(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path, "cannot be read");
  const std::uintmax_t size = std::filesystem::file_size(path);
  ElfW(Ehdr) header{};
  if (!file.read(reinterpret_cast<char*>(&header), SELFMAG) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    refuse(path, "is not a shared object");
  }
  constexpr const char* kShort = "is shorter than its own headers say: copy or build it again";
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(&header), sizeof(header))) refuse(path, kShort);
  // The table of sections stands at the end of the file.
  if (header.e_shoff + std::uintmax_t{header.e_shnum} * header.e_shentsize > size) refuse(path, kShort);
  for (int i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment{};
    file.seekg(static_cast<std::streamoff>(header.e_phoff + i * sizeof(segment)));
    if (!file.read(reinterpret_cast<char*>(&segment), sizeof(segment))) refuse(path, kShort);
    if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset) refuse(path, kShort);
  }
}

// dlerror() without the path that it likes to start with.
std::string load_error(const std::filesystem::path& path) {
  const char* const text = dlerror();
  std::string message = text == nullptr ? "unknown error" : text;
  const std::string prefix = path.string() + ": ";
  if (message.starts_with(prefix)) message.erase(0, prefix.size());
  return message;
}

PluginEntry find_entry(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) refuse(path, error ? error.message() : "no such file");
  if (!std::filesystem::is_regular_file(status)) refuse(path, "expected a shared object, got something not a file");
  require_complete(path);
  const std::filesystem::path absolute = std::filesystem::absolute(path);  // else the system's library path is searched
  // The object stays for good: solvers, exceptions and readers made by it may outlive every other reference.
  void* const handle = dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) refuse(path, "cannot be loaded as a shared object: " + load_error(absolute));
  void* const symbol = dlsym(handle, kPluginEntryName);
  dlclose(handle);
  if (symbol == nullptr) {
    refuse(path, fmt::format("has no entry point '{}'; write one with PULLBACK_PLUGIN", kPluginEntryName));
  }
  return reinterpret_cast<PluginEntry>(symbol);
}

// Calls into the plugin, where anything may be thrown.
template <class Function>
auto guarded(const std::filesystem::path& path, const char* what, const Function& function) {
  try {
    return function();
  } catch (const std::exception& error) {
    refuse(path, fmt::format("threw while {}: {}", what, error.what()));
  } catch (...) {
    refuse(path, fmt::format("threw something that is not a std::exception while {}", what));
  }
}

const PluginInfo& checked_info(const std::filesystem::path& path) {
  const PluginEntry entry = find_entry(path);
  const PluginInfo* const info = guarded(path, "describing itself", [&] { return entry(); });
  if (info == nullptr) refuse(path, "its entry point returned no description");
  if (info->api_version != kPluginApiVersion) {
    refuse(path, fmt::format("was made for plugin API version {}, this program has {}: build it against this pullback",
                             info->api_version, kPluginApiVersion));
  }
  if (const auto reason = difference(info->build, this_build())) refuse(path, *reason);
  if (info->name == nullptr || *info->name == '\0') refuse(path, "its description has no name");
  if (info->version == nullptr) refuse(path, "its description has no version");
  if (info->register_plugin == nullptr) refuse(path, "its description has no callback that registers it");
  return *info;
}

}  // namespace

void register_builtin(const PluginInfo& plugin, PluginRegistrar& registrar) { plugin.register_plugin(registrar); }

void load_plugin(const std::filesystem::path& path, PluginRegistrar& registrar) {
  const PluginInfo& info = checked_info(path);
  // Into copies, which become the registries once everything went well.
  SolverRegistry solvers = registrar.solvers;
  GeneratorRegistry generators = registrar.generators;
  solvers.set_origin(path.string());
  PluginRegistrar trial{solvers, generators};
  guarded(path, "registering", [&] { info.register_plugin(trial); });
  solvers.set_origin(registrar.solvers.origin());
  registrar.solvers = std::move(solvers);
  registrar.generators = std::move(generators);
}

std::vector<std::string> load_plugin_directory(const std::filesystem::path& directory, PluginRegistrar& registrar) {
  std::vector<std::filesystem::path> files;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path());
    }
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(fmt::format("plugin directory {}: {}", directory.string(), error.code().message()));
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> failures;
  for (const auto& file : files) {
    try {
      load_plugin(file, registrar);
    } catch (const Error& error) {
      failures.emplace_back(error.what());
    }
  }
  return failures;
}

}  // namespace pullback
