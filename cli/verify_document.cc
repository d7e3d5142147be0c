#include "pullback/cli/verify_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "pullback/analysis/text.h"
#include "pullback/base/error.h"
#include "pullback/cli/result_json.h"
#include "pullback/cli/seal.h"
#include "pullback/cli/stored_result.h"
#include "pullback/spaces/opener.h"

namespace pullback::cli {

namespace {

constexpr char kCompareSchema[] = "pullback-compare-1";
constexpr char kConditioningSchema[] = "pullback-conditioning-1";

// Opens what a file names, or what stands in for it: "--generator SPEC", or "--generator NAME=SPEC" where the file has
// several.
class SpaceFinder {
 public:
  explicit SpaceFinder(const VerifyArguments& arguments) : opener_(arguments.plugins), given_(arguments.generators) {}

  // `results`: pairs or results, whose first has a point "from" that tells the dimension.
  OpenedSpace open(const std::string& name, bool only, const JsonView& results) {
    const KnownDimension known = dimension_in(results);
    for (std::size_t i = 0; i < given_.size(); ++i) {
      if (given_[i].starts_with(name + "=")) return opener_.open(given_[i].substr(name.size() + 1), known);
    }
    if (only && given_.size() == 1) return opener_.open(given_[0], known);
    if (only && given_.size() > 1) {
      throw std::invalid_argument("--generator was given more than once, but the file has one generator");
    }
    try {
      return opener_.open(name, known);
    } catch (const std::invalid_argument& error) {  // the file is wrong, not the command line
      throw Error(fmt::format("generator {}: {}; --generator says what to open instead", quote(name), error.what()));
    }
  }

 private:
  static KnownDimension dimension_in(const JsonView& results) {
    const std::vector<JsonView> list = results.list();
    return {list.empty() ? 0 : static_cast<int>(list[0].at("from").list().size()), 0};
  }

  Opener opener_;
  std::vector<std::string> given_;
};

// The accuracy that was asked for; files written before it could be asked for have none.
double read_accuracy(const JsonView& settings) {
  if (!settings.has("accuracy")) return SolveControl().accuracy;
  const double accuracy = settings.at("accuracy").number();
  if (!(accuracy > 0 && accuracy < 1)) settings.at("accuracy").fail("a number between 0 and 1");
  return accuracy;
}

VerifyDocument read_geodesic(const JsonView& root, SpaceFinder& finder) {
  VerifyDocument document;
  const std::string generator = root.at("generator").text();
  document.parts.emplace_back();
  document.stored.push_back({finder.open(generator, true, root.at("results")), {}});
  StoredPart& part = document.stored.back();
  const int dimension = part.space.dimension();
  const std::string solver = root.at("solver").text();
  const double accuracy = read_accuracy(root);
  for (const JsonView& view : root.at("results").list()) {
    StoredResult& stored = part.results.emplace_back();
    stored.from = read_end(view.at("from"), dimension);
    stored.to = read_end(view.at("to"), dimension);
    stored.solver = solver;
    stored.accuracy = accuracy;
    VerifyTask task{0, view, solver, {}, check_fields(view, document.tasks.size(), solver)};
    read_result(view, part.space, document.samples(), stored, task.contradictions);
    document.tasks.push_back(std::move(task));
  }
  return document;
}

// Also finds a result that is there twice.
void read_results(const VerifyPart& part, std::size_t number, double accuracy, VerifyDocument& document) {
  StoredPart& results = document.stored[number];
  std::set<std::pair<std::size_t, std::string>> seen;
  for (const JsonView& view : part.view->at("results").list()) {
    const auto pair = static_cast<std::size_t>(view.at("pair").index(part.pairs.size()));
    const std::string solver = view.at("solver").text();
    Json sealed = view.json();  // its ends stand with the pair
    sealed["from"] = as_json(ConstVectorRef(part.pairs[pair].from));
    sealed["to"] = as_json(ConstVectorRef(part.pairs[pair].to));
    VerifyTask task{number, view, solver, {}, check_fields(JsonView(sealed, ""), results.results.size(), solver)};
    if (!seen.emplace(pair, solver).second) {
      task.fields.push_back({"pair", fmt::format("pair {} by {}", pair, quote(solver)), "it is there before"});
    }
    StoredResult& stored = results.results.emplace_back();
    stored.from = part.pairs[pair].from;
    stored.to = part.pairs[pair].to;
    stored.solver = solver;
    stored.accuracy = accuracy;
    read_result(view, results.space, document.samples(), stored, task.contradictions);
    document.tasks.push_back(std::move(task));
  }
}

VerifyDocument read_study(const JsonView& root, SpaceFinder& finder) {
  VerifyDocument document;
  document.schema = root.at("schema").text();
  if (document.schema != kCompareSchema && document.schema != kConditioningSchema) {
    root.at("schema").fail(fmt::format("\"{}\" or \"{}\"", kCompareSchema, kConditioningSchema));
  }
  const std::vector<JsonView> parts = root.at("generators").list();
  for (const JsonView& view : parts) {
    const std::string name = view.at("name").text();
    document.stored.push_back({finder.open(name, parts.size() == 1, view.at("pairs")), {}});
    VerifyPart part{view, {}};
    const int dimension = document.stored.back().space.dimension();
    for (const JsonView& pair : view.at("pairs").list()) {
      part.pairs.push_back({"", "", read_end(pair.at("from"), dimension), read_end(pair.at("to"), dimension), {}, {}});
    }
    read_results(part, document.parts.size(), read_accuracy(root.at("settings")), document);
    document.parts.push_back(std::move(part));
  }
  return document;
}

std::vector<std::string> solvers_of(const JsonView& root) {
  std::vector<std::string> solvers;
  for (const JsonView& solver : root.at("settings").at("solvers").list()) solvers.push_back(solver.text());
  return solvers;
}

// Lists without entries verify nothing, and a study that says to be complete has a result for each pair and solver.
void check_lists(const VerifyDocument& document, const JsonView& root, std::vector<Finding>& findings) {
  const auto require_entries = [&](const JsonView& view) {
    if (view.list().empty()) findings.push_back({view.place(), "an empty list", "nothing to verify"});
  };
  if (document.schema.empty()) return require_entries(root.at("results"));
  require_entries(root.at("generators"));
  require_entries(root.at("settings").at("solvers"));
  const bool complete = root.at("complete").boolean();
  const std::vector<std::string> solvers = solvers_of(root);
  for (std::size_t number = 0; number < document.parts.size(); ++number) {
    const VerifyPart& part = document.parts[number];
    require_entries(part.view->at("pairs"));
    std::set<std::pair<int, std::string>> found;
    for (const VerifyTask& task : document.tasks) {
      if (task.part != number) continue;
      if (std::ranges::find(solvers, task.solver) == solvers.end()) {
        findings.push_back({task.view.place() + ".solver", quote(task.solver), "no solver of the settings"});
      } else {
        found.emplace(task.view.at("pair").index(part.pairs.size()), task.solver);
      }
    }
    const std::size_t expected = part.pairs.size() * solvers.size();
    if (complete && found.size() < expected) {
      findings.push_back(
          {"complete", "true", fmt::format("{} has {} of {} results", part.view->place(), found.size(), expected)});
    }
  }
}

// The settings of a comparison by which it chooses pairs; nothing, and a finding, where one is missing.
std::optional<Study> read_settings(const JsonView& root, std::vector<Finding>& findings) {
  const JsonView settings = root.at("settings");
  for (const char* key : {"box", "outside"}) {
    if (settings.has(key)) continue;
    findings.push_back({std::string("settings.") + key, "nothing", "a setting"});
    return std::nullopt;
  }
  const Vector box = settings.at("box").vector();
  if (box.size() != 2) settings.at("box").fail("two numbers");
  Study study;
  study.pairs = settings.at("pairs").index(1'000'001);
  study.seed = static_cast<std::uint64_t>(settings.at("seed").whole());
  study.box = {box(0), box(1)};
  study.outside = settings.at("outside").number();
  return study;
}

// With the part's place before the names of their fields.
void append(std::vector<Finding> found, const std::string& place, std::vector<Finding>& findings) {
  for (Finding& finding : found) {
    finding.field = place + "." + finding.field;
    findings.push_back(std::move(finding));
  }
}

void check_dimensions(const JsonView& view, const OpenedSpace& space, std::vector<Finding>& findings) {
  const Generator* generator = space.manifold->generator();
  compare_field(view.place() + ".latent_dimension", field_value(view.at("latent_dimension").json()),
                double(space.dimension()), 0, findings);
  compare_field(view.place() + ".ambient_dimension", field_value(view.at("ambient_dimension").json()),
                generator != nullptr ? generator->ambient_dimension() : std::numeric_limits<double>::quiet_NaN(), 0,
                findings);
}

void check_parts(const VerifyDocument& document, const JsonView& root, std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < document.parts.size(); ++i) {
    const JsonView& view = *document.parts[i].view;
    const OpenedSpace& space = document.stored[i].space;
    check_dimensions(view, space, findings);
    const auto settings = read_settings(root, findings);
    if (settings) append(verify_pairs(*settings, {space, document.parts[i].pairs, {}}), view.place(), findings);
  }
}

// The transforms that a transformed space took, with what they changed.
void check_transforms(const OpenedSpace& space, const JsonView& root, std::vector<Finding>& findings) {
  const std::vector<AppliedTransform>& transforms = space.transformation.transforms;
  if (transforms.empty()) {
    if (root.has("transforms"))
      findings.push_back({"transforms", quote(root.at("transforms").json()), "no such field"});
    return;
  }
  FieldMap written;
  add_fields(root.at("transforms").json(), "transforms", written);
  FieldLister found;
  found("transforms", transforms);
  compare_fields(written, found.fields, VerificationOptions().tolerance, findings);
}

// What a part of a comparison says that follows from its results.
FieldMap summary_fields(const JsonView& part) {
  FieldMap fields;
  const auto add = [&](const JsonView& view, const char* key) {
    const std::string name = view.place().substr(part.place().size() + 1);  // within the part
    add_fields(view.at(key).json(), name + "." + key, fields);
  };
  for (const JsonView& pair : part.at("pairs").list()) add(pair, "best_length");
  for (const JsonView& result : part.at("results").list()) {
    add(result, "solved");
    add(result, "length_ratio");
  }
  add_fields(part.at("summary").json(), "summary", fields);
  return fields;
}

}  // namespace

bool VerifyDocument::comparison() const { return schema == kCompareSchema; }
bool VerifyDocument::samples() const { return schema != kConditioningSchema; }

VerifyDocument read_document(const JsonView& root, const VerifyArguments& arguments) {
  SpaceFinder finder(arguments);
  return root.has("schema") ? read_study(root, finder) : read_geodesic(root, finder);
}

std::vector<Finding> check_document(const VerifyDocument& document, const JsonView& root) {
  std::vector<Finding> findings;
  check_lists(document, root, findings);
  if (document.schema.empty()) check_transforms(document.stored[0].space, root, findings);
  if (document.comparison()) check_parts(document, root, findings);
  const std::string seal = seal_of_document(root.json(), document.comparison());
  const Json written = root.has("seal") ? root.at("seal").json() : Json("nothing");
  if (written != Json(seal)) {
    findings.push_back({"seal", quote(written),
                        quote(seal) + ": the solver, the settings, the pairs, the number of results or what was noted "
                                      "of the run were changed since they were written"});
  }
  return findings;
}

std::vector<Finding> check_summaries(const VerifyDocument& document, const std::vector<GeodesicResult>& measured,
                                     const JsonView& root, double tolerance) {
  Study study;
  study.solvers = solvers_of(root);
  std::vector<Finding> findings;
  std::size_t task = 0;
  for (std::size_t number = 0; number < document.parts.size(); ++number) {
    const VerifyPart& part = document.parts[number];
    std::vector<ResultPlace> places;
    std::vector<GeodesicResult> results;
    for (; task < document.tasks.size() && document.tasks[task].part == number; ++task) {
      const VerifyTask& one = document.tasks[task];
      const auto solver = std::ranges::find(study.solvers, one.solver) - study.solvers.begin();
      places.push_back(
          {static_cast<std::size_t>(one.view.at("pair").index(part.pairs.size())), static_cast<std::size_t>(solver)});
      results.push_back(measured[task]);
    }
    append(verify_summary(study, {document.stored[number].space, part.pairs, {}}, places, results,
                          summary_fields(*part.view), tolerance),
           part.view->place(), findings);
  }
  return findings;
}

}  // namespace pullback::cli
