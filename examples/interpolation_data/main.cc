// Does a small classifier learn more from digits that are mixed along geodesics? One command answers:
//
//   interpolation_data --data mnist --out interpolation
//
// trains it with digits mixed in five ways, for several seeds, and writes results.json and tables. What is finished is
// kept, so that the same command goes on after Ctrl-C.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "files.h"
#include "pullback/base/error.h"
#include "pullback/spaces/installation.h"
#include "study.h"
#include "terminal.h"

namespace interpolation_data {
namespace {

enum ExitStatus {
  kDone = 0,
  kInterrupted = 1,  // what was finished is written
  kBadUsage = 2,
  kBadFile = 3,
};

struct Arguments {
  std::filesystem::path data;
  std::filesystem::path out = "interpolation-data";
  std::string model = "mnist-vae-8d";
  int threads = 1;
  Settings settings;
};

std::filesystem::path model_path(const std::string& model) {
  if (model.find('/') != std::string::npos || model.ends_with(".safetensors")) return model;
  return pullback::models_folder() / (model + ".safetensors");
}

Json scores_json(const std::vector<Score>& scores) {
  Json list = Json::array();
  for (const Score& s : scores) list.push_back({s.accuracy, s.negative_log_likelihood, s.calibration_error});
  return list;
}

// One seed, from its file where that was made with the same settings; nothing when interrupted.
Json run_or_read(const Material& material, const Arguments& arguments, std::uint64_t seed) {
  const std::filesystem::path path = arguments.out / fmt::format("seed-{}.json", seed);
  Json settings = settings_json(arguments.settings);
  settings.erase("seeds");
  settings["data"] = material.description;
  if (std::filesystem::exists(path)) {
    Json found = read_json(path);
    if (found.value("settings", Json()) == settings) return found;
  }
  const Digits digits = choose_digits(material, arguments.settings, seed);
  const Geodesics geodesics = solve_pairs(material, digits, arguments.settings, seed, arguments.threads,
                                          arguments.out / fmt::format("geodesics-{}.safetensors", seed));
  if (interrupted()) return nullptr;
  const std::vector<Score> scores = run_seed(material, digits, geodesics, arguments.settings, seed, arguments.threads);
  if (interrupted()) return nullptr;
  Json result = {{"seed", seed},
                 {"settings", settings},
                 {"scores", scores_json(scores)},
                 {"geodesics",
                  {{"pairs", geodesics.pairs.size()},
                   {"converged", geodesics.converged},
                   {"median_seconds", geodesics.median_seconds},
                   {"median_length_to_straight", geodesics.median_gain},
                   {"median_bend", geodesics.median_bend}}}};
  write_file(path, result.dump(1) + "\n");
  return result;
}

int run(const Arguments& arguments, const std::string& command) {
  const Material material = read_material(arguments.data, model_path(arguments.model), arguments.settings.labels);
  require_writable_folder(arguments.out);
  finish_on_interrupt();
  std::vector<std::vector<Score>> scores;
  Json seeds = Json::array();
  for (int seed = 1; seed <= arguments.settings.seeds; ++seed) {
    const Json result = run_or_read(material, arguments, static_cast<std::uint64_t>(seed));
    if (result.is_null()) break;
    scores.emplace_back();
    for (const Json& s : result.at("scores")) {
      scores.back().push_back({s.at(0).get<double>(), s.at(1).get<double>(), s.at(2).get<double>()});
    }
    seeds.push_back(result);
  }
  if (scores.empty()) return kInterrupted;
  const bool complete = static_cast<int>(scores.size()) == arguments.settings.seeds;
  const Json summary = summarise(scores);
  const Json results = {{"schema", "pullback-interpolation-data-1"},
                        {"command", command},
                        {"complete", complete},
                        {"data", material.description},
                        {"environment", describe_environment()},
                        {"settings", settings_json(arguments.settings)},
                        {"summary", summary},
                        {"seeds", std::move(seeds)}};
  write_file(arguments.out / "results.json", results.dump(1) + "\n");
  write_file(arguments.out / "tables.md", markdown(summary));
  fmt::print("{}", markdown(summary));
  return complete ? kDone : kInterrupted;
}

void add_options(CLI::App& app, Arguments& arguments) {
  Settings& s = arguments.settings;
  app.add_option("--data", arguments.data, "folder of MNIST's IDX files")->required();
  app.add_option("--out", arguments.out, "folder for the results")->capture_default_str();
  app.add_option("--model", arguments.model, "shipped model or file, with an encoder")->capture_default_str();
  app.add_option("--solver", s.solver, "chain for the geodesics")->capture_default_str();
  app.add_option("--labels", s.labels, "labelled digits")->check(CLI::Range(2, 1'000'000))->capture_default_str();
  app.add_option("--pairs", s.pairs, "pairs that are mixed")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--seeds", s.seeds, "seeds, from 1")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--steps", s.steps, "steps of training")->check(CLI::Range(1, 10'000'000))->capture_default_str();
  app.add_option("--alpha", s.alpha, "of the weights' Beta distribution")
      ->check(CLI::Range(0.01, 10.0))
      ->capture_default_str();
  app.add_option("--threads", arguments.threads, "threads")->check(CLI::Range(1, 1024))->capture_default_str();
}

int run_program(int argc, char** argv) {
  CLI::App app("Trains a small classifier with digits mixed straight and along geodesics, and compares.");
  Arguments arguments;
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return kDone;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "interpolation_data: {}\n", error.what());
    return kBadUsage;
  }
  arguments.settings.model = arguments.model;
  try {
    return run(arguments, command_line({argv, argv + argc}));
  } catch (const pullback::Error& error) {
    fmt::print(stderr, "interpolation_data: {}\n", error.what());
    return kBadFile;
  } catch (const std::exception& error) {
    fmt::print(stderr, "interpolation_data: {}\n", error.what());
    return kBadUsage;
  }
}

}  // namespace
}  // namespace interpolation_data

int main(int argc, char** argv) { return interpolation_data::run_program(argc, argv); }
