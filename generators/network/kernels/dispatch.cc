#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "pullback/generators/network/kernels/network_kernel.h"
#include "pullback/generators/network/network.h"

namespace pullback {
namespace {

// From narrow to wide. The conditions are what the variants are compiled for, see CMakeLists.txt.
std::vector<const kernels::Kernel*> available_kernels() {
  std::vector<const kernels::Kernel*> available{&kernels::baseline_kernel()};
#ifdef PULLBACK_X86_KERNELS
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  if (avx2) available.push_back(&kernels::avx2_kernel());
  if (avx512) available.push_back(&kernels::avx512_kernel());
#endif
  return available;
}

}  // namespace

const kernels::Kernel& kernels::active_kernel() {
  const auto available = available_kernels();
  const char* wanted = std::getenv("PULLBACK_ISA");
  if (wanted == nullptr || *wanted == '\0') return *available.back();
  for (const Kernel* kernel : available) {
    if (std::string_view(wanted) == kernel->name) return *kernel;
  }
  throw std::invalid_argument(
      fmt::format("environment variable PULLBACK_ISA: '{}' is not an instruction set of this "
                  "processor; choices: {}",
                  wanted, fmt::join(available_instruction_sets(), ", ")));
}

std::string_view active_instruction_set() { return kernels::active_kernel().name; }

std::vector<std::string_view> available_instruction_sets() {
  std::vector<std::string_view> names;
  for (const kernels::Kernel* kernel : available_kernels()) names.emplace_back(kernel->name);
  return names;
}

}  // namespace pullback
