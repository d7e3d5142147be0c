// Running the tool as a program, in a folder of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace pullback::cli {

struct Finished {
  int status = 0;  // exit status, or minus the signal that ended it
  std::string out;
  std::string err;
  double seconds = 0;  // from the signal to the end, where one was sent
};

// A fresh folder that goes away with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  // Writes a file and returns its path.
  std::string put(const std::string& name, const std::string& content) const;
  // Names of all files and folders in it, sorted.
  std::vector<std::string> list() const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);

// Runs a program with the given arguments; standard input is empty.
Finished run_program(const std::string& program, std::vector<std::string> arguments);

// Runs `pullback`.
Finished run_tool(std::vector<std::string> arguments);

// Runs it and sends the signal after so many seconds.
Finished interrupt_tool(std::vector<std::string> arguments, double after, int signal);

int count(const std::string& text, const std::string& part);

}  // namespace pullback::cli
