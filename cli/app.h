// The command line.
#pragma once

#include <string>
#include <vector>

namespace pullback::cli {

// Runs the program with the arguments after its name, and returns its exit status. Prints results to standard output;
// with the statuses 2 and 3 nothing there and at most six lines to standard error.
int run(const std::vector<std::string>& arguments);

}  // namespace pullback::cli
