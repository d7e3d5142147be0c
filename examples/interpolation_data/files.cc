#include "files.h"

#include <fmt/format.h>

#include <fstream>
#include <thread>

#include "pullback/base/atomic_file.h"
#include "pullback/base/error.h"
#include "pullback/generators/network/network.h"

namespace interpolation_data {

Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw pullback::Error(fmt::format("{}: cannot be read", path.string()));
  try {
    return Json::parse(file);
  } catch (const Json::exception& error) {
    throw pullback::Error(fmt::format("{}: not JSON: {}", path.string(), error.what()));
  }
}

void write_file(const std::filesystem::path& path, const std::string& content) {
  pullback::write_atomically({{path, content}});
}

void require_writable_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw pullback::Error(fmt::format("{}: {}", folder.string(), error.message()));
  const pullback::AtomicFile probe(folder / "results.json");  // vanishes, for it is not moved into place
}

std::string command_line(const std::vector<std::string>& arguments) {
  constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  std::string line;
  for (const std::string& argument : arguments) {
    if (!line.empty()) line += " ";
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) {
      line += argument;
      continue;
    }
    line += "'";
    for (const char c : argument) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += "'";
  }
  return line;
}

Json describe_environment() {
  return {{"processors", std::thread::hardware_concurrency()},
          {"instruction_set", pullback::active_instruction_set()},
          {"compiler", __VERSION__}};
}

}  // namespace interpolation_data
