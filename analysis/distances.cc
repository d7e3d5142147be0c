#include "pullback/analysis/distances.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace pullback {

namespace {

// The upper triangle of a symmetric table, in the order in which it is solved.
std::vector<std::pair<int, int>> pairs_of(int points) {
  std::vector<std::pair<int, int>> pairs;
  for (int i = 0; i < points; ++i) {
    for (int j = i + 1; j < points; ++j) pairs.emplace_back(i, j);
  }
  return pairs;
}

DistanceMatrix fill_matrix(int points, const std::vector<std::pair<int, int>>& pairs,
                           const std::vector<GeodesicResult>& results) {
  const auto size = static_cast<std::size_t>(points);
  DistanceMatrix out{Matrix::Zero(points, points), std::vector(size, std::vector(size, Termination::kConverged))};
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    const auto [i, j] = pairs[k];
    const double length =
        results[k].curve.empty() ? std::numeric_limits<double>::quiet_NaN() : results[k].certificate.length;
    out.lengths(i, j) = out.lengths(j, i) = length;
    for (const auto& [row, column] : {std::pair(i, j), std::pair(j, i)}) {
      out.terminations[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] = results[k].termination;
    }
  }
  return out;
}

}  // namespace

bool DistanceMatrix::all_converged() const {
  return std::ranges::all_of(terminations, [](const std::vector<Termination>& row) {
    return std::ranges::all_of(row, [](Termination t) { return t == Termination::kConverged; });
  });
}

DistanceMatrix distances(const Batch& batch, const ConstMatrixRef& points, const WorkControl& control) {
  const int count = static_cast<int>(points.cols());
  const auto pairs = pairs_of(count);
  std::vector<EndPoints> ends;
  ends.reserve(pairs.size());
  for (const auto& [i, j] : pairs) ends.push_back({points.col(i), points.col(j)});
  return fill_matrix(count, pairs, solve_batch(batch, ends, control));
}

}  // namespace pullback
