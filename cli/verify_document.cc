#include "pullback/cli/verify_document.h"
#include "pullback/cli/transform_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <stdexcept>
#include <utility>

#include "pullback/analysis/text.h"
#include "pullback/base/error.h"
#include "pullback/cli/result_fields.h"
#include "pullback/cli/seal.h"
#include "pullback/cli/study_json.h"
#include "pullback/spaces/named_transforms.h"

namespace pullback::cli {

namespace {

constexpr char kCompareSchema[] = "pullback-compare-1";
constexpr char kConditioningSchema[] = "pullback-conditioning-1";
// By how much chosen pairs may differ between machines: a chart that moves codes rounds.
constexpr double kSamePair = 1e-9;

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

VerifyDocument read_geodesic(const JsonView& root, SpaceFinder& finder) {
  VerifyDocument document;
  const std::string generator = root.at("generator").text();
  document.parts.push_back({finder.open(generator, true, root.at("results")), {}, {}});
  const int dimension = document.parts[0].space.dimension();
  const std::string solver = root.at("solver").text();
  std::size_t index = 0;
  for (const JsonView& view : root.at("results").list()) {
    document.tasks.push_back({0, view, read_end(view.at("from"), dimension), read_end(view.at("to"), dimension), solver,
                              check_fields(view, index++, solver)});
  }
  return document;
}

// Also finds a result that is there twice.
void read_results(const JsonView& part_view, const VerifyPart& part, std::size_t number, VerifyDocument& document) {
  std::set<std::pair<std::size_t, std::string>> seen;
  std::size_t index = 0;
  for (const JsonView& result : part_view.at("results").list()) {
    const auto pair = static_cast<std::size_t>(result.at("pair").index(part.pairs.size()));
    const std::string solver = result.at("solver").text();
    VerifyTask task{number, result, part.pairs[pair].from, part.pairs[pair].to, solver, {}};
    Json sealed = result.json();  // its ends stand with the pair
    sealed["from"] = as_json(ConstVectorRef(part.pairs[pair].from));
    sealed["to"] = as_json(ConstVectorRef(part.pairs[pair].to));
    task.fields = check_fields(JsonView(sealed, ""), index++, solver);
    if (!seen.emplace(pair, solver).second) {
      task.fields.push_back({"pair", fmt::format("pair {} by {}", pair, quote(solver)), "it is there before"});
    }
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
    VerifyPart part{finder.open(name, parts.size() == 1, view.at("pairs")), view, {}};
    const int dimension = part.space.dimension();
    for (const JsonView& pair : view.at("pairs").list()) {
      part.pairs.push_back({"", "", read_end(pair.at("from"), dimension), read_end(pair.at("to"), dimension), {}, {}});
    }
    read_results(view, part, document.parts.size(), document);
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

// The pairs that the settings choose are those that are there.
void check_pairs(const VerifyPart& part, const JsonView& root, std::vector<Finding>& findings) {
  const JsonView settings = root.at("settings");
  for (const char* key : {"box", "outside"}) {
    if (!settings.has(key)) return findings.push_back({std::string("settings.") + key, "nothing", "a setting"});
  }
  const Vector box = settings.at("box").vector();
  if (box.size() != 2) settings.at("box").fail("two numbers");
  std::vector<StudyPair> chosen;
  try {
    chosen = choose_pairs(part.space, settings.at("pairs").index(1'000'001),
                          static_cast<std::uint64_t>(settings.at("seed").whole()), {box(0), box(1)},
                          settings.at("outside").number());
  } catch (const std::invalid_argument& error) {
    return findings.push_back({part.view->place() + ".pairs", "pairs", error.what()});
  }
  if (chosen.size() != part.pairs.size()) {
    return findings.push_back({part.view->place() + ".pairs", fmt::format("{} pairs", part.pairs.size()),
                               fmt::format("{} by the settings", chosen.size())});
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const double size = std::max(chosen[i].from.norm(), chosen[i].to.norm());
    const double off = std::max((chosen[i].from - part.pairs[i].from).norm(), (chosen[i].to - part.pairs[i].to).norm());
    if (off <= kSamePair * size) continue;
    return findings.push_back({fmt::format("{}.pairs[{}]", part.view->place(), i),
                               format_point(part.pairs[i].from) + " to " + format_point(part.pairs[i].to),
                               format_point(chosen[i].from) + " to " + format_point(chosen[i].to) +
                                   ", which the settings' seed, box and shares choose"});
  }
}

void check_dimensions(const VerifyPart& part, std::vector<Finding>& findings) {
  const JsonView& view = *part.view;
  const Generator* generator = part.space.manifold->generator();
  compare_fields(view.at("latent_dimension").json(), part.space.dimension(), view.place() + ".latent_dimension", 0,
                 findings);
  compare_fields(view.at("ambient_dimension").json(),
                 generator != nullptr ? Json(generator->ambient_dimension()) : Json(nullptr),
                 view.place() + ".ambient_dimension", 0, findings);
}

// The transforms that a transformed space took, with what they changed.
void check_transforms(const VerifyDocument& document, const JsonView& root, double tolerance,
                      std::vector<Finding>& findings) {
  const std::vector<AppliedTransform>& transforms = document.parts[0].space.transformation.transforms;
  if (!transforms.empty()) {
    return compare_fields(root.at("transforms").json(), as_json(transforms), "transforms", tolerance, findings);
  }
  if (root.has("transforms")) findings.push_back({"transforms", quote(root.at("transforms").json()), "no such field"});
}

}  // namespace

bool VerifyDocument::comparison() const { return schema == kCompareSchema; }
bool VerifyDocument::samples() const { return schema != kConditioningSchema; }

Vector read_end(const JsonView& view, int dimension) {
  Vector point = view.vector();
  if (point.size() != dimension || !point.allFinite()) view.fail(fmt::format("{} finite coordinates", dimension));
  return point;
}

VerifyDocument read_document(const JsonView& root, const VerifyArguments& arguments) {
  SpaceFinder finder(arguments);
  return root.has("schema") ? read_study(root, finder) : read_geodesic(root, finder);
}

std::vector<Finding> check_document(const VerifyDocument& document, const JsonView& root) {
  std::vector<Finding> findings;
  check_lists(document, root, findings);
  if (document.schema.empty()) check_transforms(document, root, kVerifyTolerance, findings);
  if (document.comparison()) {
    for (const VerifyPart& part : document.parts) {
      check_dimensions(part, findings);
      check_pairs(part, root, findings);
    }
  }
  const std::string seal = seal_of_document(root.json(), document.comparison());
  const Json written = root.has("seal") ? root.at("seal").json() : Json("nothing");
  if (written != Json(seal)) {
    findings.push_back({"seal", quote(written),
                        quote(seal) + ": the solver, the settings, the pairs, the number of results or what was noted "
                                      "of the run were changed since they were written"});
  }
  return findings;
}

std::vector<Finding> check_summary(const VerifyDocument& document, std::size_t number, const JsonView& root,
                                   double tolerance) {
  const VerifyPart& part = document.parts[number];
  Study study;
  study.solvers = solvers_of(root);
  StudyPart made{part.space, part.pairs, {}};
  const std::size_t solvers = study.solvers.size();
  made.results.resize(part.pairs.size() * solvers);
  const auto pair_of = [&](const VerifyTask& task) {
    return static_cast<std::size_t>(task.view.at("pair").index(part.pairs.size()));
  };
  for (const VerifyTask& task : document.tasks) {
    if (task.part != number) continue;
    const auto solver = static_cast<std::size_t>(std::ranges::find(study.solvers, task.solver) - study.solvers.begin());
    if (solver < solvers) made.results[pair_of(task) * solvers + solver] = task.outcome->result;
  }
  std::vector<Finding> findings;
  const std::vector<double> best = best_lengths(study, made);
  const std::vector<JsonView> pairs = part.view->at("pairs").list();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    compare_fields(pairs[i].at("best_length").json(), number_json(best[i]), pairs[i].place() + ".best_length",
                   tolerance, findings);
  }
  for (const VerifyTask& task : document.tasks) {
    if (task.part != number) continue;
    const double length = best[pair_of(task)];
    const GeodesicResult& result = task.outcome->result;
    compare_fields(task.view.at("solved").json(), is_solved(result, length), task.view.place() + ".solved", tolerance,
                   findings);
    compare_fields(task.view.at("length_ratio").json(), number_json(length_ratio(result, length)),
                   task.view.place() + ".length_ratio", tolerance, findings);
  }
  compare_fields(part.view->at("summary").json(), summary_json(summarise(study, made)), part.view->place() + ".summary",
                 tolerance, findings);
  return findings;
}

}  // namespace pullback::cli
