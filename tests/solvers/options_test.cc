#include "pullback/solvers/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace pullback {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct StubOptions {
  int nodes = 64;
  double tolerance = 1e-8;
  bool whiten = true;
  std::string method = "newton";

  template <class V>
  void visit(V&& visit) {
    visit("nodes", nodes, "chords of the curve", 2, 1000);
    visit("tolerance", tolerance, "relative decrement", 0, 1);
    visit("whiten", whiten, "use the metric's chart");
    visit("method", method, "how steps are found", {"newton", "gradient"});
  }
};

struct UnboundedOptions {
  double shift = 0;
  int count = 0;
  template <class V>
  void visit(V&& visit) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    visit("shift", shift, "any number", -kInfinity, kInfinity);
    visit("count", count, "not negative", 0, kInfinity);
  }
};

struct NoOptions {
  template <class V>
  void visit(V&&) {}
};

StubOptions parse(const OptionValues& values) { return parse_options<StubOptions>("stub", values); }

void expect_refused(const OptionValues& values, const std::vector<std::string>& parts) {
  try {
    parse(values);
    ADD_FAILURE() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("'stub'"));
    for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(Options, KeepTheirDefaultsWithoutValues) {
  const StubOptions options = parse({});
  EXPECT_EQ(options.nodes, 64);
  EXPECT_EQ(options.tolerance, 1e-8);
  EXPECT_TRUE(options.whiten);
  EXPECT_EQ(options.method, "newton");
}

TEST(Options, TakeEveryType) {
  const StubOptions options =
      parse({{"nodes", "128"}, {"tolerance", "2.5e-3"}, {"whiten", "false"}, {"method", "gradient"}});
  EXPECT_EQ(options.nodes, 128);
  EXPECT_EQ(options.tolerance, 2.5e-3);
  EXPECT_FALSE(options.whiten);
  EXPECT_EQ(options.method, "gradient");
}

TEST(Options, TakeTheirBounds) {
  EXPECT_EQ(parse({{"nodes", "2"}}).nodes, 2);
  EXPECT_EQ(parse({{"nodes", "1000"}}).nodes, 1000);
  EXPECT_EQ(parse({{"tolerance", "0"}}).tolerance, 0);
}

TEST(Options, RefuseUnknownKeysAndListTheKnownOnes) {
  expect_refused({{"node", "3"}}, {"'node'", "nodes, tolerance, whiten, method"});
  EXPECT_THAT(
      [] {
        parse_options<NoOptions>("bare", {{"x", "1"}});
      },
      ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("'bare'"), HasSubstr("none"))));
}

TEST(Options, RefuseWholeNumbersThatAreNot) {
  for (const char* text : {"", "x", "3.5", "3x", " 3", "1e2", "99999999999999", "1", "1001", "-5", "nan"}) {
    SCOPED_TRACE(text);
    expect_refused({{"nodes", text}}, {"'nodes'", "a whole number from 2 to 1000", std::string("'") + text + "'"});
  }
}

TEST(Options, RefuseNumbersThatAreNot) {
  for (const char* text : {"", "x", "1e-8x", "nan", "inf", "-1e-9", "1.5", "1e999"}) {
    SCOPED_TRACE(text);
    expect_refused({{"tolerance", text}}, {"'tolerance'", "a number from 0 to 1", std::string("'") + text + "'"});
  }
}

TEST(Options, RefuseInfinityWhereThereIsNoBound) {
  EXPECT_EQ(parse_options<UnboundedOptions>("u", {{"shift", "-1e300"}}).shift, -1e300);
  EXPECT_THAT(
      [] {
        parse_options<UnboundedOptions>("u", {{"shift", "inf"}});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("expected a number, got 'inf'")));
  EXPECT_THAT(
      [] {
        parse_options<UnboundedOptions>("u", {{"count", "-1"}});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("expected a whole number of at least 0, got '-1'")));
}

TEST(Options, RefuseOtherThanTrueAndFalse) {
  expect_refused({{"whiten", "yes"}}, {"'whiten'", "true or false", "'yes'"});
}

TEST(Options, RefuseOtherThanTheChoices) {
  expect_refused({{"method", "magic"}}, {"'method'", "one of newton, gradient", "'magic'"});
}

TEST(Options, AreListedWithTypesDefaultsAndBounds) {
  const std::vector<OptionInfo> options = list_options<StubOptions>();
  ASSERT_EQ(options.size(), 4u);
  EXPECT_EQ(options[0].name, "nodes");
  EXPECT_EQ(options[0].type, "int");
  EXPECT_EQ(options[0].default_value, "64");
  EXPECT_EQ(options[0].description, "chords of the curve");
  EXPECT_EQ(options[0].minimum, 2);
  EXPECT_EQ(options[0].maximum, 1000);
  EXPECT_EQ(options[1].type, "double");
  EXPECT_EQ(options[1].default_value, "1e-08");
  EXPECT_EQ(options[2].type, "bool");
  EXPECT_EQ(options[2].default_value, "true");
  EXPECT_EQ(options[3].type, "choice");
  EXPECT_EQ(options[3].default_value, "newton");
  EXPECT_THAT(options[3].choices, ElementsAre("newton", "gradient"));
}

// What a listing prints can be typed back.
TEST(Options, ListedDefaultsParseToThemselves) {
  OptionValues values;
  for (const OptionInfo& info : list_options<StubOptions>()) values[info.name] = info.default_value;
  const StubOptions options = parse(values);
  EXPECT_EQ(options.nodes, StubOptions().nodes);
  EXPECT_EQ(options.tolerance, StubOptions().tolerance);
  EXPECT_EQ(options.whiten, StubOptions().whiten);
  EXPECT_EQ(options.method, StubOptions().method);
}

}  // namespace
}  // namespace pullback
