// Which files a call reads and which it writes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pullback/cli/commands.h"

namespace pullback::cli {

// Collects the files of one call before its work begins, so that no output replaces an input of the same call, or
// another output. Empty paths and "-" are passed over.
class FileRoles {
 public:
  // `role` is how the user named it: "--pairs", "RESULTS". Of a folder all files directly in it are read.
  void reads(const std::filesystem::path& path, const std::string& role);
  void reads(const std::vector<std::string>& paths, const std::string& role);
  // What Opener::open() would read, if it is a file: "model.pt", "mnist-vae@isometric".
  void reads_generator(const std::string& specification);
  void reads_generators(const std::vector<std::string>& specifications);
  void writes(const std::filesystem::path& path, const std::string& role);
  // Files of these names in a folder.
  void writes(const std::filesystem::path& folder, const std::vector<std::string>& names, const std::string& role);

  // Errors: std::invalid_argument that names the output and what it is besides. Links of both kinds are seen through.
  void check() const;

 private:
  struct File {
    std::filesystem::path path;
    std::string role;
  };
  std::vector<File> inputs_;
  std::vector<File> outputs_;
};

// What every command that solves reads.
void add_inputs(const SolveArguments& arguments, FileRoles& roles);

}  // namespace pullback::cli
