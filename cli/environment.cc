#include "pullback/cli/environment.h"

#include <dlfcn.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <Eigen/Core>
#include <boost/version.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <thread>

#include "pullback/analysis/parallel.h"
#include "pullback/generators/network/network.h"
#include "pullback/version.h"

namespace pullback::cli {

namespace {

std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(": ") + 2);
  }
  return "unknown";
}

std::string operating_system() {
  utsname names{};
  uname(&names);
  std::ifstream in("/etc/os-release");
  for (std::string line; std::getline(in, line);) {
    constexpr std::string_view kKey = "PRETTY_NAME=\"";
    if (line.starts_with(kKey)) return line.substr(kKey.size(), line.size() - kKey.size() - 1) + ", " + names.machine;
  }
  return fmt::format("{} {}, {}", names.sysname, names.release, names.machine);
}

// A function of OpenBLAS, if that is what came in with a solver; the tool itself links no BLAS.
template <class Function>
Function* openblas(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

Json libraries() {
  Json versions = {
      {"Eigen", fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)},
      {"Boost", fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)},
      {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)}};
  if (constexpr std::string_view ceres = PULLBACK_CERES_VERSION; !ceres.empty()) versions["Ceres"] = ceres;
  return versions;
}

}  // namespace

std::string command_line(const std::vector<std::string>& arguments) {
  std::string line = "pullback";
  for (const std::string& argument : arguments) {
    constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) {
      line += " " + argument;
      continue;
    }
    line += " '";
    for (const char c : argument) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += "'";
  }
  return line;
}

Json describe_environment() {
  auto* const config = openblas<char*()>("openblas_get_config");
  const char* core = std::getenv("OPENBLAS_CORETYPE");
  return {{"version", PULLBACK_VERSION},
          {"processor", processor()},
          {"threads", std::thread::hardware_concurrency()},
          {"instruction_set", active_instruction_set()},
          {"system", operating_system()},
          {"compiler", PULLBACK_COMPILER},
          {"build", PULLBACK_BUILD_TYPE},
          {"libraries", libraries()},
          {"blas", config != nullptr ? config() : "none"},
          {"openblas_coretype", core != nullptr ? Json(core) : Json(nullptr)}};
}

CallRecord record_call(const std::string& command, int threads) {
  return {command, fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))), thread_count(threads),
          describe_environment()};
}

void use_one_blas_thread() {
  if (auto* set_threads = openblas<void(int)>("openblas_set_num_threads")) set_threads(1);
}

}  // namespace pullback::cli
