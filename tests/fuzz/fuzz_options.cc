// What people type: solver chains with their options, points, intervals, charts.
#include <vector>

#include "pullback/base/parse.h"
#include "pullback/cli/arguments.h"
#include "pullback/plugins/builtin.h"
#include "pullback/solvers/registry.h"
#include "pullback/spaces/charts.h"
#include "tests/fuzz/reader.h"

namespace pullback::fuzz {

namespace {

const SolverRegistry& solvers() {
  static const SolverRegistry registry = [] {
    SolverRegistry out;
    GeneratorRegistry generators;
    PluginRegistrar registrar{out, generators};
    register_builtin_plugins(registrar);
    return out;
  }();
  return registry;
}

}  // namespace

void read_input(std::string_view input) {
  const std::string text(input);
  expect_read_or_refused([&] { solvers().make(text); });
  expect_read_or_refused([&] { cli::parse_point(text, "--from", 2); });
  expect_read_or_refused([&] { cli::parse_interval(text, "--box"); });
  expect_read_or_refused([&] { parse_chart(3, text); });
  std::vector<std::string> words;
  for (const std::string_view word : split(text, ' ')) words.emplace_back(word);
  cli::join_negative_values(words);
}

}  // namespace pullback::fuzz
