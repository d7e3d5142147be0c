// The command `study uncertainty`.
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "pullback/analysis/studies/uncertainty.h"
#include "pullback/analysis/studies/uncertainty_ring.h"
#include "pullback/base/error.h"
#include "pullback/base/stop.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/report.h"
#include "pullback/cli/uncertainty_summary.h"
#include "pullback/solvers/solver.h"

namespace pullback::cli {

namespace {

namespace fs = std::filesystem;

constexpr char kRing[] = "ring";
const std::vector<std::string> kModels = {kRing, "mnist-vae", "mnist-dae", "mnist-gan"};

UncertainModel find_source(const std::string& name, const UncertaintyStudyArguments& arguments) {
  if (name == kRing) return {name, {}, {}, {}};  // made when the folder to write to is there
  UncertainModel source{fs::path(name).stem().string(), find_model_file(name), {}, {}};
  source.model = read_model(source.path);
  if (source.model.codes.cols() < 2) throw Error(fmt::format("{}: has no codes, which say where its data are", name));
  if (!arguments.data.empty() && source.model.encoder) {
    source.observed = observe_images(source.path, source.model, arguments.data);
  }
  return source;
}

void write_ring(UncertainModel& source, const fs::path& folder, std::uint64_t seed) {
  RingModel ring = make_ring(seed);
  source.path = folder / "ring.safetensors";
  write_safetensors(source.path, ring.content);
  source.model = read_model(source.path);
  source.observed = std::move(ring.observed);
}

void write_results(const UncertaintyStudy& study, const CallRecord& record, const fs::path& folder) {
  for (const UncertaintyPanel& panel : study.panels) {
    for (const UncertainMetric& metric : panel.metrics) {
      write_file(folder / "curves" / fmt::format("{}-{}.json", panel.name, metric.name),
                 as_text(geodesic_document(study, panel, metric)));
    }
  }
  const std::string results = as_text(uncertainty_results(study, record));
  const std::string page = make_page("pullback: geodesics and uncertainty", uncertainty_report(study, record));
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
void check_roles(const std::vector<UncertainModel>& sources, const std::vector<std::string>& methods,
                 const UncertaintyStudyArguments& arguments) {
  const fs::path folder = arguments.out;
  FileRoles roles;
  roles.reads(arguments.data, "--data");
  for (const UncertainModel& source : sources) {
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
  Opener opener({});
  const std::vector<std::string> methods = unless_empty(arguments.methods, uncertainty_methods());
  for (const std::string& method : methods) method_settings(method, arguments.seed);
  std::vector<UncertainModel> sources;
  for (const std::string& name : unless_empty(arguments.models, kModels)) {
    sources.push_back(find_source(name, arguments));
  }
  check_roles(sources, methods, arguments);
  const std::unique_ptr<GeodesicSolver> solver = opener.solvers().make(arguments.solver);
  UncertaintyStudy study;
  study.solver = arguments.solver;
  study.data = arguments.data;
  study.pairs = arguments.pairs;
  study.seed = arguments.seed;
  study.time_limit = arguments.time_limit;
  const fs::path folder = arguments.out;
  const fs::path models = folder / "models";
  for (const fs::path& place : {folder, models, folder / "curves"}) require_writable_folder(place);
  prepare_for_work(arguments.threads);
  const CallRecord record = record_call(command, arguments.threads);

  try {
    const StopScope scope(interrupted);
    for (UncertainModel& source : sources) {
      if (source.name == kRing && source.path.empty()) write_ring(source, models, arguments.seed);
      add_panel(study, opener, source, methods, models, interrupted);
    }
  } catch (const StopRequested&) {  // what is fitted has nothing to be compared with: nothing is solved
  }
  Progress progress(static_cast<int>(solve_count(study)));
  run_uncertainty_study(study, *solver, work_control(arguments.threads, progress));

  write_results(study, record, folder);
  write_standard_output(text_of(study, folder));
  return study.complete ? kDone : kNotConverged;
}

}  // namespace pullback::cli
