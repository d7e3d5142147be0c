// What a plugin is: one function that returns this.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "pullback/base/export.h"
#include "pullback/generators/generator_registry.h"
#include "pullback/solvers/registry.h"
#include "pullback/version.h"

namespace pullback {

inline constexpr std::uint32_t kPluginApiVersion = 1;

// What must agree between a plugin and the program that loads it, because Eigen objects and C++ classes pass between
// them. Filled in by the compiler of the plugin, compared with the program's own before anything of it is called.
struct PULLBACK_EXPORT BuildFingerprint {
  std::uint32_t size = sizeof(BuildFingerprint);
  std::uint32_t cxx_abi;          // __GXX_ABI_VERSION
  std::uint32_t cxx11_abi;        // _GLIBCXX_USE_CXX11_ABI
  std::uint32_t eigen_version;    // world·10⁴ + major·10² + minor
  std::uint32_t eigen_alignment;  // EIGEN_MAX_ALIGN_BYTES: what allocation and moves rely on
  std::uint32_t eigen_default_column_major;
  std::uint32_t scalar_size;      // of the library's scalar
  std::uint32_t library_version;  // major·10⁴ + minor·10²: the ABI of the classes below may change with either
  std::uint32_t layout;           // sizes of the classes that pass: they also change between releases

  bool operator==(const BuildFingerprint&) const = default;
};

// The sizes of classes, folded into one number.
template <class... Classes>
constexpr std::uint32_t layout_of() {
  std::uint32_t out = 0;
  ((out = out * 65521U + static_cast<std::uint32_t>(sizeof(Classes))), ...);
  return out;
}

constexpr BuildFingerprint this_build() {
  BuildFingerprint build{};
  build.size = sizeof(BuildFingerprint);
  build.cxx_abi = __GXX_ABI_VERSION;
#ifdef _GLIBCXX_USE_CXX11_ABI
  build.cxx11_abi = _GLIBCXX_USE_CXX11_ABI;
#endif
  build.eigen_version = EIGEN_WORLD_VERSION * 10000 + EIGEN_MAJOR_VERSION * 100 + EIGEN_MINOR_VERSION;
  build.eigen_alignment = EIGEN_MAX_ALIGN_BYTES;
#ifdef EIGEN_DEFAULT_TO_ROW_MAJOR
  build.eigen_default_column_major = 0;
#else
  build.eigen_default_column_major = 1;
#endif
  build.scalar_size = sizeof(double);
  build.library_version = PULLBACK_VERSION_MAJOR * 10000 + PULLBACK_VERSION_MINOR * 100;
  build.layout = layout_of<SolverRegistry, SolverEntry, SolverRecipe, GeneratorRegistry, OpenedGenerator,
                           GeneratorTraits, Workspace, GeodesicProblem, SolveContext, RawSolution, GeodesicResult>();
  return build;
}

// Where a plugin registers what it brings.
struct PULLBACK_EXPORT PluginRegistrar {
  SolverRegistry& solvers;
  GeneratorRegistry& generators;
};

// The description of a plugin. Plain data, so that it can be read before anything is known to agree; `api_version`
// comes first and stays first.
struct PULLBACK_EXPORT PluginInfo {
  std::uint32_t api_version;
  const char* name;
  const char* version;
  BuildFingerprint build;
  void (*register_plugin)(PluginRegistrar&);  // may throw std::exception; the plugin is then refused
};

using PluginEntry = const PluginInfo* (*)();  // to static storage

// The name of the exported function of a loaded plugin.
inline constexpr const char* kPluginEntryName = "pullback_plugin";

}  // namespace pullback

// Exports a plugin from a shared object:
//   PULLBACK_PLUGIN("sample", "1.0", [](pullback::PluginRegistrar& r) { r.solvers.add<…>(…); })
// The callback is a function or a lambda without captures. A built-in plugin defines a function of another name with
// the same content.
#define PULLBACK_PLUGIN(name, version, ...)                                                                    \
  extern "C" PULLBACK_EXPORT const pullback::PluginInfo* pullback_plugin() {                                   \
    static const pullback::PluginInfo info{pullback::kPluginApiVersion, name, version, pullback::this_build(), \
                                           __VA_ARGS__};                                                       \
    return &info;                                                                                              \
  }
