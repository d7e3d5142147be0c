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

// What is written beside results: how, when and where they were made.
struct CallRecord {
  std::string command;
  std::string started;  // ISO 8601, UTC
  int threads = 1;
  Json environment;
};

// Of a call that begins now. `threads`: 0 for one for each processor.
CallRecord record_call(const std::string& command, int threads);

// Keeps BLAS, where there is one, from starting threads of its own beside ours.
void use_one_blas_thread();

}  // namespace pullback::cli
