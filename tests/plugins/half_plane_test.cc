// The half-plane at every scale against its closed form, d = 2 asinh(|p − q|/(2√(y₁y₂))).
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/plugins/problems.h"

namespace pullback {
namespace {

using testing::problem;
using testing::solve;

double distance(const Vector& p, const Vector& q) {
  const double root = 2 * std::sqrt(p(1)) * std::sqrt(q(1));
  return 2 * std::asinh(std::hypot((p(0) - q(0)) / root, (p(1) - q(1)) / root));
}

struct Pair {
  Vector from;
  Vector to;
};

TEST(HalfPlaneTest, LengthIsRightToNineDigitsAtEveryScale) {
  std::vector<Pair> pairs{{Vector{{0.0, 3e-5}}, Vector{{3e-5, 3e-5}}},  {Vector{{3333.0, 1.0}}, Vector{{3334.0, 1.0}}},
                          {Vector{{1e6, 1.0}}, Vector{{1e6 + 3, 2.0}}}, {Vector{{0.0, 1.0}}, Vector{{0.0, 1e-6}}},
                          {Vector{{0.0, 1e-6}}, Vector{{0.0, 1.0}}},    {Vector{{0.0, 1.0}}, Vector{{1e3, 1.0}}},
                          {Vector{{0.0, 1.0}}, Vector{{1e6, 1.0}}},     {Vector{{0.0, 1e-100}}, Vector{{0.0, 1.0}}},
                          {Vector{{0.0, 1.0}}, Vector{{0.0, 1e-150}}},  {Vector{{0.0, 1.0}}, Vector{{0.0, 1e150}}},
                          {Vector{{0.0, 1e-10}}, Vector{{3.0, 5.0}}}};
  for (const double y : {1e-150, 1e-100, 1e-12, 1e12, 1e100, 1e150}) {
    pairs.push_back({Vector{{0.0, y}}, Vector{{3 * y, 2 * y}}});
  }
  for (const Pair& pair : pairs) {
    const GeodesicResult result = solve("newton", problem(half_plane(), pair.from, pair.to));
    const double exact = distance(pair.from, pair.to);
    EXPECT_EQ(result.termination, Termination::kConverged) << pair.from.transpose() << ": " << result.message;
    EXPECT_NEAR(result.certificate.length, exact, 1e-9 * exact) << pair.from.transpose();
    EXPECT_LE(std::abs(result.certificate.length - exact), result.certificate.length_error);
  }
}

// What newton does not find is not called converged: at x = 1e6 and y = 1e-6 the spacing of doubles is seen, and ends
// may be hundreds of orders of magnitude apart.
TEST(HalfPlaneTest, WhatIsNotFoundIsNotClaimed) {
  for (const Pair& pair :
       {Pair{Vector{{1e6, 1e-6}}, Vector{{1e6 + 1, 1.0}}}, Pair{Vector{{0.0, 1e-150}}, Vector{{0.0, 1e150}}},
        Pair{Vector{{0.0, 1.0}}, Vector{{0.0, 1e15}}}}) {
    const GeodesicResult result = solve("newton", problem(half_plane(), pair.from, pair.to));
    const double exact = distance(pair.from, pair.to);
    EXPECT_TRUE(result.termination != Termination::kConverged ||
                std::abs(result.certificate.length - exact) <= 1e-9 * exact)
        << pair.from.transpose() << ": " << result.certificate.length;
  }
}

}  // namespace
}  // namespace pullback
