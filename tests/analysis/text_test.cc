#include "pullback/analysis/text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pullback {
namespace {

TEST(FormatLength, ShowsTheDigitsThatAreKnown) {
  EXPECT_EQ(format_length(2.167731273475, 4e-7), "2.1677313 ± 4e-07");
  EXPECT_EQ(format_length(7.2, 0), "7.2 ± 0");
  EXPECT_EQ(format_length(45.3, 30), "45.3 ± 3e+01");
  EXPECT_EQ(format_length(std::nan(""), 1), "-");
}

TEST(RoundedToDigits, KeepsWhatIsNotFinite) {
  EXPECT_EQ(rounded_to_digits(1234567), 1235000);
  EXPECT_EQ(rounded_to_digits(-0.00123456, 2), -0.0012);
  EXPECT_EQ(rounded_to_digits(INFINITY), INFINITY);
  EXPECT_TRUE(std::isnan(rounded_to_digits(std::nan(""))));
}

TEST(FormatCounts, NamesEach) {
  EXPECT_EQ(format_counts({{"stalled", 2}, {"converged", 10}}), "10 converged, 2 stalled");
  EXPECT_EQ(format_counts({}), "");
}

TEST(Table, AlignsByCharacters) {
  Table table({"name", "κ"});
  table.add({"x", "10"});
  table.add({"longer", "µ"});
  EXPECT_EQ(table.str(), "name     κ\nx       10\nlonger   µ\n");
}

TEST(Wrap, BreaksAtSpaces) {
  EXPECT_EQ(wrap("one two three four", 12, 2), "one two\n  three four");
  EXPECT_EQ(wrap("unbreakable", 4, 2), "unbreakable");
}

}  // namespace
}  // namespace pullback
