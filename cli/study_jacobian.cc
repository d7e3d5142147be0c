// The command `study jacobian`.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <utility>

#include "pullback/analysis/parallel.h"
#include "pullback/analysis/studies/study_fields.h"
#include "pullback/base/error.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/fields_json.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/jacobian_json.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/report.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

namespace {

constexpr char kSchema[] = "pullback-jacobian-1";

JacobianSettings settings_of(const JacobianArguments& arguments) {
  JacobianSettings settings;
  settings.figures.points = arguments.points;
  settings.figures.seed = arguments.seed;
  settings.grid = arguments.grid;
  settings.pairs = arguments.pairs;
  settings.time_limit = arguments.time_limit;
  settings.accuracy = arguments.accuracy;
  if (arguments.pairs > 0) settings.solvers = arguments.solvers;
  if (arguments.pairs > 0 && settings.solvers.empty()) settings.solvers = {"auto"};
  if (arguments.pairs == 0 && !arguments.solvers.empty()) {
    throw std::invalid_argument("--solver: say with --pairs how many geodesics to solve");
  }
  return settings;
}

std::vector<LabelledSpace> open_models(const JacobianArguments& arguments, Opener& opener) {
  if (arguments.models.empty()) {
    throw std::invalid_argument("study jacobian: expected models, or --from RESULTS.json; got neither");
  }
  std::vector<LabelledSpace> models;
  std::set<std::string> labels;
  for (const std::string& text : arguments.models) {
    const LabelledName name = split_label(text);
    const bool first = labels.insert(name.label).second;
    models.push_back({name.label, opener.open(name.specification), first});
    if (models.back().space.codes.cols() < 2) {
      throw std::invalid_argument(fmt::format(
          "{}: expected a model with latent codes, by which the data's region is known; it has none", text));
    }
  }
  return models;
}

Json results_frame(const JacobianSettings& settings, const JacobianArguments& arguments, const std::string& command) {
  const DataRegionOptions region;
  return {{"schema", kSchema},
          {"created", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
          {"command", command},
          {"complete", false},
          {"environment", describe_environment()},
          {"settings",
           {{"points", settings.figures.points},
            {"surround", settings.figures.surround},
            {"neighbours", region.neighbours},
            {"share", region.share},
            {"grid", settings.grid},
            {"pairs", settings.pairs},
            {"solvers", settings.solvers},
            {"seed", arguments.seed},
            {"threads", thread_count(arguments.threads)},
            {"time_limit", settings.time_limit > 0 ? Json(settings.time_limit) : Json(nullptr)},
            {"accuracy", settings.accuracy},
            {"levels", kQuantileLevels}}},
          {"models", Json::array()},
          {"groups", Json::array()}};
}

// What is written and drawn: the results, and what of them is grouped.
struct JacobianResults {
  Json json;
  std::vector<std::string> solvers;
  std::vector<JacobianModel> models;
  bool complete = false;
};

JacobianResults run_models(const JacobianArguments& arguments, const JacobianSettings& settings,
                           const std::string& command) {
  JacobianResults results{results_frame(settings, arguments, command), settings.solvers, {}};
  Opener opener(arguments.plugins);
  std::vector<std::unique_ptr<GeodesicSolver>> solvers;
  for (const std::string& chain : settings.solvers) solvers.push_back(opener.solvers().make(chain));
  const std::vector<LabelledSpace> models = open_models(arguments, opener);
  require_writable_folder(arguments.out);
  prepare_for_work(arguments.threads);
  Progress progress(static_cast<int>(models.size()));
  const auto figures = study_models(models, settings, solvers, work_control(arguments.threads, progress));
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (!figures[i]) continue;
    results.models.push_back(report_of(models[i], *figures[i]));
    results.json["models"].push_back(model_json(results.models.back(), *figures[i]));
  }
  results.complete = results.models.size() == models.size();
  results.json["complete"] = results.complete;
  return results;
}

// Results that someone wrote before. What the page shows beside the table is looked at when it is drawn.
JacobianResults read_results(const std::string& path) {
  JacobianResults results;
  results.json = read_json(path);
  const JsonView root(results.json, path);
  if (root.at("schema").text() != kSchema) {
    throw Error(fmt::format("{}: schema: expected {}, the results of `study jacobian`", path, kSchema));
  }
  try {
    for (const JsonView& solver : root.at("settings").at("solvers").list()) results.solvers.push_back(solver.text());
    for (const JsonView& model : root.at("models").list()) {
      results.models.push_back(read_fields<JacobianModel>(model));
    }
    results.complete = root.at("complete").boolean();
  } catch (const Error& error) {
    throw Error(fmt::format("{}: not the results of `study jacobian`", error.what()));
  }
  return results;
}

// With `with_results`, the results are written beside the report.
void write_report(JacobianResults results, const std::filesystem::path& folder, bool with_results) {
  const std::vector<JacobianColumn> columns = jacobian_columns(results.solvers);
  const std::vector<JacobianGroup> groups = group_models(results.models, results.solvers);
  results.json["groups"] = groups_json(groups, columns);
  const std::string written = with_results ? as_text(results.json) : "";
  results.json["columns"] = Json::array();
  for (const JacobianColumn& column : columns) results.json["columns"].push_back({column.key, column.title});
  results.json["kind"] = "jacobian";
  require_writable_folder(folder);
  const std::string page = make_page("pullback: Jacobians of generative models", results.json);
  FileContents outputs{{folder / "report.html", page}};
  if (with_results) outputs.emplace_back(folder / "results.json", written);
  write_files(outputs);
  std::string text = jacobian_table(groups, columns);
  text += fmt::format(
      "in, out: over the data's region and around it, median over the models of a label of the median over points;\n"
      "smoothness: change of log det M per standard deviation of the data; kept: without collapsed coordinates; "
      "scaled:\n"
      "per deviation and kept; farthest: of a geodesic from the data, in deviations.\n\nreport: {}\n",
      (folder / "report.html").string());
  if (!results.complete) text = "Interrupted: this is what was finished.\n" + text;
  write_standard_output(text);
}

}  // namespace

int run_study_jacobian(const JacobianArguments& arguments, const std::string& command) {
  FileRoles roles;
  roles.reads(arguments.from, "--from");
  for (const std::string& model : arguments.models) roles.reads_generator(split_label(model).specification);
  roles.reads(arguments.plugins, "--plugin");
  roles.writes(arguments.out, {"report.html"}, "--out");
  if (arguments.from.empty()) roles.writes(arguments.out, {"results.json"}, "--out");
  roles.check();
  if (!arguments.from.empty()) {
    if (!arguments.models.empty()) throw std::invalid_argument("--from: draws results again and takes no models");
    write_report(read_results(arguments.from), arguments.out, false);
    return kDone;
  }
  JacobianResults results = run_models(arguments, settings_of(arguments), command);
  const bool complete = results.complete;
  write_report(std::move(results), arguments.out, true);
  return complete ? kDone : kNotConverged;
}

}  // namespace pullback::cli
