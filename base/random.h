// Random numbers that are the same on every machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// The standard's distributions differ between libraries; these do not.
class PULLBACK_EXPORT Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  Eigen::Index index(Eigen::Index count) {
    return static_cast<Eigen::Index>(engine_() % static_cast<std::uint64_t>(count));
  }

  double uniform(double low, double high) {
    constexpr double kUnit = 0x1p-53;
    return low + (high - low) * static_cast<double>(engine_() >> 11) * kUnit;
  }

  // Of mean 0 and variance 1, by Box and Muller's transformation.
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(0, 1)));  // 1 − u: the logarithm of 0 is never taken
    return radius * std::cos(2 * std::numbers::pi * uniform(0, 1));
  }

  Matrix normal_matrix(Eigen::Index rows, Eigen::Index columns) {
    Matrix out(rows, columns);
    for (Eigen::Index k = 0; k < columns; ++k) {
      for (Eigen::Index i = 0; i < rows; ++i) out(i, k) = normal();
    }
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace pullback
