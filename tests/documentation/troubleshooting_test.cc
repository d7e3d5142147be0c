// The commands of docs/troubleshooting.md end as the page says.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/tool.h"

namespace pullback::cli {
namespace {

struct Command {
  std::vector<std::string> arguments;
  std::vector<std::string> expected;  // lines of its output
};

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> result;
  for (std::string word; in >> word;) result.push_back(word);
  return result;
}

// What stands between ```console and ```: lines with '$ pullback …', each followed by what it prints.
std::vector<Command> commands_of(const std::filesystem::path& page) {
  std::istringstream in(read_file(page));
  std::vector<Command> commands;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("```")) {
      inside = line == "```console";
    } else if (inside && line.starts_with("$ pullback ")) {
      commands.push_back({words(line.substr(11)), {}});
    } else if (inside && !commands.empty()) {
      commands.back().expected.push_back(line);
    }
  }
  return commands;
}

TEST(Troubleshooting, CommandsEndAsThePageSays) {
  const std::vector<Command> commands =
      commands_of(std::filesystem::path(PULLBACK_SOURCE_DIR) / "docs/troubleshooting.md");
  ASSERT_FALSE(commands.empty());
  for (const Command& command : commands) {
    const Finished finished = run_tool(command.arguments);
    ASSERT_FALSE(command.expected.empty()) << command.arguments[1];
    for (const std::string& line : command.expected) {
      EXPECT_NE(finished.out.find(line + "\n"), std::string::npos)
          << ::testing::PrintToString(command.arguments) << " should print\n"
          << line << "\nand prints\n"
          << finished.out << finished.err;
    }
  }
}

}  // namespace
}  // namespace pullback::cli
