// Options that several commands have.
#include <fmt/format.h>

#include "pullback/base/parse.h"
#include "pullback/cli/options.h"

namespace pullback::cli {
namespace {

// What SolveControl takes.
constexpr double kLeastAccuracy = 1e-12;
constexpr double kMostAccuracy = 1e-2;

}  // namespace

CLI::Validator in_range(double low, double high) {
  return {[low, high](std::string& text) {
            const auto number = parse_number(text);
            const std::string fault = number_fault(text);
            if (fault.empty() && number && *number >= low && *number <= high) return std::string();
            if (number && !fault.empty())
              return fmt::format("expected a number from {:g} to {:g}, got one that {}", low, high, fault);
            return fmt::format("expected a number from {:g} to {:g}, got \"{}\"", low, high, text);
          },
          ""};
}

void add_accuracy(CLI::App& command, double& accuracy) {
  command
      .add_option("--accuracy", accuracy,
                  "relative accuracy of the lengths, which solvers and certificate follow (default: 1e-6)")
      ->type_name("A")
      ->check(in_range(kLeastAccuracy, kMostAccuracy));
}

void add_plugins(CLI::App& command, std::vector<std::string>& plugins) {
  command.add_option("--plugin", plugins, "load a plugin (.so) first; may be repeated")
      ->type_name("PATH")
      ->allow_extra_args(false);
}

void add_dimension(CLI::App& command, int& dimension) {
  command
      .add_option("--dimension", dimension,
                  "latent dimension of a file that does not say it (default: that of the points given)")
      ->type_name("N")
      ->check(in_range(1, 1'000'000));
}

void add_generator(CLI::App& command, std::string& generator, int& dimension, std::vector<std::string>& plugins) {
  command.add_option("GENERATOR", generator, kGeneratorHelp)->required();
  add_dimension(command, dimension);
  add_plugins(command, plugins);
}

void add_solve_options(CLI::App& command, SolveArguments& solve) {
  add_generator(command, solve.generator, solve.dimension, solve.plugins);
  command.add_option("--solver", solve.solver, "solvers joined by +, with options: energy:nodes=64,tolerance=1e-8")
      ->type_name("CHAIN")
      ->capture_default_str();
  command.add_option("--points", solve.points, "latent points for solvers that use them (default: the model's codes)")
      ->type_name("FILE.csv");
  command.add_option("--threads", solve.threads, "pairs solved at a time (default: one for each processor)")
      ->type_name("T")
      ->check(in_range(1, 1024));
  command.add_option("--time-limit", solve.time_limit, kTimeLimitHelp)->type_name("S")->check(in_range(1e-9, 1e9));
  add_accuracy(command, solve.accuracy);
}

}  // namespace pullback::cli
