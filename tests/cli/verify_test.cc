// The command `verify`: what was written is found again, and what was tampered with is found out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tool.h"

namespace pullback::cli {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Results of the tool, made once: solving is not what is tested here.
const json& sphere_results() {
  static const json results = [] {
    const Folder folder;
    const std::string pairs = folder.put("pairs.csv", "1,0,2,2\n1,0.1,1.2,0.9\n");
    run_tool({"geodesic", "sphere", "--pairs", pairs, "--solver", "energy", "--json", folder / "out.json"});
    return json::parse(read_file(folder / "out.json"));
  }();
  return results;
}

const json& comparison() {
  static const json results = [] {
    const Folder folder;
    run_tool({"compare", "sphere", "half-plane", "--solver", "energy", "--solver", "energy:nodes=8,max_nodes=8",
              "--pairs", "2", "--out", folder / "out"});
    return json::parse(read_file(folder / "out/results.json"));
  }();
  return results;
}

struct Verified {
  Finished finished;
  std::vector<std::string> fields;  // of all findings, in their order
};

Verified verify(const json& results, std::vector<std::string> more = {}) {
  const Folder folder;
  std::vector<std::string> arguments = {"verify", folder.put("results.json", results.dump()), "--json",
                                        folder / "findings.json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Verified verified{run_tool(arguments), {}};
  if (verified.finished.status > 1) return verified;
  const json all = json::parse(read_file(folder / "findings.json"));
  for (const json& result : all["results"]) {
    for (const json& finding : result["findings"]) verified.fields.push_back(finding["field"]);
  }
  for (const json& finding : all["summary"]) verified.fields.push_back(finding["field"]);
  return verified;
}

TEST(Verify, FindsWhatTheToolWrote) {
  const Verified verified = verify(sphere_results());
  EXPECT_EQ(verified.finished.status, 0) << verified.finished.out << verified.finished.err;
  EXPECT_EQ(verified.finished.out, "2 of 2 results verified\n");
}

TEST(Verify, FindsAComparison) {
  const Verified verified = verify(comparison());
  EXPECT_EQ(verified.finished.status, 0) << verified.finished.out << verified.finished.err;
  EXPECT_EQ(verified.finished.out, "8 of 8 results verified\n");
}

TEST(Verify, FindsMetricsWithoutAMapAndIllConditionedCharts) {
  const std::vector<std::vector<std::string>> problems = {{"half-plane", "0,1", "3,2"},
                                                          {"sheared-sphere:s=1e6", "-1999998,2", "1,0"},
                                                          {"linear:k=8", "0,0", "0.5,1.5"},
                                                          {"collapsed-disc", "-2,0", "0,2"},
                                                          {"half-plane", "0,-1", "3,2"}};
  for (const auto& problem : problems) {
    const json results = json::parse(run_tool({"geodesic", problem[0], "--from", problem[1], "--to", problem[2],
                                               "--solver", "energy", "--json", "-"})
                                         .out);
    const Verified verified = verify(results);
    EXPECT_EQ(verified.finished.status, 0) << problem[0] << ": " << verified.finished.out << verified.finished.err;
  }
}

TEST(Verify, NodesBringBackTheSameNumbers) {
  const json again = json::parse(sphere_results().dump());
  EXPECT_EQ(again, sphere_results());
  const json& result = again["results"][0];
  EXPECT_EQ(result["nodes"]["z"].front(), result["from"]);
  EXPECT_EQ(result["nodes"]["z"].back(), result["to"]);
  EXPECT_EQ(result["nodes"]["z"].size(), result["nodes"]["velocity"].size());
}

// One thing changed, and the field that tells.
struct Tampering {
  std::string name;
  std::function<void(json& result)> change;  // of the first result
  std::string field;
};

void PrintTo(const Tampering& tampering, std::ostream* out) { *out << tampering.name; }

// Pushes the curve sideways by a bump of this height, samples and nodes alike, which is a consistent lie.
void bend(json& result, double height) {
  const auto push = [&](json& t, json& z) {
    for (std::size_t i = 0; i < t.size(); ++i) {
      z[i][0] = double(z[i][0]) + height * std::sin(M_PI * double(t[i]));
    }
  };
  push(result["nodes"]["t"], result["nodes"]["z"]);
  for (std::size_t i = 0; i < result["nodes"]["t"].size(); ++i) {
    json& v = result["nodes"]["velocity"][i][0];
    v = double(v) + height * M_PI * std::cos(M_PI * double(result["nodes"]["t"][i]));
  }
}

void set(json& result, const char* key, double value) { result[key] = result["certificate"][key] = value; }

const std::vector<Tampering>& tamperings() {
  static const std::vector<Tampering> cases = {
      {"Sample", [](json& r) { r["curve"]["z"][50][0] = double(r["curve"]["z"][50][0]) + 1e-9; }, "curve.z[50]"},
      {"SampleNull", [](json& r) { r["curve"]["z"][50][0] = nullptr; }, "curve.z[50]"},
      {"SampleTimes", [](json& r) { r["curve"]["t"][50] = 0.503; }, "curve.t"},
      {"NoSamples",
       [](json& r) {
         r["curve"] = {{"t", json::array()}, {"z", json::array()}};
       },
       "curve"},
      {"Node", [](json& r) { r["nodes"]["z"][9][0] = double(r["nodes"]["z"][9][0]) + 1e-3; }, "certificate.length"},
      {"NodeNull", [](json& r) { r["nodes"]["z"][9][0] = nullptr; }, "certificate.length"},
      {"Bent", [](json& r) { bend(r, 0.05); }, "termination"},
      {"SlightlyBent", [](json& r) { bend(r, 1e-3); }, "certificate.relative_excess"},
      {"EndOfTheCurve", [](json& r) { r["nodes"]["z"].back()[1] = 2.001; }, "certificate.endpoint_error"},
      {"From", [](json& r) { r["from"][0] = 1.01; }, "termination"},
      {"To", [](json& r) { r["to"][1] = 2 + 1e-6; }, "certificate.endpoint_error"},
      {"Length", [](json& r) { set(r, "length", double(r["length"]) * (1 - 1e-5)); }, "certificate.length"},
      {"LengthOutside", [](json& r) { r["length"] = 1.5; }, "length"},
      {"LengthError", [](json& r) { set(r, "length_error", double(r["length_error"]) / 2); },
       "certificate.length_error"},
      {"Energy", [](json& r) { set(r, "energy", double(r["energy"]) * 1.01); }, "certificate.energy"},
      {"SecondVariation", [](json& r) { r["certificate"]["second_variation"] = 9; }, "certificate.second_variation"},
      {"Kappa", [](json& r) { r["certificate"]["condition"]["kappa_max"] = 1.0; }, "certificate.condition.kappa_max"},
      {"Degenerate", [](json& r) { r["certificate"]["condition"]["degenerate"] = true; },
       "certificate.condition.degenerate"},
      {"FieldGone", [](json& r) { r["certificate"].erase("relative_excess"); }, "certificate.relative_excess"},
      {"FieldNull", [](json& r) { r["certificate"]["residual"] = nullptr; }, "certificate.residual"},
      {"TerminationOutside", [](json& r) { r["termination"] = "stalled"; }, "termination"},
      {"TerminationUnknown", [](json& r) { r["termination"] = r["certificate"]["termination"] = "perfect"; },
       "termination"},
      {"ShorterThanPossible", [](json& r) { r["certificate"]["shorter_known"] = 0.1; }, "certificate.shorter_known"},
      {"NodesGone", [](json& r) { r.erase("nodes"); }, "nodes"},
  };
  return cases;
}

class TamperingTest : public ::testing::TestWithParam<Tampering> {};

TEST_P(TamperingTest, IsFoundOut) {
  json results = sphere_results();
  GetParam().change(results["results"][0]);
  const Verified verified = verify(results);
  EXPECT_EQ(verified.finished.status, 1) << verified.finished.err;
  EXPECT_THAT(verified.fields, ::testing::Contains(GetParam().field)) << verified.finished.out;
  EXPECT_THAT(verified.finished.out,
              HasSubstr("results[0] (\"sphere\", \"energy\"): " + GetParam().field + ": written "));
  EXPECT_THAT(verified.finished.out, HasSubstr("1 of 2 results verified, 1 not\n"));
}

INSTANTIATE_TEST_SUITE_P(OneField, TamperingTest, ::testing::ValuesIn(tamperings()),
                         [](const auto& info) { return info.param.name; });

// A curve that is no geodesic, certificate and all, called one: only the judgement can tell.
TEST(Verify, AStalledCurveCalledConvergedIsFoundOut) {
  json results = json::parse(
      run_tool({"geodesic", "sphere", "--from", "1,0", "--to", "2,2", "--solver", "graph", "--json", "-"}).out);
  json& result = results["results"][0];
  ASSERT_EQ(result["termination"], "stalled") << "a graph's path is no geodesic";
  EXPECT_EQ(verify(results).finished.status, 0);
  result["termination"] = result["certificate"]["termination"] = "converged";
  const Verified verified = verify(results);
  EXPECT_EQ(verified.finished.status, 1);
  EXPECT_THAT(verified.fields, ElementsAre("termination"));
  EXPECT_THAT(verified.finished.out, HasSubstr("longer than a geodesic nearby"));
}

TEST(Verify, ASaddleCalledAMinimumIsFoundOut) {
  json results = json::parse(
      run_tool({"geodesic", "torus:R=3,r=1", "--from", "0,0", "--to", "0,1.8", "--solver", "energy", "--json", "-"})
          .out);
  json& result = results["results"][0];
  ASSERT_EQ(result["termination"], "stationary");
  EXPECT_EQ(verify(results).finished.status, 0);
  result["termination"] = result["certificate"]["termination"] = "converged";
  EXPECT_THAT(verify(results).fields, ElementsAre("termination"));
}

TEST(Verify, AnotherGeneratorIsFoundOut) {
  json results = sphere_results();
  results["generator"] = "sphere-scaled:epsilon=0.9";
  EXPECT_EQ(verify(results).finished.status, 1);
  EXPECT_EQ(verify(results, {"--generator", "sphere"}).finished.status, 0) << "--generator says what to open";
}

TEST(Verify, TheSummaryOfAComparisonFollowsFromItsResults) {
  const std::vector<std::pair<std::string, std::function<void(json&)>>> changes = {
      {"generators[0].pairs[1].best_length", [](json& part) { part["pairs"][1]["best_length"] = 0.5; }},
      {"generators[0].results[0].solved", [](json& part) { part["results"][0]["solved"] = false; }},
      {"generators[0].results[2].length_ratio", [](json& part) { part["results"][2]["length_ratio"] = 0.9; }},
      {"generators[0].summary[1].solved", [](json& part) { part["summary"][1]["solved"] = 3; }},
      {"generators[0].summary[0].terminations.converged",
       [](json& part) { part["summary"][0]["terminations"] = json::object(); }},
      {"generators[0].summary[0].median_evaluations", [](json& part) { part["summary"][0]["median_evaluations"] = 1; }},
  };
  for (const auto& [field, change] : changes) {
    json results = comparison();
    change(results["generators"][0]);
    const Verified verified = verify(results);
    EXPECT_EQ(verified.finished.status, 1) << field;
    EXPECT_THAT(verified.fields, ElementsAre(field));
  }
}

// What no curve shows: who made it, from which settings, and whether all of it is there.
TEST(Verify, WhatIsNotMeasuredIsFoundOutToo) {
  using Change = std::function<void(json&)>;
  const std::vector<std::pair<std::string, Change>> of_results = {
      {"results", [](json& all) { all["results"] = json::array(); }},
      {"seal", [](json& all) { all["results"].push_back(all["results"][0]); }},
      {"seal", [](json& all) { all["results"].erase(1); }},
      {"seal", [](json& all) { all["solver"] = "newton"; }},
      {"seal", [](json& all) { all["results"][0]["message"] = "all is well"; }},
      {"seal", [](json& all) { all["results"][0]["effort"]["iterations"] = 1; }},
      {"seal", [](json& all) { all["results"][1].erase("seal"); }},
      {"seal", [](json& all) { all.erase("seal"); }},
      {"proven", [](json& all) { all["results"][0]["proven"] = true; }},
      {"certificate.grade", [](json& all) { all["results"][0]["certificate"]["grade"] = "A"; }},
      {"message", [](json& all) { all["results"][0]["message"] = 1; }},
      {"transforms", [](json& all) { all["transforms"] = json::array(); }},
  };
  const std::vector<std::pair<std::string, Change>> of_comparison = {
      {"generators", [](json& all) { all["generators"] = json::array(); }},
      {"complete", [](json& all) { all["generators"][0]["results"].erase(3); }},
      {"pair", [](json& all) { all["generators"][1]["results"][3] = all["generators"][1]["results"][0]; }},
      {"generators[0].pairs[0]", [](json& all) { all["settings"]["seed"] = 2; }},
      {"settings.solvers", [](json& all) { all["settings"]["solvers"] = json::array(); }},
      {"generators[0].results[0].solver", [](json& all) { all["generators"][0]["results"][0]["solver"] = "newton"; }},
      {"generators[1].latent_dimension", [](json& all) { all["generators"][1]["latent_dimension"] = 3; }},
      {"seal", [](json& all) { all["complete"] = false; }},
      {"seal", [](json& all) { all["settings"]["time_limit"] = 1; }},
  };
  const auto expect_found = [](json results, const std::string& field, const Change& change) {
    change(results);
    const Verified verified = verify(results);
    EXPECT_EQ(verified.finished.status, 1) << field << verified.finished.err;
    EXPECT_THAT(verified.fields, ::testing::Contains(field)) << verified.finished.out;
  };
  for (const auto& [field, change] : of_results) expect_found(sphere_results(), field, change);
  for (const auto& [field, change] : of_comparison) expect_found(comparison(), field, change);
}

// Whoever reads and writes a file with another program changes how its numbers look.
TEST(Verify, HowNumbersAreWrittenDoesNotMatter) {
  std::string text = comparison().dump();
  for (std::size_t at = 0; (at = text.find(".0,", at)) != std::string::npos;) text.replace(at, 3, ",");
  EXPECT_EQ(verify(json::parse(text)).finished.status, 0);
}

TEST(Verify, OneOfSeveralGeneratorsCanBeReplaced) {
  json results = comparison();
  results["generators"][0]["name"] = "round";
  EXPECT_EQ(verify(results, {"--generator", "round=sphere"}).finished.status, 0);
}

// What is not a results file at all is an error of the file, in one line.
struct BadFile {
  std::string name;
  std::string content;
  std::string message;
};

void PrintTo(const BadFile& file, std::ostream* out) { *out << file.name; }

std::string changed(const std::function<void(json&)>& change) {
  json results = sphere_results();
  change(results);
  return results.dump();
}

std::vector<BadFile> bad_files() {
  const std::string whole = sphere_results().dump();
  return {
      {"Empty", "", "is not JSON"},
      {"Truncated", whole.substr(0, whole.size() / 2), "is not JSON: wrong or cut off at byte"},
      {"NaN", R"({"generator": "sphere", "solver": "energy", "results": [NaN]})", "is not JSON"},
      {"TooLarge", R"({"generator": "sphere", "solver": "energy", "results": [1e999]})", "beyond the range"},
      {"Binary", std::string("\x00\xff\x1b[2J", 6), "is not JSON"},
      {"Deep", std::string(100'000, '['), "is not JSON"},
      {"DeepAndWhole", std::string(100'000, '[') + std::string(100'000, ']'), "an object with the key \"generator\""},
      {"TwiceAKey", R"({"generator": "sphere", "generator": "plane"})", "comes twice"},
      {"DeepWithin", R"({"generator": "sphere", "x": )" + std::string(100'000, '[') + std::string(100'000, ']') + "}",
       "nested more than 64 levels deep"},
      {"AList", "[]", "the document: expected an object with the key \"generator\", got a list"},
      {"NoResults", R"({"generator": "sphere", "solver": "energy"})", "\"results\""},
      {"UnknownGenerator", changed([](json& r) { r["generator"] = "klein-bottle"; }), "--generator"},
      {"UnknownSchema", R"({"schema": "other-1"})", "schema: expected \"pullback-compare-1\""},
      {"OtherDimension", changed([](json& r) { r["generator"] = "sphere-stereographic:d=3"; }),
       "results[0].from: expected 3 finite coordinates"},
      {"RaggedNodes", changed([](json& r) { r["results"][1]["nodes"]["z"][3] = {1}; }),
       "results[1].nodes.z[3]: expected 2 coordinates"},
      {"TimesBackwards", changed([](json& r) { r["results"][0]["nodes"]["t"][3] = 0.9; }), "times must increase"},
      {"NodesMissing", changed([](json& r) { r["results"][0]["nodes"]["z"].erase(3); }),
       "results[0].nodes: expected nodes of a curve"},
      {"WordsForNumbers", changed([](json& r) { r["results"][0]["nodes"]["z"][0][0] = "zero"; }),
       "results[0].nodes.z[0]: expected a list of numbers"},
      {"NullEnds", changed([](json& r) { r["results"][0]["from"][0] = nullptr; }), "results[0].from"},
  };
}

class BadFileTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadFileTest, IsSaidInOneClearLine) {
  const Folder folder;
  const std::string path = folder.put("results.json", GetParam().content);
  const Finished finished = run_tool({"verify", path, "--json", folder / "out.json"});
  EXPECT_EQ(finished.status, 3);
  EXPECT_THAT(finished.out, IsEmpty());
  EXPECT_EQ(count(finished.err, "\n"), 1) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr(GetParam().message));
  EXPECT_THAT(folder.list(), ElementsAre("results.json"));
}

INSTANTIATE_TEST_SUITE_P(Files, BadFileTest, ::testing::ValuesIn(bad_files()),
                         [](const auto& info) { return info.param.name; });

TEST(Verify, NeedsAFileThatIsThere) {
  EXPECT_EQ(run_tool({"verify"}).status, 2);
  EXPECT_EQ(run_tool({"verify", "absent.json"}).status, 3);
}

}  // namespace
}  // namespace pullback::cli
