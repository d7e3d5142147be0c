// The command `study conditioning`.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "pullback/analysis/studies/study_fields.h"
#include "pullback/base/parse.h"
#include "pullback/cli/arguments.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/conditioning_json.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/journal.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/report.h"

namespace pullback::cli {

namespace {

// What is studied unless something else is asked for, and with --quick.
const std::vector<double> kKappas = {1, 1e2, 1e4, 1e6, 1e8, 1e10};
const std::vector<double> kQuickKappas = {1, 1e4, 1e8};
const std::vector<int> kDimensions = {2, 8, 32};
const std::vector<int> kQuickDimensions = {2, 8};
constexpr int kPairs = 4;
constexpr int kQuickPairs = 2;
constexpr double kTimeLimit = 5;
constexpr double kQuickTimeLimit = 1;

// Beyond it a chart has no digits left in double precision.
constexpr double kMostKappa = 1e15;
constexpr int kMostDimension = 256;

std::vector<double> parse_numbers(const std::string& text, const char* option, double most) {
  std::vector<double> values;
  for (const std::string_view part : split(text, ',')) {
    const auto number = parse_number(part);
    if (!number || !(*number >= 1 && *number <= most)) {
      throw std::invalid_argument(
          fmt::format("{}: expected numbers from 1 to {:g} separated by commas, got \"{:.40}\"", option, most, part));
    }
    values.push_back(*number);
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<int> parse_dimensions(const std::string& text) {
  std::vector<int> dimensions;
  for (const double value : parse_numbers(text, "--dimension", kMostDimension)) {
    if (value < 2 || value != static_cast<int>(value)) {
      throw std::invalid_argument(fmt::format("--dimension: expected whole numbers from 2, got {:g}", value));
    }
    dimensions.push_back(static_cast<int>(value));
  }
  return dimensions;
}

std::vector<std::string> choose_solvers(const ConditioningArguments& arguments, const Opener& opener) {
  std::vector<std::string> chains;
  if (!arguments.only) {
    for (const auto& [name, entry] : opener.solvers().entries()) {
      if (entry.make) chains.push_back(name);
    }
  }
  for (const std::string& chain : arguments.solvers) {
    if (std::ranges::find(chains, chain) == chains.end()) chains.push_back(chain);
  }
  if (chains.empty()) throw std::invalid_argument("--only: name the solvers with --solver");
  return chains;
}

ConditioningSettings choose_settings(const ConditioningArguments& arguments, const Opener& opener) {
  const bool quick = arguments.quick;
  ConditioningSettings settings;
  settings.solvers = choose_solvers(arguments, opener);
  settings.families = arguments.families.empty() ? conditioning_families() : arguments.families;
  settings.kappas = arguments.kappas.empty() ? (quick ? kQuickKappas : kKappas)
                                             : parse_numbers(arguments.kappas, "--kappa", kMostKappa);
  settings.dimensions =
      arguments.dimensions.empty() ? (quick ? kQuickDimensions : kDimensions) : parse_dimensions(arguments.dimensions);
  settings.pairs = arguments.pairs > 0 ? arguments.pairs : (quick ? kQuickPairs : kPairs);
  settings.seed = arguments.seed;
  settings.time_limit = arguments.time_limit > 0 ? arguments.time_limit : (quick ? kQuickTimeLimit : kTimeLimit);
  return settings;
}

void run_missing(JournaledStudy& journaled, const std::vector<std::unique_ptr<GeodesicSolver>>& solvers,
                 Journal& journal, int threads) {
  Progress progress(static_cast<int>(missing_runs(journaled.study)));
  run_conditioning_study(journaled.study, solvers, work_control(threads, progress),
                         [&](const ConditioningJob& job, const ConditioningResult& result) {
                           const Json entry = entry_json(job, result);
                           journal.append(entry);
                           take_entry(journaled, JsonView(entry, "journal"));
                         });
}

std::string text_of(const ConditioningStudy& study, const std::filesystem::path& folder) {
  std::string text = conditioning_table(study);
  text +=
      "solved: converged, and within 0.1 % of the best length known for the pair at any κ; longer: converged to "
      "another\n"
      "geodesic; false: claimed converged, but no geodesic in the well-conditioned chart.\n";
  if (!study.complete) text += "Interrupted: the same command goes on from here.\n";
  return text + fmt::format("\nreport: {}\n", (folder / "study.html").string());
}

}  // namespace

int run_study_conditioning(const ConditioningArguments& arguments, const std::string& command) {
  const std::filesystem::path folder = arguments.out;
  FileRoles roles;
  roles.reads(arguments.plugins, "--plugin");
  roles.writes(folder, {"results.json", "study.html", "journal.jsonl"}, "--out");
  roles.check();
  Opener opener(arguments.plugins);
  JournaledStudy journaled;
  ConditioningStudy& study = journaled.study;
  study.settings = choose_settings(arguments, opener);
  std::vector<std::unique_ptr<GeodesicSolver>> solvers;
  for (const std::string& chain : study.settings.solvers) solvers.push_back(opener.solvers().make(chain));
  study.panels = make_conditioning_panels(opener, study.settings);
  study.runs.resize(run_count(study));
  journaled.texts.resize(run_count(study));
  require_writable_folder(folder);
  const Json header = {{"schema", "pullback-conditioning-1"}, {"settings", fields_json(study.settings)}};
  Journal journal(folder / "journal.jsonl", header, [&](const JsonView& entry) { take_entry(journaled, entry); });
  prepare_for_work(arguments.threads);
  const CallRecord record = record_call(command, arguments.threads);

  run_missing(journaled, solvers, journal, arguments.threads);

  const std::string results = conditioning_results(journaled, record);
  const std::string page =
      make_page("pullback: geodesic solvers and ill-conditioned Jacobians", conditioning_report(study, record));
  write_files({{folder / "results.json", results}, {folder / "study.html", page}});
  write_standard_output(text_of(study, folder));
  return study.complete ? kDone : kNotConverged;
}

}  // namespace pullback::cli
