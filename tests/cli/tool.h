// Running the tool as a program, in a folder of its own.
#pragma once

#include <string>
#include <vector>

#include "tests/base/folder.h"

namespace pullback::cli {

struct Finished {
  int status = 0;  // exit status, or minus the signal that ended it
  std::string out;
  std::string err;
  double seconds = 0;  // from the signal to the end, where one was sent
};

using pullback::testing::Folder;
using pullback::testing::read_file;

// Runs a program with the given arguments; standard input is empty.
Finished run_program(const std::string& program, std::vector<std::string> arguments);

// Runs `pullback`.
Finished run_tool(std::vector<std::string> arguments);

// Runs it and sends the signal after so many seconds.
Finished interrupt_tool(std::vector<std::string> arguments, double after, int signal);

int count(const std::string& text, const std::string& part);

}  // namespace pullback::cli
