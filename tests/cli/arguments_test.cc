#include "pullback/cli/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pullback::cli {
namespace {

using ::testing::ElementsAre;

TEST(ParsePoint, KeepsEveryDigit) {
  const Vector point = parse_point("0.1,-1e-300", "--from", 2);
  EXPECT_EQ(point(0), 0.1);
  EXPECT_EQ(point(1), -1e-300);
}

TEST(JoinNegativeValues, TouchesOnlyCoordinates) {
  EXPECT_THAT(join_negative_values({"geodesic", "--from", "-1,0", "--to", "1,2", "-h"}),
              ElementsAre("geodesic", "--from=-1,0", "--to", "1,2", "-h"));
  EXPECT_THAT(join_negative_values({"--from", "--to", "-inf,1", "--seed", "-1"}),
              ElementsAre("--from", "--to=-inf,1", "--seed", "-1"));
}

}  // namespace
}  // namespace pullback::cli
