#include "pullback/generators/surfaces/curved_maps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "pullback/base/random.h"

namespace pullback {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

TEST(Valley, CoordinatesGoThereAndBack) {
  constexpr double kKappa = 1e4;
  Random random(1);
  const Matrix points = random.normal_matrix(5, 20);
  const Matrix back = valley_to_base(valley_from_base(points, kKappa), kKappa);
  EXPECT_LE((back - points).cwiseAbs().maxCoeff(), 100 * kEpsilon);
  // Velocities against central differences.
  const Matrix velocities = random.normal_matrix(5, 20);
  constexpr double kStep = 1e-5;
  const Matrix difference =
      (valley_to_base(points + kStep * velocities, kKappa) - valley_to_base(points - kStep * velocities, kKappa)) /
      (2 * kStep);
  const Matrix exact = valley_push(points, velocities, kKappa);
  // An error of kStep² times third derivatives, each derivative of the scale bringing at most log κ / width.
  EXPECT_LE((difference - exact).norm(), kStep * kStep * std::pow(std::log(kKappa) / 0.25, 3) * exact.norm());
}

}  // namespace
}  // namespace pullback
