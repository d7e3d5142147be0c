#include "pullback/base/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pullback {
namespace {

TEST(WilsonInterval, AgreesWithItsClosedForm) {
  constexpr double kZ2 = 1.959963984540054 * 1.959963984540054;
  const Interval none = wilson_interval(0, 10);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, kZ2 / (10 + kZ2), 1e-15);
  const Interval all = wilson_interval(10, 10);
  EXPECT_NEAR(all.low, 10 / (10 + kZ2), 1e-15);
  EXPECT_EQ(all.high, 1);
  const Interval half = wilson_interval(5, 10);
  EXPECT_NEAR(half.low + half.high, 1, 1e-15);
  EXPECT_NEAR(half.high - half.low, std::sqrt(kZ2 / (10 + kZ2)), 1e-15);
  // The ends are where the score test just rejects: |p̂ − p| = z √(p(1−p)/n).
  const Interval most = wilson_interval(8, 10);
  for (const double p : {most.low, most.high}) EXPECT_NEAR(std::pow(0.8 - p, 2), kZ2 * p * (1 - p) / 10, 1e-15);
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

TEST(Quantile, IsLinearBetweenValues) {
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0), 1);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 1), 4);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
  EXPECT_EQ(quantile({-INFINITY, 1}, 0.5), -INFINITY);
  EXPECT_EQ(quantile({1, INFINITY}, 0.5), INFINITY);
}

}  // namespace
}  // namespace pullback
