// The command `study jacobian`.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "pullback/analysis/parallel.h"
#include "pullback/base/error.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/jacobian_json.h"
#include "pullback/cli/json_view.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/report.h"
#include "pullback/cli/study_json.h"

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
            {"levels", kQuantileLevels}}},
          {"models", Json::array()},
          {"groups", Json::array()}};
}

void run_models(const JacobianArguments& arguments, const JacobianSettings& settings, Json& results) {
  Opener opener(arguments.plugins);
  std::vector<std::unique_ptr<GeodesicSolver>> solvers;
  for (const std::string& chain : settings.solvers) solvers.push_back(opener.solvers().make(chain));
  const std::vector<LabelledSpace> models = open_models(arguments, opener);
  require_writable_folder(arguments.out);
  prepare_for_work(arguments.threads);
  Progress progress(static_cast<int>(models.size()));
  const auto figures = study_models(models, settings, solvers, work_control(arguments.threads, progress));
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (figures[i]) results["models"].push_back(model_json(models[i], *figures[i]));
  }
  results["complete"] = results["models"].size() == models.size();
  results["groups"] = group_models(results["models"], settings.solvers);
}

// Results that someone wrote before. What is not there shows when it is drawn, with the place in the file.
Json read_results(const std::string& path) {
  Json results = read_json(path);
  if (JsonView(results, path).at("schema").text() != kSchema) {
    throw Error(fmt::format("{}: schema: expected {}, the results of `study jacobian`", path, kSchema));
  }
  return results;
}

// Errors: pullback::Error for results without what the page shows.
// With `with_results`, the results are written beside the report.
void write_report(Json results, const std::filesystem::path& folder, const std::string& source, bool with_results) {
  const std::string written = with_results ? as_text(results) : "";
  std::string text;
  try {
    const auto solvers = results.at("settings").at("solvers").get<std::vector<std::string>>();
    results["groups"] = group_models(results.at("models"), solvers);
    text = jacobian_table(results);
    Json columns = Json::array();
    for (const JacobianColumn& column : jacobian_columns(solvers)) columns.push_back({column.key, column.title});
    results["columns"] = std::move(columns);
    results["kind"] = "jacobian";
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{}: not the results of `study jacobian`: {}", source, error.what()));
  }
  require_writable_folder(folder);
  const std::string page = make_page("pullback: Jacobians of generative models", results);
  FileContents outputs{{folder / "report.html", page}};
  if (with_results) outputs.emplace_back(folder / "results.json", written);
  write_files(outputs);
  text += fmt::format(
      "in, out: over the data's region and around it, median over the models of a label of the median over points;\n"
      "smoothness: change of log det M per standard deviation of the data; kept: without collapsed coordinates; "
      "scaled:\n"
      "per deviation and kept; farthest: of a geodesic from the data, in deviations.\n\nreport: {}\n",
      (folder / "report.html").string());
  if (!results.at("complete").get<bool>()) text = "Interrupted: this is what was finished.\n" + text;
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
    write_report(read_results(arguments.from), arguments.out, arguments.from, false);
    return kDone;
  }
  const JacobianSettings settings = settings_of(arguments);
  Json results = results_frame(settings, arguments, command);
  run_models(arguments, settings, results);
  write_report(results, arguments.out, (std::filesystem::path(arguments.out) / "results.json").string(), true);
  return results.at("complete").get<bool>() ? kDone : kNotConverged;
}

}  // namespace pullback::cli
