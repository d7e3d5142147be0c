// The program pullback_hunt: hunts for false claims of convergence and for error bars that are too small.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "pullback/plugins/builtin.h"
#include "tests/hunt/hunt.h"

namespace {

std::atomic<bool> g_interrupted{false};
extern "C" void on_interrupt(int) { g_interrupted.store(true, std::memory_order_relaxed); }

struct Arguments {
  pullback::hunt::HuntOptions hunt;
  std::vector<std::string> families;
  std::vector<std::string> solvers;
  std::optional<std::uint64_t> problem;
  std::string models;
  std::string json;
  std::string compare;
  bool list = false;
};

void describe(CLI::App& app, Arguments& a) {
  app.add_option("--seconds", a.hunt.seconds, "stop after this time");
  app.add_option("--solves", a.hunt.solves, "stop after this number of solves");
  app.add_option("--seed", a.hunt.seed, "of all problems")->capture_default_str();
  app.add_option("--family", a.families, "only this family; may be repeated");
  app.add_option("--problem", a.problem, "only this problem of each family");
  app.add_option("--solver", a.solvers, "this chain instead of the default ones; may be repeated");
  app.add_option("--threads", a.hunt.threads, "0: one for each processor")->capture_default_str();
  app.add_option("--time-limit", a.hunt.time_limit, "seconds for each solve")->capture_default_str();
  app.add_option("--models", a.models, "folder of the trained models")->default_val(PULLBACK_HUNT_MODELS);
  app.add_option("--json", a.json, "write the counts and all findings to this file");
  app.add_option("--compare", a.compare,
                 "JSON of another hunt over the same problems: fewer honest claims are a failure");
  app.add_flag("--list", a.list, "list the families");
}

std::vector<pullback::hunt::Family> chosen_families(const Arguments& a) {
  std::vector<pullback::hunt::Family> all = pullback::hunt::all_families(a.models);
  if (a.families.empty()) return all;
  std::vector<pullback::hunt::Family> out;
  for (const std::string& name : a.families) {
    const auto found = std::ranges::find(all, name, &pullback::hunt::Family::name);
    if (found == all.end()) throw std::invalid_argument(fmt::format("unknown family '{}'; --list shows them", name));
    out.push_back(*found);
  }
  return out;
}

int hunt(Arguments a) {
  const auto families = chosen_families(a);
  if (a.list) {
    for (const auto& family : families) fmt::print("{:<22} weight {}\n", family.name, family.weight);
    return 0;
  }
  if (a.hunt.seconds <= 0 && a.hunt.solves <= 0 && !a.problem) a.hunt.seconds = 60;
  a.hunt.problem = a.problem;
  a.hunt.solvers = pullback::hunt::default_solvers();
  if (!a.solvers.empty()) a.hunt.solvers.clear();
  for (const std::string& chain : a.solvers) a.hunt.solvers.push_back({chain});
  a.hunt.should_stop = [] { return g_interrupted.load(std::memory_order_relaxed); };
  pullback::SolverRegistry solvers;
  pullback::GeneratorRegistry generators;
  pullback::PluginRegistrar registrar{solvers, generators};
  pullback::register_builtin_plugins(registrar);
  nlohmann::json before;
  if (!a.compare.empty()) before = nlohmann::json::parse(std::ifstream(a.compare));
  const pullback::hunt::Tally tally = run_hunt(solvers, families, a.hunt);
  fmt::print("{}", tally.text());
  if (!a.json.empty()) std::ofstream(a.json) << tally.json().dump(1) << '\n';
  const std::string fewer = before.is_null() ? "" : pullback::hunt::fewer_claims(tally, before);
  if (!fewer.empty()) fmt::print("Fewer honest claims than before:\n{}", fewer);
  const pullback::hunt::Cell total = tally.total();
  return total.false_claims + total.false_shorter > 0 || !fewer.empty() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Solves random problems with many solvers and judges what they claim. Exit status 1: a false claim."};
  Arguments arguments;
  describe(app, arguments);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  try {
    return hunt(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
