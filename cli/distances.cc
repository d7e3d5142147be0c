// The command `distances`.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "pullback/cli/batch.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

namespace {

// The upper triangle of a symmetric table, in the order in which it is solved.
std::vector<std::pair<int, int>> pairs_of(int points) {
  std::vector<std::pair<int, int>> pairs;
  for (int i = 0; i < points; ++i) {
    for (int j = i + 1; j < points; ++j) pairs.emplace_back(i, j);
  }
  return pairs;
}

// K×K, symmetric: lengths (NaN where there is no curve) and terminations. A point is at distance 0 from itself.
struct Tables {
  Matrix lengths;
  std::vector<std::vector<std::string>> terminations;
};

Tables fill_tables(int points, const std::vector<std::pair<int, int>>& pairs,
                   const std::vector<GeodesicResult>& results) {
  const auto size = static_cast<std::size_t>(points);
  Tables tables{Matrix::Zero(points, points),
                std::vector(size, std::vector<std::string>(size, to_string(Termination::kConverged)))};
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const auto [i, j] = pairs[k];
    const double length =
        results[k].curve.empty() ? std::numeric_limits<double>::quiet_NaN() : results[k].certificate.length;
    tables.lengths(i, j) = tables.lengths(j, i) = length;
    for (const auto& [row, column] : {std::pair(i, j), std::pair(j, i)}) {
      tables.terminations[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] =
          to_string(results[k].termination);
    }
  }
  return tables;
}

std::string lengths_csv(const Matrix& lengths) {
  std::string text;
  for (Eigen::Index i = 0; i < lengths.rows(); ++i) {
    for (Eigen::Index j = 0; j < lengths.cols(); ++j) text += fmt::format("{}{}", j > 0 ? "," : "", lengths(i, j));
    text += "\n";
  }
  return text;
}

std::string terminations_csv(const Tables& tables) {
  std::string text;
  for (const auto& row : tables.terminations) text += fmt::format("{}\n", fmt::join(row, ","));
  return text;
}

// "lengths.csv" → "lengths.terminations.csv".
std::filesystem::path terminations_path(const std::filesystem::path& out) {
  std::filesystem::path path = out;
  return path.replace_extension(".terminations" + out.extension().string());
}

Json tables_json(const DistancesArguments& arguments, const Tables& tables) {
  Json lengths = Json::array();
  for (Eigen::Index i = 0; i < tables.lengths.rows(); ++i) lengths.push_back(as_json(Vector(tables.lengths.row(i))));
  return {{"generator", arguments.solve.generator},
          {"solver", arguments.solve.solver},
          {"lengths", std::move(lengths)},
          {"terminations", tables.terminations}};
}

}  // namespace

int run_distances(const DistancesArguments& arguments) {
  if (arguments.out == "-" && arguments.json == "-") {
    throw std::invalid_argument("--out and --json are both -, and standard output can take only one of them");
  }
  FileRoles roles;
  add_inputs(arguments.solve, roles);
  roles.reads(arguments.table, "POINTS");
  roles.writes(arguments.out, "--out");
  if (arguments.out != "-") roles.writes(terminations_path(arguments.out), "--out");
  roles.writes(arguments.json, "--json");
  roles.check();
  const Batch batch = open_batch(arguments.solve, known_dimension("", arguments.table, 1, arguments.solve.dimension));
  const int dimension = batch.space.dimension();
  const Matrix points = read_table(arguments.table, dimension, fmt::format("a point of dimension {}", dimension));
  const bool to_standard_output = arguments.out == "-";
  if (!to_standard_output) {
    require_writable(arguments.out);
    require_writable(terminations_path(arguments.out));
  }
  if (!arguments.json.empty() && arguments.json != "-") require_writable(arguments.json);

  const auto pairs = pairs_of(static_cast<int>(points.cols()));
  std::vector<EndPoints> ends;
  ends.reserve(pairs.size());
  for (const auto& [i, j] : pairs) ends.push_back({points.col(i), points.col(j)});
  const std::vector<GeodesicResult> results = solve_batch(batch, ends);
  const Tables tables = fill_tables(static_cast<int>(points.cols()), pairs, results);

  const std::string lengths = lengths_csv(tables.lengths);
  const std::string terminations = terminations_csv(tables);
  const std::string json = arguments.json.empty() ? "" : as_text(tables_json(arguments, tables));
  write_outputs({{arguments.out, lengths},
                 {to_standard_output ? "" : terminations_path(arguments.out), terminations},
                 {arguments.json, json}});
  const bool all =
      std::ranges::all_of(results, [](const GeodesicResult& r) { return r.termination == Termination::kConverged; });
  return all ? kDone : kNotConverged;
}

}  // namespace pullback::cli
