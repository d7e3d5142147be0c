// Runs a fuzzer on files, for builds without libFuzzer: FUZZER FILE|FOLDER…
//
// A file whose name starts with "valid" must be read; of the others it is only asked that they do no harm.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/reader.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

// Whether it went as it should.
bool run(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  const std::size_t before = pullback::fuzz::accepted;
  pullback::fuzz::read_input(content);
  if (!path.filename().string().starts_with("valid") || pullback::fuzz::accepted > before) return true;
  std::fprintf(stderr, "%s: refused, but it is a valid one\n", path.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    for (const fs::path& file : files_in(fs::absolute(argv[i]))) files.push_back(file);
  }
  int wrong = 0;
  for (const fs::path& file : files) wrong += run(file) ? 0 : 1;
  std::fprintf(stderr, "%zu files, %d wrong\n", files.size(), wrong);
  return files.empty() || wrong > 0 ? 1 : 0;
}
