// Where and with what results were made.
#pragma once

#include <string>
#include <vector>

#include "pullback/cli/result_json.h"

namespace pullback::cli {

// How the program was called, quoted for a shell.
std::string command_line(const std::vector<std::string>& arguments);

// Version, processor, cores, instruction set, operating system, compiler, libraries, BLAS.
Json describe_environment();

// Keeps BLAS, where there is one, from starting threads of its own beside ours.
void use_one_blas_thread();

}  // namespace pullback::cli
