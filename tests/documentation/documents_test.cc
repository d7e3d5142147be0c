// READMEs and guides are there, say what is the case, and show code that is compiled.
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

// The blocks between ```LANGUAGE and ```.
std::vector<std::string> code_blocks(const std::vector<std::string>& lines, const std::string& language) {
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
    } else if (line == "```" + language) {
      inside = true;
    }
  }
  EXPECT_FALSE(inside) << "a block of code does not end";
  return blocks;
}

// Every file below a folder that is called so, or ends so.
std::vector<fs::path> files_of(const fs::path& folder, const std::string& ending) {
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && (name == "build" || name.starts_with("."))) entry.disable_recursion_pending();
    if (entry->is_regular_file() && name.ends_with(ending)) files.push_back(entry->path());
  }
  return files;
}

// The sources that a build compiles and a test runs, and that guides show parts of.
std::string compiled_sources(const std::vector<std::string>& endings) {
  std::string text;
  for (const char* folder : {"examples", "plugins"}) {
    for (const std::string& ending : endings) {
      for (const fs::path& file : files_of(kSource / folder, ending)) {
        for (const std::string& line : read_lines(file)) text += squeezed(line);
      }
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

void expect_shown_code_is_in(const std::string& sources, const std::string& language) {
  int blocks = 0;
  for (const fs::path& page : files_of(kSource, ".md")) {
    for (const std::string& block : code_blocks(read_lines(page), language)) {
      ++blocks;
      EXPECT_NE(sources.find(squeezed(block)), std::string::npos)
          << page << " shows code that is in no file of examples/ or plugins/:\n"
          << block;
    }
  }
  EXPECT_GT(blocks, 0) << language;
}

TEST(Documents, ShowOnlyCodeThatIsCompiled) { expect_shown_code_is_in(compiled_sources({".cc", ".h"}), "cpp"); }

TEST(Documents, ShowOnlyBuildCodeThatIsUsed) {
  expect_shown_code_is_in(compiled_sources({"plugin.cmake", "CMakeLists.txt"}), "cmake");
}

TEST(PluginsReadme, NamesEveryPluginThatIsBuiltIn) {
  std::string readme;
  for (const std::string& line : read_lines(kSource / "plugins/README.md")) readme += line + "\n";
  int plugins = 0;
  for (const fs::path& file : files_of(kSource / "plugins", "plugin.cmake")) {
    const std::string name = file.parent_path().filename().string();
    EXPECT_NE(readme.find("| [`" + name + "`](" + name + "/README.md) |"), std::string::npos) << name;
    EXPECT_TRUE(fs::exists(file.parent_path() / "README.md")) << name;
    ++plugins;
  }
  EXPECT_GT(plugins, 0);
}

TEST(Troubleshooting, HasAHeadingForEveryTermination) {
  const std::vector<std::string> lines = read_lines(kSource / "docs/troubleshooting.md");
  const std::vector<std::string> source = read_lines(kSource / "solvers/result.cc");
  int terminations = 0;
  for (const std::string& line : source) {
    const std::size_t begin = line.find("return \"");
    if (begin == std::string::npos) continue;
    const std::string name = line.substr(begin + 8, line.rfind('"') - begin - 8);
    if (name == "unknown") continue;  // of no termination
    ++terminations;
    EXPECT_NE(std::ranges::find(lines, "## `" + name + "`"), lines.end()) << name;
  }
  EXPECT_EQ(terminations, 8);
}

// NAME stands for what a reader chooses.
bool is_file_name(const std::string& text) {
  if ((text.starts_with(".") && !text.starts_with("..")) || text.find("NAME") != std::string::npos) return false;
  for (const char* ending : {".h", ".cc", ".js", ".cmake", ".md"}) {
    if (text.ends_with(ending)) return text.find_first_of(" *<") == std::string::npos;
  }
  return false;
}

// Headers and sources in backticks, by their name or the end of their path.
TEST(Documents, NameFilesThatExist) {
  std::string all;
  for (const fs::path& file : files_of(kSource, "")) all += "/" + fs::relative(file, kSource).string() + "\n";
  int names = 0;
  for (const fs::path& page : files_of(kSource, ".md")) {
    if (page.filename() == "CHANGELOG.md") continue;  // says what was
    for (const std::string& line : read_lines(page)) {
      for (std::size_t begin = line.find('`'); begin != std::string::npos;) {
        const std::size_t end = line.find('`', begin + 1);
        if (end == std::string::npos) break;
        std::string name = line.substr(begin + 1, end - begin - 1);
        begin = line.find('`', end + 1);
        if (!is_file_name(name)) continue;
        for (const char* prefix : {"../", "../", "pullback/"}) {
          if (name.starts_with(prefix)) name.erase(0, std::string(prefix).size());
        }
        ++names;
        EXPECT_NE(all.find("/" + name + "\n"), std::string::npos) << page << " names " << name;
      }
    }
  }
  EXPECT_GT(names, 0);
}

// Paths in backticks in the last column of a table.
TEST(Glossary, NamesFilesThatExist) {
  int files = 0;
  for (const std::string& line : read_lines(kSource / "docs/glossary.md")) {
    if (!line.starts_with("| ") || !line.ends_with("` |")) continue;
    const std::size_t end = line.size() - 3;
    const std::size_t begin = line.rfind('`', end - 1) + 1;
    EXPECT_TRUE(fs::exists(kSource / line.substr(begin, end - begin))) << line;
    ++files;
  }
  EXPECT_GT(files, 0);
}

TEST(Decisions, AreShortAndListed) {
  constexpr std::size_t kMostDecisionLines = 25;
  const fs::path folder = kSource / "docs/decisions";
  std::string list;
  for (const std::string& line : read_lines(folder / "README.md")) list += line + "\n";
  for (const fs::path& file : files_of(folder, ".md")) {
    const std::string name = file.filename().string();
    if (name == "README.md") continue;
    EXPECT_LE(read_lines(file).size(), kMostDecisionLines) << name;
    EXPECT_NE(list.find("](" + name + ")"), std::string::npos) << name << " is not in the list of docs/decisions";
  }
}

TEST(Citation, HasTheVersionOfTheProject) {
  for (const std::string& line : read_lines(kSource / "CITATION.cff")) {
    if (line.starts_with("version: ")) {
      EXPECT_EQ(line.substr(9), PULLBACK_PROJECT_VERSION);
      return;
    }
  }
  ADD_FAILURE() << "CITATION.cff has no version";
}

}  // namespace
