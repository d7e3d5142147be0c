// The READMEs are there, short, and show code that is compiled.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kSource = PULLBACK_SOURCE_DIR;
constexpr std::size_t kMostLines = 40;

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The text without any blanks, so that how a formatter breaks lines makes no difference.
std::string squeezed(const std::string& text) {
  std::string result;
  std::copy_if(text.begin(), text.end(), std::back_inserter(result),
               [](unsigned char c) { return std::isspace(c) == 0; });
  return result;
}

// The blocks between ```cpp and ```.
std::vector<std::string> code_blocks(const std::vector<std::string>& lines) {
  std::vector<std::string> blocks;
  std::string block;
  bool inside = false;
  for (const std::string& line : lines) {
    if (inside && line.starts_with("```")) {
      blocks.push_back(block);
      block.clear();
      inside = false;
    } else if (inside) {
      block += line + "\n";
    } else if (line.starts_with("```cpp")) {
      inside = true;
    }
  }
  EXPECT_FALSE(inside) << "a block of code does not end";
  return blocks;
}

// Every source that a build compiles and a test runs.
std::string compiled_examples() {
  std::string text;
  for (const char* folder : {"examples", "plugins/sample"}) {
    for (const auto& entry : fs::directory_iterator(kSource / folder)) {
      if (entry.path().extension() != ".cc") continue;
      for (const std::string& line : read_lines(entry.path())) text += squeezed(line);
    }
  }
  return text;
}

class FolderReadme : public testing::TestWithParam<const char*> {};

TEST_P(FolderReadme, ExistsAndIsShort) {
  const fs::path path = kSource / GetParam() / "README.md";
  ASSERT_TRUE(fs::exists(path)) << path;
  const std::size_t lines = read_lines(path).size();
  EXPECT_GT(lines, 3u) << path;
  EXPECT_LE(lines, kMostLines) << path;
}

INSTANTIATE_TEST_SUITE_P(Folders, FolderReadme,
                         testing::Values("generators", "manifold", "solvers", "plugins", "plugins/sample", "analysis",
                                         "base", "spaces", "cli", "training", "models", "examples", "bench", "tests"));

TEST(Readme, ShowsOnlyCodeThatIsCompiled) {
  const std::string compiled = compiled_examples();
  int blocks = 0;
  for (auto entry = fs::recursive_directory_iterator(kSource); entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && (name == "build" || name.starts_with("."))) entry.disable_recursion_pending();
    if (entry->path().extension() != ".md") continue;
    for (const std::string& block : code_blocks(read_lines(entry->path()))) {
      ++blocks;
      EXPECT_NE(compiled.find(squeezed(block)), std::string::npos)
          << entry->path() << " shows code that is in no file of examples/ or plugins/sample/:\n"
          << block;
    }
  }
  EXPECT_GT(blocks, 0);
}

}  // namespace
