// The command `geodesic`.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "pullback/cli/arguments.h"
#include "pullback/cli/batch.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/files.h"
#include "pullback/cli/result_json.h"
#include "pullback/cli/text.h"

namespace pullback::cli {

namespace {

void require_one_way_to_give_ends(const GeodesicArguments& arguments) {
  const bool ends = !arguments.from.empty() || !arguments.to.empty();
  if (!arguments.pairs.empty() && ends) {
    throw std::invalid_argument("--pairs and --from/--to were both given, expected one of them");
  }
  if (arguments.pairs.empty() && (arguments.from.empty() || arguments.to.empty())) {
    throw std::invalid_argument("end points are missing: give --from and --to, or --pairs FILE.csv");
  }
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

Json results_json(const GeodesicArguments& arguments, const std::vector<EndPoints>& pairs,
                  const std::vector<GeodesicResult>& results) {
  Json list = Json::array();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    Json entry = {{"from", as_json(ConstVectorRef(pairs[i].from))}, {"to", as_json(ConstVectorRef(pairs[i].to))}};
    entry.update(as_json(results[i], arguments.samples));
    list.push_back(std::move(entry));
  }
  return {{"generator", arguments.solve.generator}, {"solver", arguments.solve.solver}, {"results", std::move(list)}};
}

std::string text_of_one(const Batch& batch, const EndPoints& ends, const GeodesicResult& result) {
  return fmt::format("{}  {}  {} → {}\n{}", batch.space.name, batch.solver->name(), format_point(ends.from),
                     format_point(ends.to), describe(result));
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

}  // namespace

int run_geodesic(const GeodesicArguments& arguments) {
  require_one_way_to_give_ends(arguments);
  const Batch batch = open_batch(arguments.solve);
  const std::vector<EndPoints> pairs = read_pairs(arguments, batch.space.dimension());
  if (!arguments.json.empty() && arguments.json != "-") require_writable(arguments.json);

  const std::vector<GeodesicResult> results = solve_batch(batch, pairs);

  if (!arguments.json.empty()) write_output(arguments.json, as_text(results_json(arguments, pairs, results)));
  if (arguments.json != "-") {
    write_standard_output(pairs.size() == 1 ? text_of_one(batch, pairs[0], results[0]) : text_of_many(pairs, results));
  }
  const bool all =
      std::ranges::all_of(results, [](const GeodesicResult& r) { return r.termination == Termination::kConverged; });
  return all ? kDone : kNotConverged;
}

}  // namespace pullback::cli
