// Second differences of fourth order along a discrete curve.
#pragma once

#include <array>

#include "pullback/base/types.h"

namespace pullback {

// A stencil for x″: weights of the columns first … first+5 (unit spacing).
struct SecondDifference {
  Eigen::Index first;
  std::array<double, 6> weights;
};

// The stencil at interior column i of K+1 columns, K ≥ 5: central five-point, one-sided six-point beside the ends.
inline SecondDifference second_difference(Eigen::Index i, Eigen::Index K) {
  constexpr double c = 1.0 / 12;
  if (i == 1) return {0, {10 * c, -15 * c, -4 * c, 14 * c, -6 * c, c}};
  if (i == K - 1) return {K - 5, {c, -6 * c, 14 * c, -4 * c, -15 * c, 10 * c}};
  if (i == 2) return {0, {-c, 16 * c, -30 * c, 16 * c, -c, 0}};
  return {i - 3, {0, -c, 16 * c, -30 * c, 16 * c, -c}};
}

}  // namespace pullback
