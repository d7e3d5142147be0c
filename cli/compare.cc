// The command `compare`.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>

#include "pullback/cli/batch.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/parallel.h"
#include "pullback/cli/report.h"
#include "pullback/cli/study_json.h"
#include "pullback/generators/stop.h"

namespace pullback::cli {

namespace {

// Where ends lie on a surface without codes: positive, so that polar and half-plane charts are met inside.
constexpr Interval kDefaultBox{0.2, 1.8};

// What is finished is on disk at least this often, whatever happens to the process.
constexpr double kSecondsBetweenCheckpoints = 10;

const std::vector<std::string> kDefaultGenerators = {"mnist-vae", "mnist-dae", "mnist-gan"};
const std::vector<std::string> kDefaultSolvers = {"graph",        "energy",         "shooting",        "newton",
                                                  "graph+energy", "graph+shooting", "energy+shooting", "auto"};

struct Setup {
  Study study;
  std::vector<std::unique_ptr<GeodesicSolver>> solvers;
};

Setup prepare(const CompareArguments& arguments, const std::string& command) {
  Session session(arguments.plugins);
  Setup setup;
  Study& study = setup.study;
  study.solvers = arguments.solvers.empty() ? kDefaultSolvers : arguments.solvers;
  for (const std::string& chain : study.solvers) setup.solvers.push_back(session.solvers().make(chain));
  study.pairs = arguments.pairs;
  study.seed = arguments.seed;
  study.threads = thread_count(arguments.threads);
  study.time_limit = arguments.time_limit;
  study.command = command;
  study.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  study.box = arguments.box.empty() ? kDefaultBox : parse_interval(arguments.box, "--box");
  study.outside = arguments.outside;
  for (const std::string& name : arguments.generators.empty() ? kDefaultGenerators : arguments.generators) {
    StudyPart part{session.open(name, {0, arguments.dimension}), {}, {}};
    part.pairs = choose_pairs(part.space, arguments.pairs, study.seed, study.box, study.outside);
    part.results.resize(part.pairs.size() * study.solvers.size());
    study.parts.push_back(std::move(part));
  }
  return setup;
}

// One solve of the study, counted through all parts, pairs and solvers.
struct Job {
  std::size_t part;
  std::size_t pair;
  std::size_t solver;
};

std::vector<Job> jobs_of(const Study& study) {
  std::vector<Job> jobs;
  for (std::size_t part = 0; part < study.parts.size(); ++part) {
    for (std::size_t pair = 0; pair < study.parts[part].pairs.size(); ++pair) {
      for (std::size_t solver = 0; solver < study.solvers.size(); ++solver) jobs.push_back({part, pair, solver});
    }
  }
  return jobs;
}

void run_study(Setup& setup, const Json& environment, const std::filesystem::path& results_path) {
  Study& study = setup.study;
  const std::vector<Job> jobs = jobs_of(study);
  Progress progress(static_cast<int>(jobs.size()));
  std::mutex mutex;
  double written = now();
  run_jobs(static_cast<int>(jobs.size()), study.threads, [&](int i) {
    if (interrupted()) return;
    const Job job = jobs[static_cast<std::size_t>(i)];
    StudyPart& part = study.parts[job.part];
    const StudyPair& pair = part.pairs[job.pair];
    const GeodesicProblem problem{part.space.manifold, pair.from, pair.to, {}, part.space.codes};
    GeodesicResult result = solve_interruptibly(*setup.solvers[job.solver], problem, study.time_limit);
    if (result.termination == Termination::kStopped) return;  // what it would have become is not known
    progress.advance(part.space.name + "  " + study.solvers[job.solver]);
    const std::lock_guard lock(mutex);
    part.results[job.pair * study.solvers.size() + job.solver] = std::move(result);
    if (now() - written > kSecondsBetweenCheckpoints) {
      write_file(results_path, as_text(study_json(study, environment)));
      written = now();
    }
  });
  study.complete = !interrupted();
}

std::string text_of(const Study& study) {
  std::string text;
  for (const StudyPart& part : study.parts) {
    const std::vector<SolverSummary> summary = summarise(study, part);
    text += fmt::format("{}  ({} pairs)\n{}\n", part.space.name, part.pairs.size(), summary_table(summary));
  }
  return text +
         fmt::format(
             "solved: converged, and within {:g} % of the best length known for the pair; median and worst: length\n"
             "over that best length; time: median of solver and certificate; evaluations: median, in points.\n",
             100 * kSolvedTolerance);
}

}  // namespace

int run_compare(const CompareArguments& arguments, const std::string& command) {
  const std::filesystem::path folder = arguments.out;
  FileRoles roles;
  roles.reads_generators(arguments.generators.empty() ? kDefaultGenerators : arguments.generators);
  roles.reads(arguments.plugins, "--plugin");
  roles.writes(folder, {"results.json", "report.html"}, "--out");
  roles.check();
  Setup setup = prepare(arguments, command);
  require_writable_folder(folder);
  finish_on_interrupt();
  if (setup.study.threads > 1) use_one_blas_thread();
  const Json environment = describe_environment();
  run_study(setup, environment, folder / "results.json");

  const std::string results = as_text(study_json(setup.study, environment));
  std::string page;
  FileContents outputs{{folder / "results.json", results}};
  std::string text = text_of(setup.study);
  if (!setup.study.complete) text += "Interrupted: this is what was finished.\n";
  const StopScope scope(adornment_stop());
  try {
    page = make_page("pullback: geodesic solvers compared", report_data(setup.study, environment));
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
