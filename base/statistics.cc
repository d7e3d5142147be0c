#include "pullback/base/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pullback {

Interval wilson_interval(int successes, int trials) {
  constexpr double kNormalQuantile = 1.959963984540054;
  if (trials == 0) return {0, 1};
  const double n = trials;
  const double p = successes / n;
  const double z2 = kNormalQuantile * kNormalQuantile;
  const double middle = p + z2 / (2 * n);
  const double half = kNormalQuantile * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const double scale = 1 + z2 / n;
  // At 0 and n the ends are exact, which rounding would spoil.
  return {successes == 0 ? 0 : (middle - half) / scale, successes == trials ? 1 : (middle + half) / scale};
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::ranges::sort(values);
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double fraction = place - static_cast<double>(below);
  // Also between two infinite values, and from −∞ on.
  if (fraction == 0 || values[below] == values[above] || std::isinf(values[below])) return values[below];
  return values[below] + fraction * (values[above] - values[below]);
}

}  // namespace pullback
