// The command `inspect`.
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <stdexcept>

#include "pullback/analysis/inspection.h"
#include "pullback/analysis/summary_fields.h"
#include "pullback/analysis/text.h"
#include "pullback/base/stop.h"
#include "pullback/cli/arguments.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/fields_json.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/findings.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/known_dimension.h"
#include "pullback/cli/maps_json.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/report.h"
#include "pullback/cli/transform_text.h"
#include "pullback/spaces/model_data.h"
#include "pullback/spaces/named_transforms.h"
#include "pullback/spaces/opener.h"
#include "pullback/spaces/transform_fields.h"

namespace pullback::cli {

namespace {

constexpr std::uint64_t kPairSeed = 1;
constexpr Interval kDefaultBox{0.2, 1.8};  // as for `compare`: inside of polar and half-plane charts

constexpr std::size_t kMedian = 3;  // in kQuantileLevels

// As it was given, or that of the data.
Matrix choose_box(const InspectArguments& arguments, const OpenedSpace& space,
                  const std::optional<DataRegion>& region) {
  if (arguments.box.empty()) return inspected_box(space, region, kDefaultBox);
  return uniform_box(space.dimension(), parse_interval(arguments.box, "--box"));
}

struct Inspection {
  OpenedSpace space;
  Matrix box;
  int grid = 0;
  Matrix points;                     // given besides
  std::optional<DataRegion> region;  // where the codes are; nothing without codes
  std::optional<Characterisation> characterisation;
  std::unique_ptr<GeodesicSolver> solver;  // with --pairs
  std::vector<GeodesicPlace> geodesics;
  std::vector<JacobianSurvey> surveys;
  std::vector<std::string> findings;
};

Inspection open_inspection(const InspectArguments& arguments) {
  Opener opener(arguments.plugins);
  Inspection inspection;
  inspection.space = opener.open(arguments.generator, known_dimension("", arguments.points, 1, arguments.dimension));
  const OpenedSpace& space = inspection.space;
  inspection.region = region_of(space);
  inspection.box = choose_box(arguments, space, inspection.region);
  if (arguments.pairs > 0 && !inspection.region) {
    throw std::invalid_argument(
        fmt::format("--pairs: {} has no codes, between which geodesics would be solved", space.name));
  }
  if (arguments.pairs > 0) inspection.solver = opener.solvers().make(arguments.solver);
  inspection.grid = arguments.grid;
  inspection.points = Matrix(space.dimension(), 0);
  if (!arguments.points.empty()) {
    inspection.points =
        read_table(arguments.points, space.dimension(), fmt::format("a point of dimension {}", space.dimension()));
  }
  return inspection;
}

void append(std::vector<std::string>& all, const std::vector<std::string>& sentences) {
  all.insert(all.end(), sentences.begin(), sentences.end());
}

void run_characterisation(Inspection& inspection, const InspectArguments& arguments) {
  if (!inspection.region) return;
  inspection.characterisation = characterise(inspection.space);
  append(inspection.findings, findings(*inspection.characterisation));
  if (!inspection.solver) return;
  const std::vector<StudyPair> pairs = choose_pairs(inspection.space, arguments.pairs, kPairSeed, {0, 1});
  Progress progress(static_cast<int>(pairs.size()));
  inspection.geodesics = place_geodesics(inspection.space, *inspection.region, *inspection.solver, pairs,
                                         arguments.time_limit, work_control(0, progress), arguments.accuracy);
  append(inspection.findings, findings(inspection.geodesics, *inspection.region));
}

void run_surveys(Inspection& inspection) {
  const OpenedSpace& space = inspection.space;
  const Manifold& manifold = *space.manifold;
  inspection.surveys.push_back(survey(manifold, box_points(inspection.box, inspection.grid), "the box"));
  if (space.codes.cols() > 0) inspection.surveys.push_back(survey(manifold, space.codes, "the codes"));
  if (inspection.points.cols() > 0) inspection.surveys.push_back(survey(manifold, inspection.points, "the points"));
  inspection.findings = describe(space.transformation.transforms);
  append(inspection.findings, derivative_findings(manifold.generator()));
  for (const JacobianSurvey& s : inspection.surveys) {
    append(inspection.findings, findings(s));
  }
}

// All that is measured, as far as it comes before an interrupt.
void measure(Inspection& inspection, const InspectArguments& arguments) {
  finish_on_interrupt();
  const StopScope scope(interrupted);
  try {
    run_characterisation(inspection, arguments);
    run_surveys(inspection);
  } catch (const StopRequested&) {
    inspection.findings.emplace_back("Interrupted: this is what was finished.");
  }
}

std::vector<std::pair<std::string, const std::vector<double>*>> rows_of(const JacobianSurvey& survey) {
  return {{"condition κ(J)", &survey.kappa},
          {"largest σ", &survey.sigma_max},
          {"smallest σ", &survey.sigma_min},
          {"magnification √det M", &survey.magnification}};
}

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number_json(value));
  return list;
}

Json geodesics_json(const std::vector<GeodesicPlace>& places) {
  Json list = Json::array();
  for (const GeodesicPlace& place : places) {
    Json json = fields_json(place);
    json["geodesic"] = fields_json(place.geodesic, short_number);
    json["straight"] = fields_json(place.straight, short_number);
    list.push_back(std::move(json));
  }
  return list;
}

Json inspection_json(const Inspection& inspection) {
  Json box = Json::array();
  for (Eigen::Index j = 0; j < inspection.box.rows(); ++j) box.push_back({inspection.box(j, 0), inspection.box(j, 1)});
  const Generator* generator = inspection.space.manifold->generator();
  return {{"generator", inspection.space.name},
          {"complete", !interrupted()},
          {"latent_dimension", inspection.space.dimension()},
          {"ambient_dimension", generator != nullptr ? Json(generator->ambient_dimension()) : Json(nullptr)},
          {"smooth", inspection.space.manifold->smooth()},
          {"derivatives", generator != nullptr ? fields_json(generator->traits()) : Json(nullptr)},
          {"box", std::move(box)},
          {"grid", inspection.grid},
          {"transforms", list_json(inspection.space.transformation.transforms)},
          {"surveys", list_json(inspection.surveys)},
          {"characterisation",
           inspection.characterisation ? fields_json(*inspection.characterisation, short_number) : Json(nullptr)},
          {"geodesics", geodesics_json(inspection.geodesics)},
          {"findings", inspection.findings}};
}

// The figures at the data and around them: name, and quantiles or nothing for what is one number.
struct Figure {
  const char* name;
  const std::vector<double>* inside;
  const std::vector<double>* outside;
};

std::vector<Figure> figures_of(const Characterisation& c) {
  std::vector<Figure> figures = {
      {"smoothness, |∇ log det M| per deviation", &c.inside.variation, &c.outside.variation},
      {"condition κ(J)", &c.inside.survey.kappa, &c.outside.survey.kappa},
      {"κ per deviation", &c.inside.scaled_kappa, &c.outside.scaled_kappa},
      {"log₁₀ √det M per deviation", &c.inside.log10_magnification, &c.outside.log10_magnification}};
  if (!c.collapsed.empty()) {
    figures.insert(figures.begin() + 2, {"κ(J), uncollapsed", &c.inside.kept_kappa, &c.outside.kept_kappa});
  }
  return figures;
}

Json characterisation_table(const Characterisation& c, bool inside) {
  Json rows = Json::array();
  for (const Figure& figure : figures_of(c)) {
    rows.push_back({figure.name, numbers(inside ? *figure.inside : *figure.outside)});
  }
  const int points = inside ? c.inside.survey.points : c.outside.survey.points;
  return {{"title", fmt::format("{} ({} points)", inside ? "At the data" : "Around them", points)},
          {"columns", {"least", "5 %", "25 %", "median", "75 %", "95 %", "largest"}},
          {"rows", std::move(rows)}};
}

Json page_data(const Inspection& inspection) {
  const OpenedSpace& space = inspection.space;
  const bool two = space.dimension() == 2;
  Json tables = Json::array();
  if (inspection.characterisation) {
    for (const bool inside : {true, false})
      tables.push_back(characterisation_table(*inspection.characterisation, inside));
  }
  for (const JacobianSurvey& survey : inspection.surveys) {
    Json rows = Json::array();
    for (const auto& [name, values] : rows_of(survey)) rows.push_back({name, numbers(*values)});
    tables.push_back({{"title", fmt::format("Over {} ({} points)", survey.where, survey.points)},
                      {"columns", {"least", "5 %", "25 %", "median", "75 %", "95 %", "largest"}},
                      {"rows", std::move(rows)}});
  }
  Json data = {
      {"kind", "inspect"},
      {"title", space.name},
      {"subtitle", "Condition and magnification of the Jacobian"},
      {"findings", inspection.findings},
      {"tables", std::move(tables)},
      {"map", nullptr},
      {"codes", two ? points_json(space.codes.rows() == 2 ? space.codes : Matrix(2, 0)) : Json::array()},
      {"points", two ? points_json(inspection.points) : Json::array()},
      {"axes", two ? Json{"z₁", "z₂"} : Json{"u", "v"}},
      {"note", two ? "Dots are the codes of known data, the line is the border of the region that holds 95 % of "
                     "them; rings are the points given."
                   : "A plane through latent space, along the codes' two directions of largest variance where "
                     "there are codes."},
      {"command", "pullback inspect " + space.name},
      {"environment", describe_environment()}};
  if (space.dimension() < 2) {
    data["note"] = "A latent space of one dimension has no map.";
    return data;
  }
  const StopScope scope(adornment_stop());
  try {
    data["map"] = as_json(compute_maps(*space.manifold, inspected_plane(space, inspection.region, inspection.box),
                                       inspection.grid, inspection.region ? &*inspection.region : nullptr));
  } catch (const StopRequested&) {
    data["note"] = "Interrupted before the map was drawn.";
  }
  return data;
}

std::string characterisation_text(const Characterisation& c) {
  Table table({"the Jacobian", "at the data", "5 %", "95 %", "around them", "5 %", "95 %"});
  for (const Figure& figure : figures_of(c)) {
    std::vector<std::string> row = {figure.name};
    for (const auto* values : {figure.inside, figure.outside}) {
      for (const std::size_t level : {kMedian, std::size_t{1}, std::size_t{5}}) {
        row.push_back(format_number((*values)[level]));
      }
    }
    table.add(std::move(row));
  }
  return table.str() + "\n";
}

std::string geodesics_text(const std::vector<GeodesicPlace>& places) {
  if (places.empty()) return "";
  Table table({"geodesic", "termination", "length", "inside", "farthest", "straight line: inside", "farthest"});
  for (const GeodesicPlace& place : places) {
    table.add({place.pair, to_string(place.termination), format_number(place.length),
               fmt::format("{:.0f} %", 100 * place.geodesic.share_inside), format_number(place.geodesic.farthest, 3),
               fmt::format("{:.0f} %", 100 * place.straight.share_inside), format_number(place.straight.farthest, 3)});
  }
  return table.str({0, 1}) +
         "inside: share of the arc in the data's region; farthest: from the data, in deviations\n\n";
}

std::string text_of(const Inspection& inspection) {
  std::string text;
  if (inspection.characterisation) text += characterisation_text(*inspection.characterisation);
  text += geodesics_text(inspection.geodesics);
  for (const JacobianSurvey& survey : inspection.surveys) {
    Table table({fmt::format("over {} ({} points)", survey.where, survey.points), "least", "5 %", "25 %", "median",
                 "75 %", "95 %", "largest"});
    for (const auto& [name, values] : rows_of(survey)) {
      std::vector<std::string> row = {name};
      for (const double value : *values) row.push_back(format_number(value));
      table.add(std::move(row));
    }
    text += table.str() + "\n";
  }
  for (const std::string& sentence : inspection.findings) text += wrap(sentence, 100, 0) + "\n";
  return text;
}

}  // namespace

int run_inspect(const InspectArguments& arguments) {
  const std::filesystem::path folder = arguments.out;
  FileRoles roles;
  roles.reads_generator(arguments.generator);
  roles.reads(arguments.points, "--points");
  roles.reads(arguments.plugins, "--plugin");
  roles.writes(arguments.json, "--json");
  roles.writes(folder, {"inspect.json", "inspect.html"}, "--out");
  roles.check();
  if (!arguments.json.empty() && arguments.json != "-") require_writable(arguments.json);
  Inspection inspection = open_inspection(arguments);
  if (!folder.empty()) require_writable_folder(folder);
  measure(inspection, arguments);

  const std::string json = as_text(inspection_json(inspection));
  if (folder.empty()) {
    write_outputs({{arguments.json, json}});
  } else {
    const std::string page = make_page("pullback: " + inspection.space.name, page_data(inspection));
    write_outputs({{arguments.json, json}, {folder / "inspect.json", json}, {folder / "inspect.html", page}});
  }
  if (arguments.json != "-") {
    std::string text = text_of(inspection);
    if (!folder.empty()) text += fmt::format("maps: {}\n", (folder / "inspect.html").string());
    write_standard_output(text);
  }
  return interrupted() ? kNotConverged : kDone;
}

}  // namespace pullback::cli
