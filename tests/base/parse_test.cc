#include "pullback/base/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>

namespace pullback {
namespace {

using ::testing::HasSubstr;

TEST(ParseNumber, TakesWhatPeopleWrite) {
  EXPECT_EQ(parse_number("1"), 1);
  EXPECT_EQ(parse_number(" -2.5e3\t"), -2500);
  EXPECT_EQ(parse_number("+.5"), 0.5);
  EXPECT_TRUE(std::isnan(*parse_number("nan")));
  EXPECT_EQ(parse_number("-inf"), -INFINITY);
  EXPECT_EQ(parse_number("1e999"), INFINITY);
}

TEST(ParseNumber, RefusesWhatIsNoNumber) {
  for (const char* text : {"", " ", "x", "1x", "1 2", "--1", "+-1", "0x10", "1,2"}) {
    EXPECT_EQ(parse_number(text), std::nullopt) << text;
  }
}

TEST(NumberFault, TellsUnderflowFromOverflow) {
  for (const char* text : {"1e-400", "-1e-400", "+1e-999999", "0.0000001e-320", "1e-324"}) {
    EXPECT_THAT(number_fault(text), HasSubstr("underflows to 0")) << text;
    EXPECT_EQ(parse_number(text), 0) << text;
  }
  EXPECT_THAT(number_fault("0." + std::string(400, '0') + "1"), HasSubstr("underflows to 0"));
  for (const char* text : {"1e400", "-1e400", "100e307"}) {
    EXPECT_THAT(number_fault(text), HasSubstr("overflows")) << text;
  }
  EXPECT_THAT(number_fault("1" + std::string(400, '0')), HasSubstr("overflows"));
  EXPECT_THAT(number_fault("nan"), HasSubstr("is NaN"));
  EXPECT_THAT(number_fault("-inf"), HasSubstr("is infinite"));
  for (const char* text : {"0", "-0", "1e-308", "5e-324", "1e308", "x"}) EXPECT_EQ(number_fault(text), "") << text;
}

}  // namespace
}  // namespace pullback
