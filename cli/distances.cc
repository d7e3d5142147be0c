// The command `distances`.
#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <stdexcept>

#include "pullback/analysis/summary_fields.h"
#include "pullback/analysis/text.h"
#include "pullback/cli/commands.h"
#include "pullback/cli/exit_status.h"
#include "pullback/cli/file_roles.h"
#include "pullback/cli/files.h"
#include "pullback/cli/known_dimension.h"
#include "pullback/cli/open_batch.h"
#include "pullback/cli/progress.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

namespace {

std::string lengths_csv(const Matrix& lengths) {
  std::string text;
  for (Eigen::Index i = 0; i < lengths.rows(); ++i) {
    for (Eigen::Index j = 0; j < lengths.cols(); ++j) text += fmt::format("{}{}", j > 0 ? "," : "", lengths(i, j));
    text += "\n";
  }
  return text;
}

std::vector<std::string> names_of(const std::vector<Termination>& terminations) {
  std::vector<std::string> names;
  for (const Termination termination : terminations) names.emplace_back(to_string(termination));
  return names;
}

std::string terminations_csv(const DistanceMatrix& matrix) {
  std::string text;
  for (const auto& row : matrix.terminations) text += fmt::format("{}\n", fmt::join(names_of(row), ","));
  return text;
}

// "lengths.csv" → "lengths.terminations.csv".
std::filesystem::path terminations_path(const std::filesystem::path& out) {
  std::filesystem::path path = out;
  return path.replace_extension(".terminations" + out.extension().string());
}

// "2 of 10 lengths are not certified (1 stalled, 1 time_limit), see lengths.terminations.csv".
std::string what_failed(const DistanceMatrix& matrix, const std::string& where) {
  std::map<std::string, int> counts;
  int failed = 0;
  for (std::size_t i = 0; i < matrix.terminations.size(); ++i) {
    for (std::size_t j = i + 1; j < matrix.terminations.size(); ++j) {
      if (matrix.terminations[i][j] == Termination::kConverged) continue;
      ++failed;
      ++counts[to_string(matrix.terminations[i][j])];
    }
  }
  const std::size_t pairs = matrix.terminations.size() * (matrix.terminations.size() - 1) / 2;
  return fmt::format("{} of {} lengths are not certified ({}){}", failed, pairs, format_counts(counts),
                     where.empty() ? "" : ", see " + where);
}

Json matrix_json(const DistancesArguments& arguments, const DistanceMatrix& matrix) {
  Json json = {{"generator", arguments.solve.generator},
               {"solver", arguments.solve.solver},
               {"accuracy", arguments.solve.accuracy}};
  json.update(fields_json(matrix));
  return json;
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

  prepare_for_work(arguments.solve.threads);
  const Eigen::Index count = points.cols();
  Progress progress(static_cast<int>(count * (count - 1) / 2));
  const DistanceMatrix matrix = distances(batch, points, work_control(arguments.solve.threads, progress));

  const std::string lengths = lengths_csv(matrix.lengths);
  const std::string terminations = terminations_csv(matrix);
  const std::string json = arguments.json.empty() ? "" : as_text(matrix_json(arguments, matrix));
  write_outputs({{arguments.out, lengths},
                 {to_standard_output ? "" : terminations_path(arguments.out), terminations},
                 {arguments.json, json}});
  if (matrix.all_converged()) return kDone;
  fmt::print(stderr, "pullback: {}\n",
             what_failed(matrix, to_standard_output ? "" : terminations_path(arguments.out).string()));
  return kNotConverged;
}

}  // namespace pullback::cli
