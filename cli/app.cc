#include "pullback/cli/app.h"
#include "pullback/base/parse.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cctype>
#include <functional>
#include <memory>
#include <stdexcept>

#include "pullback/base/error.h"
#include "pullback/base/stop.h"
#include "pullback/cli/arguments.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/options.h"
#include "pullback/cli/streams.h"
#include "pullback/version.h"

namespace pullback::cli {

namespace {

constexpr char kExamples[] = R"(Examples:
  pullback geodesic torus:R=3,r=1 --from 0,0 --to 0,1.8
  pullback geodesic mnist-vae --pairs pairs.csv --solver graph+energy --json out.json
  pullback inspect mnist-gan --out maps
  pullback compare --out report              then open report/report.html
  pullback solvers                           what is there, with its options

Exit status: 0 all converged, 1 some did not (results are written), 2 wrong command line,
3 a file or plugin that cannot be used.)";

void add_lists(CLI::App& app, Action& action) {
  const auto add = [&](const char* name, const char* description, int (*run)(const ListArguments&)) {
    auto arguments = std::make_shared<ListArguments>();
    CLI::App* command = app.add_subcommand(name, description);
    command->add_flag("--json", arguments->json, "as JSON");
    add_plugins(*command, arguments->plugins);
    command->callback([&action, arguments, run] { action = [arguments, run] { return run(*arguments); }; });
  };
  add("solvers", "list the solvers and their options", run_solvers);
  add("generators", "list what GENERATOR can be", run_generators);
}

void add_geodesic(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<GeodesicArguments>();
  CLI::App* command = app.add_subcommand("geodesic", "compute geodesics and certify them");
  add_solve_options(*command, arguments->solve);
  command->add_option("--from", arguments->from, "where it starts: 0.1,0.2")->type_name("Z");
  command->add_option("--to", arguments->to, "where it ends: 1,2")->type_name("Z");
  command->add_option("--pairs", arguments->pairs, "a row for each pair: from, then to")->type_name("FILE.csv");
  command->add_option("--samples", arguments->samples, "points of each curve in the JSON, uniform in t")
      ->type_name("N")
      ->capture_default_str()
      ->check(in_range(2, 1'000'000));
  command->add_option("--json", arguments->json, "write results here; - is standard output")->type_name("FILE");
  command->footer(
      "Examples:\n  pullback geodesic sphere --from 1.047,0 --to 2.094,2\n"
      "  pullback geodesic mnist-vae --pairs pairs.csv --solver graph+shooting --json -");
  command->callback([&action, arguments] { action = [arguments] { return run_geodesic(*arguments); }; });
}

void add_distances(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<DistancesArguments>();
  CLI::App* command = app.add_subcommand("distances", "matrix of geodesic lengths between points");
  add_solve_options(*command, arguments->solve);
  command->add_option("POINTS", arguments->table, "a row for each point")->type_name("POINTS.csv")->required();
  command->add_option("--out", arguments->out, "the matrix as CSV; terminations go beside it; - is standard output")
      ->type_name("FILE")
      ->required();
  command->add_option("--json", arguments->json, "lengths and terminations as JSON")->type_name("FILE");
  command->footer("Example:\n  pullback distances mnist-vae points.csv --out lengths.csv");
  command->callback([&action, arguments] { action = [arguments] { return run_distances(*arguments); }; });
}

void add_inspect(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* command = app.add_subcommand("inspect", "condition and magnification of a generator's Jacobian");
  command->add_option("GENERATOR", arguments->generator, kGeneratorHelp)->required();
  command
      ->add_option("--box", arguments->box,
                   "latent box, the same for each coordinate (default: the codes and a deviation around)")
      ->type_name("LO,HI");
  command->add_option("--grid", arguments->grid, "points along each side")
      ->type_name("N")
      ->capture_default_str()
      ->check(in_range(2, 1000));
  command->add_option("--points", arguments->points, "a row for each point to inspect besides")->type_name("FILE.csv");
  command
      ->add_option("--pairs", arguments->pairs, "geodesics between codes to solve, to see how far from data they run")
      ->type_name("N")
      ->check(in_range(1, 100'000));
  command->add_option("--solver", arguments->solver, "with --pairs: the chain that solves them")
      ->type_name("CHAIN")
      ->capture_default_str();
  command->add_option("--time-limit", arguments->time_limit, kTimeLimitHelp)
      ->type_name("S")
      ->check(in_range(1e-9, 1e9));
  add_accuracy(*command, arguments->accuracy);
  add_dimension(*command, arguments->dimension);
  command->add_option("--out", arguments->out, "write inspect.json and inspect.html here")->type_name("DIR");
  command->add_option("--json", arguments->json, "write the numbers here; - is standard output")->type_name("FILE");
  add_plugins(*command, arguments->plugins);
  command->footer("Example:\n  pullback inspect mnist-vae --out maps");
  command->callback([&action, arguments] { action = [arguments] { return run_inspect(*arguments); }; });
}

void add_compare(CLI::App& app, Action& action, const std::string& line) {
  auto arguments = std::make_shared<CompareArguments>();
  CLI::App* command = app.add_subcommand("compare", "compare solvers on generators; writes a report");
  command->add_option("GENERATOR", arguments->generators, "default: mnist-vae mnist-dae mnist-gan");
  command->add_option("--solver", arguments->solvers, "a chain to compare; may be repeated")
      ->type_name("CHAIN")
      ->allow_extra_args(false);
  command
      ->add_option("--pairs", arguments->pairs,
                   "end-point pairs for each generator; models with digits get two sevens besides")
      ->type_name("N")
      ->capture_default_str()
      ->check(in_range(1, 1'000'000));
  command->add_option("--seed", arguments->seed, "chooses the pairs")->type_name("S")->capture_default_str();
  command->add_option("--outside", arguments->outside, "share of the pairs with ends anywhere in the box of the codes")
      ->type_name("SHARE")
      ->capture_default_str()
      ->check(in_range(0, 1));
  command->add_option("--box", arguments->box, "where ends lie for generators without codes")->type_name("LO,HI");
  add_dimension(*command, arguments->dimension);
  command->add_option("--out", arguments->out, "where results.json and report.html go")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "solves at a time (default: one for each processor)")
      ->type_name("T")
      ->check(in_range(1, 1024));
  command->add_option("--time-limit", arguments->time_limit, kTimeLimitHelp)
      ->type_name("S")
      ->check(in_range(1e-9, 1e9));
  add_accuracy(*command, arguments->accuracy);
  add_plugins(*command, arguments->plugins);
  command->footer(
      "Solved means: converged, and within 0.1 % of the best length known for the pair.\nThe exit status is 0 when the "
      "comparison is complete and 1 when it was interrupted.\n\nExample:\n  pullback compare mnist-vae torus --solver "
      "energy --solver graph+energy --pairs 20 --out report");
  command->callback(
      [&action, arguments, line] { action = [arguments, line] { return run_compare(*arguments, line); }; });
}

void add_verify(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = app.add_subcommand("verify", "measure the curves of a results file again");
  command->add_option("RESULTS", arguments->results, "what `geodesic --json`, `compare` or `study conditioning` wrote")
      ->type_name("RESULTS.json")
      ->required();
  command
      ->add_option("--generator", arguments->generators,
                   "open this instead of what the file names; NAME=SPEC where it names several")
      ->type_name("SPEC")
      ->allow_extra_args(false);
  command->add_option("--tolerance", arguments->tolerance, "relative difference allowed in each number")
      ->type_name("T")
      ->capture_default_str()
      ->check(in_range(0, 1));
  command->add_option("--threads", arguments->threads, "curves at a time (default: one for each processor)")
      ->type_name("T")
      ->check(in_range(1, 1024));
  command->add_option("--json", arguments->json, "write findings here; - is standard output")->type_name("FILE");
  add_plugins(*command, arguments->plugins);
  command->footer(
      "Everything that follows from the curve and the generator is measured again. The exit status is 0\nwhen all of "
      "it "
      "agrees and 1 when something does not, with a line for each field.\n\nExample:\n  pullback geodesic sphere "
      "--from "
      "1,0 --to 2,2 --json out.json && pullback verify out.json");
  command->callback([&action, arguments] { action = [arguments] { return run_verify(*arguments); }; });
}

void add_conditioning_options(CLI::App& command, ConditioningArguments& arguments) {
  const auto add_list = [&](const char* name, std::vector<std::string>& values, const char* description,
                            const char* type) {
    command.add_option(name, values, description)->type_name(type)->allow_extra_args(false);
  };
  add_list("--solver", arguments.solvers, "a chain to study besides every registered solver; may be repeated", "CHAIN");
  command.add_flag("--only", arguments.only, "study the solvers named with --solver and no other");
  add_list("--family", arguments.families, "a map to study (default: all); may be repeated", "NAME");
  command.add_option("--dimension", arguments.dimensions, "latent dimensions (default: 2,8,32)")->type_name("D,D,...");
  command.add_option("--kappa", arguments.kappas, "condition numbers of the charts (default: 1,1e2,...,1e10)")
      ->type_name("K,K,...");
  command.add_option("--pairs", arguments.pairs, "pairs for each map, a quarter from 16 dimensions on (default: 4)")
      ->type_name("N")
      ->check(in_range(1, 100'000));
  command.add_option("--seed", arguments.seed, "chooses pairs, charts and networks")
      ->type_name("S")
      ->capture_default_str()
      ->check(in_range(0, 1e9));
  command.add_option("--out", arguments.out, "where results.json, study.html and the journal go")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--threads", arguments.threads, "solves at a time (default: one for each processor)")
      ->type_name("T")
      ->check(in_range(1, 1024));
  command
      .add_option("--time-limit", arguments.time_limit,
                  "seconds for each geodesic, its certificate included (default: 5)")
      ->type_name("S")
      ->check(in_range(1e-9, 1e9));
  command.add_flag("--quick", arguments.quick, "three condition numbers, dimensions 2 and 8, two pairs, one second");
  add_plugins(command, arguments.plugins);
}

void add_jacobian_options(CLI::App& command, JacobianArguments& arguments) {
  command.add_option("MODEL", arguments.models,
                     "GENERATOR with codes, or label=GENERATOR; one label's models are a row");
  command.add_option("--from", arguments.from, "draw the page of these results again; nothing is computed")
      ->type_name("RESULTS.json");
  command.add_option("--points", arguments.points, "points inside of the data's region, and as many around it")
      ->type_name("N")
      ->capture_default_str()
      ->check(in_range(10, 1'000'000));
  command.add_option("--grid", arguments.grid, "points along each side of the maps")
      ->type_name("N")
      ->capture_default_str()
      ->check(in_range(2, 1000));
  command.add_option("--pairs", arguments.pairs, "geodesics between codes to solve on each model (default: none)")
      ->type_name("N")
      ->check(in_range(1, 100'000));
  command.add_option("--solver", arguments.solvers, "a chain to solve them with (default: auto); may be repeated")
      ->type_name("CHAIN")
      ->allow_extra_args(false);
  command.add_option("--seed", arguments.seed, "chooses points and pairs")->type_name("S")->capture_default_str();
  command.add_option("--out", arguments.out, "where results.json and report.html go")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--threads", arguments.threads, "models at a time (default: one for each processor)")
      ->type_name("T")
      ->check(in_range(1, 1024));
  command.add_option("--time-limit", arguments.time_limit, kTimeLimitHelp)->type_name("S")->check(in_range(1e-9, 1e9));
  add_accuracy(command, arguments.accuracy);
  add_plugins(command, arguments.plugins);
}

void add_study_jacobian(CLI::App& study, Action& action, const std::string& line) {
  auto arguments = std::make_shared<JacobianArguments>();
  CLI::App* command =
      study.add_subcommand("jacobian", "smoothness and conditioning of many models, at their data and around them");
  add_jacobian_options(*command, *arguments);
  command->footer(
      "Smoothness: change of log det M per standard deviation of the data. The exit status is 0 when the study is\n"
      "complete and 1 when it was interrupted.\n\nExamples:\n  pullback study jacobian VAE=mnist-vae DAE=mnist-dae "
      "--pairs 10 --out jacobian\n  pullback study jacobian --from jacobian/results.json --out again");
  command->callback(
      [&action, arguments, line] { action = [arguments, line] { return run_study_jacobian(*arguments, line); }; });
}

void add_study(CLI::App& app, Action& action, const std::string& line) {
  CLI::App* study = app.add_subcommand("study", "studies of solvers and of models; each writes a report");
  study->require_subcommand(1);
  add_uncertainty_study(*study, action, line);
  auto arguments = std::make_shared<ConditioningArguments>();
  CLI::App* command = study->add_subcommand("conditioning", "solvers against the condition number of the Jacobian");
  add_conditioning_options(*command, *arguments);
  command->footer(
      "Work that is finished is kept in DIR/journal.jsonl: the same command goes on where it was stopped or\nkilled. "
      "The "
      "exit status is 0 when the study is complete and 1 when it was interrupted.\n\nExample:\n  pullback study "
      "conditioning --solver graph+energy --out study");
  command->callback(
      [&action, arguments, line] { action = [arguments, line] { return run_study_conditioning(*arguments, line); }; });
  add_study_jacobian(*study, action, line);
}

// Standard error gets at most this many lines when nothing could be done.
constexpr int kErrorLines = 6;

int fail(ExitStatus status, std::string message) {
  int lines = 0;
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '\n') {
      if (++lines == kErrorLines) message.resize(i);
    } else if (static_cast<unsigned char>(message[i]) < 0x20 || message[i] == 0x7F) {
      message[i] = '?';  // what a file holds must not move the terminal's cursor
    }
  }
  while (message.ends_with('\n')) message.pop_back();
  fmt::print(stderr, "pullback: {}\n", message);
  return status;
}

std::string known_commands(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

// The command of that name; null where there is none.
const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  const auto found = app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

void describe_program(CLI::App& app) {
  app.name("pullback");
  app.require_subcommand(1);
  app.set_version_flag("--version", "pullback " PULLBACK_VERSION);
  app.set_help_flag("-h,--help", "print this help");
  app.get_option("--version")->description("print the version");
  app.get_formatter()->column_width(34);
  app.footer(kExamples);
}

int parse_and_run(CLI::App& app, const std::vector<std::string>& arguments, const Action& action) {
  if (arguments.empty()) {
    return fail(kBadUsage,
                fmt::format("no command given, expected one of {}\nTry `pullback --help`.", known_commands(app)));
  }
  const CLI::App* first = find_command(app, arguments[0]);
  if (!arguments[0].starts_with('-') && first == nullptr) {
    return fail(kBadUsage, fmt::format("unknown command \"{}\", expected one of {}\nTry `pullback --help`.",
                                       arguments[0], known_commands(app)));
  }
  // `study` has commands of its own.
  const std::string choices = first != nullptr ? known_commands(*first) : "";
  if (!choices.empty() && arguments.size() > 1 && !arguments[1].starts_with('-') &&
      find_command(*first, arguments[1]) == nullptr) {
    return fail(kBadUsage, fmt::format("unknown {} \"{}\", expected one of {}\nTry `pullback {} --help`.", arguments[0],
                                       arguments[1], choices, arguments[0]));
  }
  std::vector<std::string> reversed = join_negative_values(arguments);  // CLI11 takes them from the back
  std::ranges::reverse(reversed);
  try {
    app.parse(reversed);
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    const CLI::App* command = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
    return fail(kBadUsage, fmt::format("{}\nTry `pullback {}--help`.", error.what(),
                                       command == &app ? "" : command->get_name() + " "));
  }
  return action();
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  end_on_interrupt();
  try {
    if (!arguments.empty() && arguments[0] == "train") return run_train({arguments.begin() + 1, arguments.end()});
    CLI::App app("Geodesics of deep generative models, each with a certificate.");
    Action action;
    describe_program(app);
    add_lists(app, action);
    add_geodesic(app, action);
    add_inspect(app, action);
    add_compare(app, action, command_line(arguments));
    add_distances(app, action);
    add_tangent_commands(app, action);
    add_verify(app, action);
    add_fit_uncertainty(app, action, command_line(arguments));
    add_study(app, action, command_line(arguments));
    app.add_subcommand("train", "train a VAE, DAE or GAN (needs LibTorch)");
    return parse_and_run(app, arguments, action);
  } catch (const std::invalid_argument& error) {
    return fail(kBadUsage, error.what());
  } catch (const Interrupted& error) {
    return fail(kNotConverged, error.what());
  } catch (const UnknownDimension& error) {
    return fail(kBadFile, fmt::format("{}\nThe dimension is that of --from, --pairs or --points, or --dimension N.",
                                      error.what()));
  } catch (const Error& error) {
    return fail(kBadFile, error.what());
  } catch (const StopRequested&) {
    return fail(kNotConverged, "interrupted before anything was finished");
  } catch (const std::bad_alloc&) {
    return fail(kBadFile, "out of memory");
  } catch (const std::exception& error) {
    return fail(kBadFile, fmt::format("unexpected error: {}", error.what()));
  }
}

}  // namespace pullback::cli
