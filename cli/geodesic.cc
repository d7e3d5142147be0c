// The command `geodesic`.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>

#include "pullback/analysis/text.h"
#include "pullback/base/parse.h"
#include "pullback/base/stop.h"
#include "pullback/cli/arguments.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/interrupt.h"
#include "pullback/cli/known_dimension.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/result_json.h"
#include "pullback/cli/seal.h"
#include "pullback/cli/transform_text.h"
#include "pullback/spaces/transform_fields.h"

namespace pullback::cli {

namespace {

constexpr double kLeastLimit = 1e-9;  // where opening has taken all of it

void require_one_way_to_give_ends(const GeodesicArguments& arguments) {
  const bool ends = !arguments.from.empty() || !arguments.to.empty();
  if (!arguments.pairs.empty() && ends) {
    throw std::invalid_argument("--pairs and --from/--to were both given, expected one of them");
  }
  if (arguments.pairs.empty() && (arguments.from.empty() || arguments.to.empty())) {
    throw std::invalid_argument("end points are missing: give --from and --to, or --pairs FILE.csv");
  }
}

KnownDimension known_from(const GeodesicArguments& arguments) {
  const SolveArguments& solve = arguments.solve;
  KnownDimension known = known_dimension(arguments.from, arguments.pairs, 2, solve.dimension);
  if (known.likely == 0) known = known_dimension("", solve.points, 1, solve.dimension);
  return known;
}

std::vector<EndPoints> read_pairs(const GeodesicArguments& arguments, int dimension) {
  if (arguments.pairs.empty()) {
    return {{parse_point(arguments.from, "--from", dimension), parse_point(arguments.to, "--to", dimension)}};
  }
  const Matrix table =
      read_table(arguments.pairs, 2 * dimension, fmt::format("from, then to, of dimension {} each", dimension));
  std::vector<EndPoints> pairs;
  for (Eigen::Index i = 0; i < table.cols(); ++i) {
    pairs.push_back({table.col(i).head(dimension), table.col(i).tail(dimension)});
  }
  return pairs;
}

// A result on a transformed space in the plain metric and coordinates, where there is a curve and time is left: what a
// solve may take beyond its limit (solver.h), less what this one did, and a second after an interrupt.
std::optional<PlainView> plain_in_time(const Batch& batch, const GeodesicResult& result, int samples) {
  if (result.curve.empty()) return std::nullopt;
  const double most = batch.time_limit > 0 ? 1.1 * batch.time_limit + 0.1 : std::numeric_limits<double>::infinity();
  const StopScope scope(adornment_stop(now() + std::max(0.0, most - result.effort.seconds)));
  try {
    return plain_view(batch.space, result.curve, samples);
  } catch (const StopRequested&) {
    return std::nullopt;
  }
}

Json plain_json(const Batch& batch, const GeodesicResult& result, int samples) {
  const std::optional<PlainView> plain = plain_in_time(batch, result, samples);
  if (!plain) return {{"length_plain", nullptr}, {"length_plain_error", nullptr}, {"z_plain", nullptr}};
  Json json = fields_json(*plain);
  json["z_plain"] = columns_json(plain->points);
  return json;
}

Json results_json(const GeodesicArguments& arguments, const Batch& batch, const std::vector<EndPoints>& pairs,
                  const std::vector<GeodesicResult>& results) {
  const std::vector<AppliedTransform>& transforms = batch.space.transformation.transforms;
  Json list = Json::array();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    Json entry = {{"from", as_json(ConstVectorRef(pairs[i].from))}, {"to", as_json(ConstVectorRef(pairs[i].to))}};
    entry.update(as_json(results[i], arguments.samples));
    if (!transforms.empty()) entry.update(plain_json(batch, results[i], arguments.samples));
    entry["seal"] = seal_of_result(entry, i, arguments.solve.solver);
    list.push_back(std::move(entry));
  }
  Json all = {{"generator", arguments.solve.generator},
              {"solver", arguments.solve.solver},
              {"accuracy", arguments.solve.accuracy}};
  if (!transforms.empty()) all["transforms"] = list_json(transforms);
  all["results"] = std::move(list);
  all["seal"] = seal_of_document(all, false);
  return all;
}

std::string text_of_one(const Batch& batch, const EndPoints& ends, const GeodesicResult& result) {
  std::string text = fmt::format("{}  {}  {} → {}\n{}", batch.space.name, batch.solver->name(), format_point(ends.from),
                                 format_point(ends.to), describe(result));
  const std::vector<AppliedTransform>& transforms = batch.space.transformation.transforms;
  if (!transforms.empty()) {
    if (const std::optional<PlainView> plain = plain_in_time(batch, result, 2)) {
      text += fmt::format("\nin the metric before the transforms: length {}\n",
                          format_length(plain->length, plain->length_error));
    }
  }
  for (const std::string& sentence : describe(transforms)) text += wrap(sentence, 100, 2) + "\n";
  return text;
}

std::string text_of_many(const std::vector<EndPoints>& pairs, const std::vector<GeodesicResult>& results) {
  Table table({"from", "to", "termination", "length", "residual", "κ", "time"});
  std::map<std::string, int> terminations;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const GeodesicResult& result = results[i];
    const Certificate& c = result.certificate;
    ++terminations[to_string(result.termination)];
    const bool empty = result.curve.empty();
    table.add({format_point(pairs[i].from), format_point(pairs[i].to), to_string(result.termination),
               empty ? "-" : format_length(c.length, c.length_error), empty ? "-" : format_number(c.residual, 2),
               empty ? "-" : format_number(c.condition.kappa_max, 3), format_seconds(result.effort.seconds)});
  }
  std::string text = table.str({0, 1, 2}) + "\n";
  for (const auto& [name, count] : terminations) text += fmt::format("{} {}  ", count, name);
  return text + "\n";
}

// Opens what to solve with. For a single pair that counts into its time limit, and gives nothing when it takes longer;
// for many it is done once for all.
std::optional<Batch> open_in_time(const GeodesicArguments& arguments) {
  const double limit = arguments.solve.time_limit;
  const double start = now();
  const bool bounded = limit > 0 && arguments.pairs.empty();
  const StopScope scope(bounded ? [=] { return now() - start > limit; } : std::function<bool()>());
  try {
    Batch batch = open_batch(arguments.solve, known_from(arguments));
    if (bounded) batch.time_limit = std::max(limit - (now() - start), kLeastLimit);
    return batch;
  } catch (const StopRequested&) {
    return std::nullopt;
  }
}

// What is known of a batch that there was no time to open.
Batch unopened(const SolveArguments& arguments) {
  Batch batch;
  batch.space.name = arguments.generator;
  batch.solver = Opener(arguments.plugins).solvers().make(arguments.solver);
  return batch;
}

GeodesicResult not_opened(const Batch& batch) {
  GeodesicResult result;
  result.termination = Termination::kTimeLimit;
  result.message = fmt::format("the time was up while {} was opened", batch.space.name);
  result.solver = batch.solver->name();
  return result;
}

int coordinates(const std::string& point) { return static_cast<int>(split(point, ',').size()); }

}  // namespace

int run_geodesic(const GeodesicArguments& arguments) {
  require_one_way_to_give_ends(arguments);
  FileRoles roles;
  add_inputs(arguments.solve, roles);
  roles.reads(arguments.pairs, "--pairs");
  roles.writes(arguments.json, "--json");
  roles.check();
  std::optional<Batch> in_time = open_in_time(arguments);
  const bool opened = in_time.has_value();
  const Batch batch = opened ? *std::move(in_time) : unopened(arguments.solve);
  const std::vector<EndPoints> pairs =
      read_pairs(arguments, opened ? batch.space.dimension() : coordinates(arguments.from));
  if (!arguments.json.empty() && arguments.json != "-") require_writable(arguments.json);

  const std::vector<GeodesicResult> results =
      opened ? solve_visibly(batch, pairs, arguments.solve.threads) : std::vector<GeodesicResult>{not_opened(batch)};

  if (!arguments.json.empty()) {
    write_outputs({{arguments.json, as_text(results_json(arguments, batch, pairs, results))}});
  }
  if (arguments.json != "-") {
    write_standard_output(pairs.size() == 1 ? text_of_one(batch, pairs[0], results[0]) : text_of_many(pairs, results));
  }
  const bool all =
      std::ranges::all_of(results, [](const GeodesicResult& r) { return r.termination == Termination::kConverged; });
  return all ? kDone : kNotConverged;
}

}  // namespace pullback::cli
