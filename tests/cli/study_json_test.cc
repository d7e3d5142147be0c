// A comparison and results in JSON.
#include "pullback/cli/study_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "pullback/analysis/summary_fields.h"

namespace pullback::cli {
namespace {

using ::testing::IsEmpty;

TEST(SummaryJson, WritesNullForACurveThatIsMissing) {
  SolverSummary row;
  row.worst_ratio = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(fields_json(row)["worst_ratio"].is_null());
}

TEST(TraceJson, KeepsBothEndsWhenThinned) {
  std::vector<TraceEntry> trace;
  for (int i = 0; i < 1001; ++i) trace.push_back({i, 0.5 * i, 2.0});
  const Json json = trace_json(trace);
  EXPECT_LE(json.size(), 130U);
  EXPECT_EQ(json.front(), Json({0, 0.0, 2.0}));
  EXPECT_EQ(json.back(), Json({1000, 500.0, 2.0}));
}

TEST(ResultJson, NamesWhatJsonCannotSay) {
  GeodesicResult r;
  r.curve = Curve::straight(Vector::Zero(2), Vector::Ones(2));
  r.certificate.length = 1;
  r.certificate.condition.kappa_max = INFINITY;
  const Json certificate = as_json(r, 3)["certificate"];
  EXPECT_TRUE(certificate["condition"]["kappa_max"].is_null());
  EXPECT_EQ(certificate["condition"]["kappa_infinite"], true);
  EXPECT_TRUE(certificate["shorter_known"].is_null());
  const Json empty = as_json(GeodesicResult(), 3);
  EXPECT_TRUE(empty["length"].is_null());
  EXPECT_TRUE(empty["certificate"]["length"].is_null());
  EXPECT_THAT(empty["curve"]["z"], IsEmpty());
}

}  // namespace
}  // namespace pullback::cli
