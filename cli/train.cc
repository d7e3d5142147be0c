// The command `train`: another program, because it needs LibTorch, which costs every start 0.4 s.
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "pullback/base/error.h"
#include "pullback/cli/commands.h"

namespace pullback::cli {

int run_train(const std::vector<std::string>& arguments) {
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "pullback-train";
  std::error_code error;
  if (!std::filesystem::exists(program, error)) throw Error("this build has no training: built without LibTorch");
  std::vector<std::string> words = {"pullback-train"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execv(program.c_str(), pointers.data());
  throw Error(fmt::format("{}: cannot be run: {}", program.string(), std::strerror(errno)));
}

}  // namespace pullback::cli
