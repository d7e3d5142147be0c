// Stored results: what is true is found again, and what is not is found out.
#include "pullback/analysis/verification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "pullback/analysis/comparison.h"
#include "pullback/analysis/comparison_summary.h"
#include "pullback/analysis/summary_fields.h"
#include "pullback/spaces/opener.h"

namespace pullback {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Vector kFrom = Eigen::Vector2d(1, 0);
const Vector kTo = Eigen::Vector2d(2, 2);

Opener& opener() {
  static Opener instance({});
  return instance;
}

GeodesicResult solve(const OpenedSpace& space, const std::string& chain) {
  return opener().solvers().make(chain)->solve({space.manifold, kFrom, kTo, {}, {}});
}

// Solved once: solving is not what is tested here.
const OpenedSpace& sphere() {
  static const OpenedSpace space = opener().open("sphere");
  return space;
}
const StoredResult& truth() {
  static const StoredResult result = as_stored(kFrom, kTo, solve(sphere(), "energy"));
  return result;
}

std::vector<std::string> fields(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  for (const Finding& finding : findings) names.push_back(finding.field);
  return names;
}

TEST(Verify, FindsWhatWasMeasured) {
  const Verification found = verify(sphere(), truth());
  EXPECT_THAT(fields(found.findings), IsEmpty());
  EXPECT_FALSE(found.without_curve);
  EXPECT_EQ(found.result.certificate.length, truth().certificate.value.length);
}

// One thing changed, and the field that tells.
struct Lie {
  std::string name;
  std::function<void(StoredResult& result)> change;
  std::string field;
};

void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.name; }

void set(StoredResult& result, const std::function<void(Certificate&)>& change) {
  Certificate certificate = result.certificate.value;
  change(certificate);
  result.certificate = certificate;
}

std::vector<Lie> lies() {
  return {
      {"Length", [](auto& r) { set(r, [](auto& c) { c.length *= 1 - 1e-5; }); }, "certificate.length"},
      {"LengthError", [](auto& r) { set(r, [](auto& c) { c.length_error /= 2; }); }, "certificate.length_error"},
      {"Kappa", [](auto& r) { set(r, [](auto& c) { c.condition.kappa_max = 1; }); }, "certificate.condition.kappa_max"},
      {"KappaInfinite", [](auto& r) { set(r, [](auto& c) { c.condition.kappa_max = INFINITY; }); },
       "certificate.condition.kappa_infinite"},
      {"NotKnown", [](auto& r) { set(r, [](auto& c) { c.residual = std::nan(""); }); }, "certificate.residual"},
      {"Derivatives", [](auto& r) { set(r, [](auto& c) { c.first_derivative = Derivative::kFiniteDifference; }); },
       "certificate.derivatives.first"},
      {"ShorterThanPossible", [](auto& r) { set(r, [](auto& c) { c.shorter_known = 0.1; }); },
       "certificate.shorter_known"},
      {"FieldGone", [](auto& r) { r.certificate.fields.erase("residual"); }, "certificate.residual"},
      {"FieldOfAnotherKind", [](auto& r) { r.certificate.fields["residual"] = std::string("small"); },
       "certificate.residual"},
      {"To", [](auto& r) { r.to(1) += 1e-6; }, "certificate.endpoint_error"},
      {"Termination",
       [](auto& r) {
         r.termination = Termination::kStationary;
         r.curve = Curve::straight(kFrom, kTo);
       },
       "termination"},
      {"NoCurve", [](auto& r) { r.curve.reset(); }, "nodes"},
      {"EmptyCurve", [](auto& r) { r.curve = Curve(); }, "length"},
      {"Samples",
       [](auto& r) {
         r.samples = {uniform_times(5), r.curve->position(uniform_times(5))};
         r.samples->points(0, 2) += 1e-9;
       },
       "curve.z[2]"},
      {"SampleTimes",
       [](auto& r) {
         r.samples = {Eigen::Vector3d(0, 0.6, 1), Matrix::Zero(2, 3)};
       },
       "curve.t"},
  };
}

class LieTest : public ::testing::TestWithParam<Lie> {};

TEST_P(LieTest, IsFoundOut) {
  StoredResult result = truth();
  GetParam().change(result);
  EXPECT_THAT(fields(verify(sphere(), result).findings), Contains(GetParam().field));
}

INSTANTIATE_TEST_SUITE_P(OneThing, LieTest, ::testing::ValuesIn(lies()),
                         [](const auto& info) { return info.param.name; });

TEST(Verify, JudgesWhatACurveIsCalled) {
  StoredResult result = as_stored(kFrom, kTo, solve(sphere(), "graph"));
  ASSERT_EQ(result.termination, Termination::kStalled) << "a graph's path is no geodesic";
  EXPECT_THAT(fields(verify(sphere(), result).findings), IsEmpty());
  result.termination = Termination::kConverged;
  const std::vector<Finding> findings = verify(sphere(), result).findings;
  ASSERT_THAT(fields(findings), ElementsAre("termination"));
  EXPECT_EQ(findings[0].written, "\"converged\"");
  EXPECT_THAT(findings[0].found, HasSubstr("longer than a geodesic nearby"));
}

TEST(Verify, ClaimsNothingWhereNothingWasMeasured) {
  StoredResult result = truth();
  result.termination = Termination::kTimeLimit;
  set(result, [](Certificate& c) { c = unmeasured_certificate(); });
  const Verification found = verify(sphere(), result);
  EXPECT_THAT(fields(found.findings), IsEmpty());
  EXPECT_TRUE(found.without_curve);
}

TEST(Verify, MeasuresInThePlainMetricToo) {
  const OpenedSpace space = opener().open("sphere@damp=0.1");
  const GeodesicResult solved = solve(space, "energy");
  StoredResult result = as_stored(kFrom, kTo, solved);
  PlainView plain = plain_view(space, solved.curve, 5);
  result.plain = Stored<PlainView>(plain);
  EXPECT_THAT(fields(verify(space, result).findings), IsEmpty());
  plain.length *= 1.01;
  plain.points(0, 3) = 7;
  result.plain = Stored<PlainView>(plain);
  EXPECT_THAT(fields(verify(space, result).findings), ElementsAre("length_plain", "z_plain[3]"));
}

TEST(Verify, TakesResultsOfTheSpaceOnly) {
  StoredResult result = truth();
  result.from = Vector::Zero(3);
  EXPECT_THROW(verify(sphere(), result), std::invalid_argument);
  result = truth();
  result.samples = {uniform_times(5), Matrix::Zero(2, 4)};
  EXPECT_THROW(verify(sphere(), result), std::invalid_argument);
}

TEST(Verify, TellsOfEachResultAndEndsWhenAsked) {
  const std::vector<StoredPart> parts = {{sphere(), {truth(), truth()}}, {sphere(), {}}, {sphere(), {truth()}}};
  std::vector<std::string> advanced;
  const Verifications all =
      verify(parts, {}, {.threads = 1, .advanced = [&](const std::string& solver) { advanced.push_back(solver); }});
  EXPECT_THAT(advanced, ElementsAre("energy", "energy", "energy"));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[0][0] && all[0][1] && all[2][0]);
  const Verifications none = verify(parts, {}, {.threads = 1, .should_stop = [] { return true; }});
  EXPECT_FALSE(none[0][0] || none[0][1] || none[2][0]);
}

Study comparison() {
  Study study;
  study.solvers = {"energy", "newton"};
  study.pairs = 2;
  study.seed = 1;
  study.box = {0.2, 1.8};
  add_part(study, sphere());
  std::vector<std::unique_ptr<GeodesicSolver>> solvers;
  for (const std::string& chain : study.solvers) solvers.push_back(opener().solvers().make(chain));
  run_comparison(study, solvers, {.threads = 1});
  return study;
}

TEST(VerifySummary, FollowsFromTheResults) {
  const Study study = comparison();
  const StudyPart& part = study.parts[0];
  std::vector<ResultPlace> places;
  std::vector<GeodesicResult> measured;
  FieldLister lister;
  const std::vector<double> best = best_lengths(study, part);
  for (std::size_t pair = 0; pair < 2; ++pair) {
    lister("pairs[" + std::to_string(pair) + "].best_length", best[pair]);
    for (std::size_t solver = 0; solver < 2; ++solver) {
      places.push_back({pair, solver});
      measured.push_back(*study.result(part, pair, solver));
      const std::string name = "results[" + std::to_string(2 * pair + solver) + "].";
      lister(name + "solved", is_solved(measured.back(), best[pair]));
      lister(name + "length_ratio", length_ratio(measured.back(), best[pair]));
    }
  }
  lister("summary", summarise(study, part));
  const FieldMap written(lister.fields.begin(), lister.fields.end());
  EXPECT_THAT(fields(verify_summary(study, part, places, measured, written, 1e-6)), IsEmpty());
  const std::vector<std::pair<std::string, FieldValue>> changes = {{"pairs[1].best_length", 0.5},
                                                                   {"results[0].solved", false},
                                                                   {"results[2].length_ratio", 0.9},
                                                                   {"summary[1].solved_share", 3.0},
                                                                   {"summary", ListSize{1}}};
  for (const auto& [field, value] : changes) {
    FieldMap changed = written;
    changed[field] = value;
    EXPECT_THAT(fields(verify_summary(study, part, places, measured, changed, 1e-6)), ElementsAre(field));
  }
}

TEST(VerifyPairs, AreThoseOfTheSettings) {
  Study study = comparison();
  EXPECT_THAT(fields(verify_pairs(study, study.parts[0])), IsEmpty());
  study.parts[0].pairs[1].to(0) += 1e-6;
  EXPECT_THAT(fields(verify_pairs(study, study.parts[0])), ElementsAre("pairs[1]"));
  study.seed = 2;
  EXPECT_THAT(fields(verify_pairs(study, study.parts[0])), ElementsAre("pairs[0]", "pairs[1]"));
  study.pairs = 3;
  EXPECT_THAT(fields(verify_pairs(study, study.parts[0])), ElementsAre("pairs"));
}

}  // namespace
}  // namespace pullback
