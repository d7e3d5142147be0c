// Results of `geodesic`, `compare` and `study`, as `verify` reads them.
#include "pullback/cli/commands.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

void read_input(std::string_view input) {
  silence_standard_output();
  cli::VerifyArguments arguments;
  arguments.results = put("results.json", input).string();
  arguments.threads = 1;
  expect_read_or_refused([&] { cli::run_verify(arguments); });
}

}  // namespace pullback::fuzz
