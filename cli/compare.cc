// The command `compare`.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <memory>

#include "pullback/analysis/comparison_summary.h"
#include "pullback/analysis/text.h"
#include "pullback/base/stop.h"
#include "pullback/cli/arguments.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/report.h"
#include "pullback/cli/study_json.h"

namespace pullback::cli {

namespace {

// What is finished is on disk at least this often, whatever happens to the process.
constexpr double kSecondsBetweenCheckpoints = 10;

const std::vector<std::string> kDefaultGenerators = {"mnist-vae", "mnist-dae", "mnist-gan"};
const std::vector<std::string> kDefaultSolvers = {"graph",        "energy",         "shooting",        "newton",
                                                  "graph+energy", "graph+shooting", "energy+shooting", "auto"};

struct Setup {
  Study study;
  std::vector<std::unique_ptr<GeodesicSolver>> solvers;
};

Setup prepare(const CompareArguments& arguments) {
  Opener opener(arguments.plugins);
  Setup setup;
  Study& study = setup.study;
  study.solvers = arguments.solvers.empty() ? kDefaultSolvers : arguments.solvers;
  for (const std::string& chain : study.solvers) setup.solvers.push_back(opener.solvers().make(chain));
  study.pairs = arguments.pairs;
  study.seed = arguments.seed;
  study.time_limit = arguments.time_limit;
  study.accuracy = arguments.accuracy;
  if (!arguments.box.empty()) study.box = parse_interval(arguments.box, "--box");
  study.outside = arguments.outside;
  for (const std::string& name : arguments.generators.empty() ? kDefaultGenerators : arguments.generators) {
    add_part(study, opener.open(name, {0, arguments.dimension}));
  }
  return setup;
}

void run_study(Setup& setup, const CallRecord& record, const std::filesystem::path& results_path) {
  Progress progress(static_cast<int>(setup.study.size()));
  double written = now();
  run_comparison(setup.study, setup.solvers, work_control(record.threads, progress), [&](const Study& study) {
    if (now() - written <= kSecondsBetweenCheckpoints) return;
    write_file(results_path, as_text(study_json(study, record)));
    written = now();
  });
}

}  // namespace

int run_compare(const CompareArguments& arguments, const std::string& command) {
  const std::filesystem::path folder = arguments.out;
  FileRoles roles;
  roles.reads_generators(arguments.generators.empty() ? kDefaultGenerators : arguments.generators);
  roles.reads(arguments.plugins, "--plugin");
  roles.writes(folder, {"results.json", "report.html"}, "--out");
  roles.check();
  Setup setup = prepare(arguments);
  require_writable_folder(folder);
  prepare_for_work(arguments.threads);
  const CallRecord record = record_call(command, arguments.threads);
  run_study(setup, record, folder / "results.json");

  const std::string results = as_text(study_json(setup.study, record));
  std::string page;
  FileContents outputs{{folder / "results.json", results}};
  std::string text = comparison_table(setup.study);
  if (!setup.study.complete) text += "Interrupted: this is what was finished.\n";
  const StopScope scope(adornment_stop());
  try {
    page = make_page("pullback: geodesic solvers compared", report_data(setup.study, record));
    outputs.emplace_back(folder / "report.html", page);
    text += fmt::format("\nreport: {}\n", (folder / "report.html").string());
  } catch (const StopRequested&) {
    text += "\nreport: not drawn, for the pictures of these generators take long\n";
  }
  write_files(outputs);
  write_standard_output(text);
  return setup.study.complete ? kDone : kNotConverged;
}

}  // namespace pullback::cli
