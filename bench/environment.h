// What a timing depends on, put into the context of every benchmark report.
#pragma once

#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <Eigen/Core>
#include <cstdlib>
#include <fstream>
#include <string>

#include "pullback/generators/network/network.h"

namespace pullback::bench {

inline std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

// The BLAS that this process has loaded, if any: Ceres and LibTorch bring theirs, the networks need none.
inline std::string blas() {
  using Describe = char* (*)();
  const auto config = reinterpret_cast<Describe>(dlsym(RTLD_DEFAULT, "openblas_get_config"));
  const auto core = reinterpret_cast<Describe>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  if (config == nullptr) return dlsym(RTLD_DEFAULT, "dgemm_") == nullptr ? "none loaded" : "another than OpenBLAS";
  return std::string(config()) + (core == nullptr ? "" : std::string(", core ") + core());
}

inline std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "not set" : value;
}

inline std::string compiler() {
#ifdef __clang__
  return __VERSION__;
#else
  return "GCC " __VERSION__;
#endif
}

// Call before benchmark::RunSpecifiedBenchmarks.
inline void describe_environment() {
  benchmark::AddCustomContext("processor", processor());
  benchmark::AddCustomContext("compiler", compiler());
  benchmark::AddCustomContext("eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) +
                                           "." + std::to_string(EIGEN_MINOR_VERSION));
  benchmark::AddCustomContext("blas", blas());
  benchmark::AddCustomContext("OPENBLAS_CORETYPE", environment_variable("OPENBLAS_CORETYPE"));
  benchmark::AddCustomContext("instruction set", std::string(active_instruction_set()));
}

}  // namespace pullback::bench
