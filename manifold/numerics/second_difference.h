// Second differences of fourth order along a discrete curve.
#pragma once

#include <array>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// A stencil for the second derivative along the columns of a discrete curve, at unit spacing:
//
//   x″_i ≈ Σ_s weights_s x_{first+s}, s = 0 … 5, exact for polynomials of degree 5.
// Nodes at times i/K take K² times that.
struct PULLBACK_EXPORT SecondDifference {
  Eigen::Index first;
  std::array<double, 6> weights;
};

// The stencil at interior column i of K+1 columns: central five-point, one-sided six-point beside the ends.
// Undefined for K < 5, and for i outside 1 … K−1. Cost: none. Thread safety: a pure function.
inline SecondDifference second_difference(Eigen::Index i, Eigen::Index K) {
  constexpr double c = 1.0 / 12;
  if (i == 1) return {0, {10 * c, -15 * c, -4 * c, 14 * c, -6 * c, c}};
  if (i == K - 1) return {K - 5, {c, -6 * c, 14 * c, -4 * c, -15 * c, 10 * c}};
  if (i == 2) return {0, {-c, 16 * c, -30 * c, 16 * c, -c, 0}};
  return {i - 3, {0, -c, 16 * c, -30 * c, 16 * c, -c}};
}

}  // namespace pullback
