// The command `study uncertainty`.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/model_data.h"
#include "pullback/cli/parallel.h"
#include "pullback/cli/random.h"
#include "pullback/cli/report.h"
#include "pullback/cli/uncertainty_ring.h"
#include "pullback/cli/uncertainty_study.h"
#include "pullback/generators/error.h"
#include "pullback/generators/stop.h"
#include "pullback/solvers/solver.h"

namespace pullback::cli {

namespace {

namespace fs = std::filesystem;

constexpr char kRing[] = "ring";
const std::vector<std::string> kModels = {kRing, "mnist-vae", "mnist-dae", "mnist-gan"};
// A Gaussian process that trusts the data no farther than this many deviations of the codes.
constexpr char kShort[] = "gp-short";
constexpr double kShortLength = 0.2;
const std::vector<std::string> kMethods = {"rbf", "ensemble", "gp", kShort};
constexpr Interval kUnusedBox{-1, 1};  // models here have codes

// A model, where its file lies, and what was observed of it.
struct Source {
  std::string name;
  fs::path path;
  ModelFile model;
  std::optional<Observations> observed;
};

Source find_source(const std::string& name, const UncertaintyStudyArguments& arguments) {
  if (name == kRing) return {name, {}, {}, {}};  // made when the folder to write to is there
  Source source{fs::path(name).stem().string(), find_model_file(name), {}, {}};
  source.model = read_model(source.path);
  if (source.model.codes.cols() < 2) throw Error(fmt::format("{}: has no codes, which say where its data are", name));
  if (!arguments.data.empty() && source.model.encoder) {
    source.observed = observe_images(source.path, source.model, arguments.data);
  }
  return source;
}

void write_ring(Source& source, const fs::path& folder, std::uint64_t seed) {
  RingModel ring = make_ring(seed);
  source.path = folder / "ring.safetensors";
  write_safetensors(source.path, ring.content);
  source.model = read_model(source.path);
  source.observed = std::move(ring.observed);
}

UncertaintySettings settings_of(const std::string& method, std::uint64_t seed) {
  UncertaintySettings settings;
  settings.method = method == kShort ? UncertaintyMethod::kGaussianProcess : parse_method(method);
  settings.length = method == kShort ? kShortLength : 0;
  settings.seed = seed;
  return settings;
}

UncertainMetric open_metric(Session& session, std::string name, const fs::path& path, std::vector<std::string> notes,
                            std::size_t pairs) {
  UncertainMetric metric{std::move(name), path.string(), session.open(path.string()), std::move(notes), {}};
  metric.results.resize(pairs);
  return metric;
}

// Pairs of codes that are both among those farthest out, where a metric that collapses outside of the data invites a
// way round: the middle of the data is wide, and nothing is to be learnt from paths that have no reason to leave it.
void add_rim_pairs(const OpenedSpace& space, const DataRegion& region, const UncertaintyStudyArguments& arguments,
                   std::vector<StudyPair>& pairs) {
  constexpr double kRim = 0.1;  // share of the codes
  const Vector out = region.standardised(space.codes).colwise().norm().transpose();
  std::vector<Eigen::Index> order(static_cast<std::size_t>(space.codes.cols()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](Eigen::Index a, Eigen::Index b) { return out(a) > out(b); });
  const auto rim = std::max<Eigen::Index>(2, std::lround(kRim * static_cast<double>(order.size())));
  Random random(arguments.seed);
  for (int i = 0; i < arguments.pairs; ++i) {
    const Eigen::Index from = random.index(rim);
    const Eigen::Index to = (from + 1 + random.index(rim - 1)) % rim;
    pairs.push_back({fmt::format("rim {}", i + 1),
                     "rim",
                     space.codes.col(order[static_cast<std::size_t>(from)]),
                     space.codes.col(order[static_cast<std::size_t>(to)]),
                     {},
                     {}});
  }
}

UncertaintyPanel make_panel(Session& session, const Source& source, const std::vector<std::string>& methods,
                            const UncertaintyStudyArguments& arguments, const fs::path& folder) {
  const OpenedSpace plain = session.open(source.path.string());
  std::vector<StudyPair> pairs = choose_pairs(plain, arguments.pairs, arguments.seed, kUnusedBox);
  UncertaintyPanel panel{source.name, region_of(plain).value(), std::move(pairs), {}, {}};
  add_rim_pairs(plain, panel.region, arguments, panel.pairs);
  for (const StudyPair& pair : panel.pairs) {
    panel.straight.push_back(locate(panel.region, Curve::straight(pair.from, pair.to)).share_inside);
  }
  panel.metrics.push_back(open_metric(session, "plain", source.path, {}, panel.pairs.size()));
  for (const std::string& method : methods) {
    if (interrupted()) break;
    const UncertaintySettings settings = settings_of(method, arguments.seed);
    const FittedModel fitted = fit_uncertainty(source.path, source.model, source.observed, settings);
    const fs::path path = folder / fmt::format("{}-{}.safetensors", source.name, method);
    write_safetensors(path, fitted.content);
    panel.metrics.push_back(open_metric(session, method, path, fitted.notes, panel.pairs.size()));
  }
  return panel;
}

struct Job {
  UncertaintyPanel* panel;
  UncertainMetric* metric;
  std::size_t pair;
};

void run_all(UncertaintyStudy& study, const GeodesicSolver& solver) {
  std::vector<Job> jobs;
  for (UncertaintyPanel& panel : study.panels) {
    for (std::size_t pair = 0; pair < panel.pairs.size(); ++pair) {
      for (UncertainMetric& metric : panel.metrics) jobs.push_back({&panel, &metric, pair});
    }
  }
  Progress progress(static_cast<int>(jobs.size()));
  SolveControl control;
  control.time_limit = study.time_limit;
  control.should_stop = interrupted;
  run_jobs(static_cast<int>(jobs.size()), study.threads, [&](int i) {
    if (interrupted()) return;
    const Job& job = jobs[static_cast<std::size_t>(i)];
    const StudyPair& pair = job.panel->pairs[job.pair];
    const OpenedSpace& space = job.metric->space;
    LocatedResult found{solver.solve({space.manifold, pair.from, pair.to, {}, space.codes}, control), {}};
    if (found.result.termination == Termination::kStopped) return;
    if (!found.result.curve.empty()) found.where = locate(job.panel->region, found.result.curve);
    job.metric->results[job.pair] = std::move(found);
    progress.advance(job.panel->name + "  " + job.metric->name);
  });
  study.complete = !interrupted();
}

void write_results(const UncertaintyStudy& study, const fs::path& folder) {
  const Json environment = describe_environment();
  for (const UncertaintyPanel& panel : study.panels) {
    for (const UncertainMetric& metric : panel.metrics) {
      write_file(folder / "curves" / fmt::format("{}-{}.json", panel.name, metric.name),
                 as_text(geodesic_document(study, panel, metric)));
    }
  }
  const std::string results = as_text(uncertainty_results(study, environment));
  const std::string page = make_page("pullback: geodesics and uncertainty", uncertainty_report(study, environment));
  write_files({{folder / "results.json", results}, {folder / "report.html", page}});
}

std::string text_of(const UncertaintyStudy& study, const fs::path& folder) {
  std::string text = uncertainty_table(study);
  text += fmt::format(
      "inside: mean share of a curve's latent arc in the data's region; leaving: curves with less than {:.0f} % "
      "there;\n"
      "farthest: median largest distance from the data, 1 being the region's edge; arc: median, the straight line 1.\n",
      100 * kKeeping);
  if (!study.complete) text += "Interrupted: what is here is what was finished.\n";
  return text + fmt::format("\nreport: {}\n", (folder / "report.html").string());
}

// Where the fitted models go must not be where the models are.
void check_roles(const std::vector<Source>& sources, const std::vector<std::string>& methods,
                 const UncertaintyStudyArguments& arguments) {
  const fs::path folder = arguments.out;
  FileRoles roles;
  roles.reads(arguments.data, "--data");
  for (const Source& source : sources) {
    roles.reads(source.path, "MODEL");
    if (source.path.empty()) roles.writes(folder / "models", {"ring.safetensors"}, "--out");
    for (const std::string& method : methods) {
      roles.writes(folder / "models", {fmt::format("{}-{}.safetensors", source.name, method)}, "--out");
    }
  }
  roles.writes(folder, {"results.json", "report.html"}, "--out");
  roles.check();
}

std::vector<std::string> unless_empty(const std::vector<std::string>& given,
                                      const std::vector<std::string>& otherwise) {
  return given.empty() ? otherwise : given;
}

}  // namespace

int run_study_uncertainty(const UncertaintyStudyArguments& arguments, const std::string& command) {
  Session session({});
  const std::vector<std::string> methods = unless_empty(arguments.methods, kMethods);
  for (const std::string& method : methods) settings_of(method, arguments.seed);
  std::vector<Source> sources;
  for (const std::string& name : unless_empty(arguments.models, kModels)) {
    sources.push_back(find_source(name, arguments));
  }
  check_roles(sources, methods, arguments);
  const std::unique_ptr<GeodesicSolver> solver = session.solvers().make(arguments.solver);
  UncertaintyStudy study;
  study.solver = arguments.solver;
  study.data = arguments.data;
  study.pairs = arguments.pairs;
  study.seed = arguments.seed;
  study.threads = thread_count(arguments.threads);
  study.time_limit = arguments.time_limit;
  study.command = command;
  study.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  const fs::path folder = arguments.out;
  const fs::path models = folder / "models";
  for (const fs::path& place : {folder, models, folder / "curves"}) require_writable_folder(place);
  finish_on_interrupt();
  if (study.threads > 1) use_one_blas_thread();

  try {
    const StopScope scope(interrupted);
    for (Source& source : sources) {
      if (source.name == kRing && source.path.empty()) write_ring(source, models, arguments.seed);
      study.panels.push_back(make_panel(session, source, methods, arguments, models));
    }
  } catch (const StopRequested&) {  // what is fitted has nothing to be compared with: run_all() runs nothing
  }
  run_all(study, *solver);

  write_results(study, folder);
  write_standard_output(text_of(study, folder));
  return study.complete ? kDone : kNotConverged;
}

}  // namespace pullback::cli
