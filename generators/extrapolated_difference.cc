#include "pullback/generators/extrapolated_difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace pullback::internal {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Not 2: where one step is a period of the function, all longer ones would be too, and agree on a wrong slope.
constexpr double kRatio = 1.9;

double step_of(double h, int level) { return h * std::pow(kRatio, -level); }

struct Estimate {
  double derivative = 0;
  double uncertainty = kInfinity;
};

// Neville's tableau of one component: the entry that agrees best with its neighbours. An entry from the shortest steps
// that contradicts it is counted as uncertainty. Steps that leave the domain give NaN entries, which agree with
// nothing. `noise` is what the samples are off by, besides the rounding of their own digits.
Estimate extrapolate(const Matrix& samples, Eigen::Index row, double h, double centre, double noise) {
  Estimate best;
  Estimate shortest;
  std::array<double, kDifferenceLevels> previous{};
  std::array<double, kDifferenceLevels> current{};
  for (int level = 0; level < kDifferenceLevels; ++level) {
    const double plus = samples(row, 2 * level + 1);
    const double minus = samples(row, 2 * level + 2);
    current[0] = (plus - minus) / (2 * step_of(h, level));
    const double rounding =
        (noise + kEpsilon * (std::abs(plus) + std::abs(minus) + std::abs(current[0]) * centre)) / step_of(h, level);
    double power = 1;
    for (int order = 1; order <= level; ++order) {
      power *= kRatio * kRatio;
      current[order] = current[order - 1] + (current[order - 1] - previous[order - 1]) / (power - 1);
      const double uncertainty = rounding + std::max(std::abs(current[order] - current[order - 1]),
                                                     std::abs(current[order] - previous[order - 1]));
      if (uncertainty < best.uncertainty) best = {current[order], uncertainty};
      if (level == kDifferenceLevels - 1 && order == 2) shortest = {current[order], uncertainty};
    }
    previous = current;
  }
  const double contradiction = std::abs(best.derivative - shortest.derivative);
  if (contradiction > 2 * shortest.uncertainty) best.uncertainty += contradiction + shortest.uncertainty;
  return best;
}

// Whether the one-sided slopes of one component stay apart. For a smooth function their distance falls with the step,
// by 7 over three levels; at a kink it stays, at a jump it grows.
bool has_kink(const Matrix& samples, Eigen::Index row, double h, double centre, double largest_slope, double noise) {
  constexpr int kFine = kDifferenceLevels - 1;
  constexpr int kCoarse = kFine - 3;
  constexpr double kSignificant = 0.01;  // of the largest slope; less does not matter and may be noise
  constexpr double kSafety = 1e3;
  const auto apart = [&](int level) {
    return std::abs(samples(row, 2 * level + 1) + samples(row, 2 * level + 2) - 2 * samples(row, 0)) /
           step_of(h, level);
  };
  const double rounding = (noise + kEpsilon * (std::abs(samples(row, 0)) + largest_slope * centre)) / step_of(h, kFine);
  const double fine = apart(kFine);
  return fine > kSignificant * largest_slope && fine > kSafety * rounding && fine > 0.5 * apart(kCoarse);
}

}  // namespace

Eigen::RowVectorXd difference_offsets(double h) {
  Eigen::RowVectorXd offsets(kDifferenceSamples);
  offsets(0) = 0;
  for (int level = 0; level < kDifferenceLevels; ++level) {
    offsets(2 * level + 1) = step_of(h, level);
    offsets(2 * level + 2) = -step_of(h, level);
  }
  return offsets;
}

Difference extrapolated_difference(const Matrix& samples, double h, double centre, double noise) {
  const Eigen::Index rows = samples.rows();
  Difference result{Vector::Zero(rows), Vector::Constant(rows, kInfinity), false};
  if (!samples.col(0).allFinite()) return result;
  // Beyond what each component's own size accounts for.
  const double off = noise > kEpsilon ? noise * samples.col(0).lpNorm<Eigen::Infinity>() : 0;
  for (Eigen::Index row = 0; row < rows; ++row) {
    const Estimate estimate = extrapolate(samples, row, h, centre, off);
    result.derivative(row) = estimate.derivative;
    result.uncertainty(row) = estimate.uncertainty;
  }
  const double largest_slope = result.derivative.lpNorm<Eigen::Infinity>();
  for (Eigen::Index row = 0; row < rows && !result.kink; ++row) {
    result.kink = has_kink(samples, row, h, centre, largest_slope, off);
  }
  return result;
}

}  // namespace pullback::internal
