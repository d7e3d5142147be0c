// What is wrong with the input is said in one clear line, with the documented exit status and nothing half-written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "tool.h"

namespace pullback::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct BadInput {
  std::string name;
  int status;
  std::string message;  // in the first line of standard error
  // The arguments; files that they need are put into the folder.
  std::function<std::vector<std::string>(const Folder&)> arguments;
};

void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

class BadInputTest : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, IsSaidInOneClearLine) {
  const Folder folder;
  const auto arguments = GetParam().arguments(folder);
  const auto before = folder.list();

  const Finished finished = run_tool(arguments);

  EXPECT_EQ(finished.status, GetParam().status) << finished.err;
  EXPECT_THAT(finished.out, IsEmpty());
  const std::string first = finished.err.substr(0, finished.err.find('\n'));
  EXPECT_THAT(first, HasSubstr(GetParam().message));
  EXPECT_THAT(first, ::testing::StartsWith("pullback: "));
  EXPECT_LE(count(finished.err, "\n"), 6) << finished.err;
  EXPECT_EQ(folder.list(), before) << "something was written";
}

using Arguments = std::vector<std::string>;

BadInput usage(std::string name, const Arguments& arguments, std::string message) {
  return {std::move(name), 2, std::move(message), [arguments](const Folder&) { return arguments; }};
}

// `pullback geodesic sphere` with more arguments.
BadInput geodesic(std::string name, const Arguments& more, std::string message) {
  Arguments arguments = {"geodesic", "sphere"};
  if (std::ranges::find(more, "--solver") == more.end()) arguments.insert(arguments.end(), {"--solver", "energy"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return usage(std::move(name), arguments, std::move(message));
}

// `pullback geodesic sphere --pairs FILE`, and where it should write.
BadInput pairs(std::string name, const std::string& content, std::string message) {
  return {std::move(name), 3, std::move(message), [content](const Folder& folder) {
            return Arguments{"geodesic", "sphere",           "--solver",
                             "energy",   "--pairs",          folder.put("pairs.csv", content),
                             "--json",   folder / "out.json"};
          }};
}

// `pullback geodesic FILE`.
BadInput model(std::string name, const std::string& file, const std::function<std::string()>& content,
               std::string message) {
  return {std::move(name), 3, std::move(message), [file, content](const Folder& folder) {
            return Arguments{"geodesic", folder.put(file, content()), "--from", "0,0", "--to", "1,1", "--solver",
                             "energy"};
          }};
}

// Writing to a place in the folder that cannot be written.
BadInput unwritable(std::string name, const Arguments& arguments, const std::string& place, std::string message) {
  return {std::move(name), 3, std::move(message), [arguments, place](const Folder& folder) {
            folder.put("file", "");
            Arguments all = arguments;
            all.push_back(folder / place);
            return all;
          }};
}

std::string shipped() { return read_file(std::string(PULLBACK_MODELS_FOLDER) + "/mnist-vae.safetensors"); }

std::string corrupted() {
  std::string bytes = shipped();
  for (std::size_t i = 8; i < 400; ++i) bytes[i] = static_cast<char>(i * 37);
  return bytes;
}

const std::vector<BadInput>& command_lines() {
  static const std::vector<BadInput> cases = {
      usage("NoCommand", {}, "no command given"),
      usage("UnknownCommand", {"geodesics"}, "unknown command \"geodesics\""),
      usage("UnknownStudy", {"study", "nosuch"}, "unknown study \"nosuch\", expected one of uncertainty, conditioning"),
      usage("UnknownFlag", {"solvers", "--yaml"}, "--yaml"),
      usage("NoGenerator", {"geodesic"}, "GENERATOR is required"),
      usage("UnknownGenerator", {"geodesic", "klein-bottle", "--from", "0,0", "--to", "1,1", "--solver", "energy"},
            "klein-bottle"),
      usage("UnknownParameter", {"geodesic", "torus:Q=3", "--from", "0,0", "--to", "1,1", "--solver", "energy"}, "Q"),
      usage("ParameterNotANumber", {"geodesic", "torus:R=big", "--from", "0,0", "--to", "1,1", "--solver", "energy"},
            "big"),
      usage("CompareUnknownSolver", {"compare", "sphere", "--solver", "newtonish"}, "newtonish"),
      usage("CompareUnknownGenerator", {"compare", "klein-bottle", "--solver", "energy"}, "klein-bottle"),
      usage("InspectBoxReversed", {"inspect", "sphere", "--box", "2,1"}, "--box: expected LO,HI"),
      usage("InspectBoxNegativeReversed", {"inspect", "sphere", "--box", "-1,-2"}, "--box: expected LO,HI"),
      usage("InspectGridOfOne", {"inspect", "sphere", "--grid", "1"}, "--grid"),
      geodesic("NoEnds", {}, "end points are missing"),
      geodesic("NoTo", {"--from", "0,0"}, "end points are missing"),
      geodesic("PairsAndFrom", {"--from", "0,0", "--pairs", "x.csv"}, "expected one of them"),
      geodesic("NaN", {"--from", "nan,0", "--to", "1,1"}, "--from: coordinate 1 is NaN"),
      geodesic("Infinite", {"--from", "1,0", "--to", "1,inf"}, "--to: coordinate 2 is infinite"),
      geodesic("NegativeInfinite", {"--from", "-inf,0", "--to", "1,1"}, "--from: coordinate 1 is infinite"),
      geodesic("TooLarge", {"--from", "1e999,0", "--to", "1,1"}, "--from: coordinate 1 is infinite"),
      geodesic("TooSmall", {"--from", "1e-400,0", "--to", "1,1"}, "--from: coordinate 1 underflows to 0: 1e-400"),
      geodesic("Words", {"--from", "1,north", "--to", "1,1"}, "\"north\""),
      geodesic("TooFewCoordinates", {"--from", "1", "--to", "1,1"}, "--from: expected 2 coordinates"),
      geodesic("TooManyCoordinates", {"--from", "1,1", "--to", "1,1,1"}, "--to: expected 2 coordinates"),
      geodesic("UnknownSolver", {"--from", "1,1", "--to", "1,2", "--solver", "magic"}, "magic"),
      geodesic("UnknownOption", {"--from", "1,1", "--to", "1,2", "--solver", "energy:nods=3"}, "nods"),
      geodesic("OptionNotANumber", {"--from", "1,1", "--to", "1,2", "--solver", "energy:nodes=many"}, "many"),
      geodesic("OptionOutOfRange", {"--from", "1,1", "--to", "1,2", "--solver", "energy:nodes=-4"}, "nodes"),
      geodesic("EmptyStage", {"--from", "1,1", "--to", "1,2", "--solver", "energy+"}, "energy+"),
      geodesic("OneSample", {"--from", "1,1", "--to", "1,2", "--samples", "1"}, "--samples"),
      geodesic("SamplesNotANumber", {"--from", "1,1", "--to", "1,2", "--samples", "few"}, "--samples"),
      geodesic("NoThreads", {"--from", "1,1", "--to", "1,2", "--threads", "0"}, "--threads"),
      geodesic("NegativeTime", {"--from", "1,1", "--to", "1,2", "--time-limit", "-1"}, "--time-limit"),
      geodesic("AccuracyZero", {"--from", "1,1", "--to", "1,2", "--accuracy", "0"}, "--accuracy"),
      geodesic("AccuracyOfAHalf", {"--from", "1,1", "--to", "1,2", "--accuracy", "0.5"}, "--accuracy"),
      geodesic("TimeNaN", {"--from", "1,1", "--to", "1,2", "--time-limit", "nan"}, "--time-limit"),
  };
  return cases;
}

const std::vector<BadInput>& files() {
  static const std::vector<BadInput> cases = {
      {"NoPairsFile", 3, "absent.csv: cannot be read",
       [](const Folder& f) {
         return Arguments{"geodesic", "sphere", "--solver", "energy", "--pairs", f / "absent.csv"};
       }},
      {"PairsAreAFolder", 3, "is a folder",
       [](const Folder& f) {
         return Arguments{"geodesic", "sphere", "--solver", "energy", "--pairs", f.path().string()};
       }},
      pairs("EmptyPairs", "", "has no rows"),
      pairs("OnlyAHeader", "a,b,c,d\n\n", "has no rows"),
      pairs("RaggedPairs", "1,1,2,2\n1,1,2\n", "pairs.csv:2: expected 4 numbers"),
      pairs("WidePairs", "1,1,2,2,3\n", "pairs.csv:1: expected 4 numbers"),
      pairs("NaNInPairs", "# comment\n1,1,nan,2\n", "pairs.csv:2: field 3 is NaN"),
      pairs("InfinityInPairs", "1,1,2,-inf\n", "pairs.csv:1: field 4 is infinite"),
      pairs("WordInPairs", "1,1,2,2\n1,1,two,2\n", "pairs.csv:2: field 3 is not a number: \"two\""),
      pairs("UnprintableField", std::string("1,1,2,2\n1,1,t\0w\x1b,2\n", 19), "field 3 is not a number: \"t?w?\""),
      pairs("EmptyField", "1,1,,2\n", "pairs.csv:1: field 3 is not a number"),
      pairs("BinaryPairs", std::string("\x00\x01\x02\xff,\x1b[2J", 9), "pairs.csv:1: expected 4 numbers"),
      model(
          "NotAModel", "m.safetensors", [] { return "not a model at all"; }, "m.safetensors"),
      model(
          "EmptyModel", "m.safetensors", [] { return ""; }, "m.safetensors"),
      model(
          "TruncatedModel", "m.safetensors", [] { return shipped().substr(0, 5000); }, "m.safetensors"),
      model("CorruptedModel", "m.safetensors", corrupted, "m.safetensors"),
      model(
          "NotTorchScript", "m.pt", [] { return "PK\x03\x04 not TorchScript"; }, "m.pt"),
      model(
          "EmptyTorchScript", "m.pt", [] { return ""; }, "m.pt"),
      {"NoTorchScriptFile", 3, "absent.pt",
       [](const Folder& f) {
         return Arguments{"inspect", f / "absent.pt"};
       }},
      {"NoModelFile", 3, "absent.safetensors",
       [](const Folder& f) {
         return Arguments{"inspect", f / "absent.safetensors"};
       }},
      {"NoPlugin", 3, "absent.so",
       [](const Folder& f) {
         return Arguments{"solvers", "--plugin", f / "absent.so"};
       }},
      {"PluginIsText", 3, "plugin.so",
       [](const Folder& f) {
         return Arguments{"solvers", "--plugin", f.put("plugin.so", "not a shared object")};
       }},
      {"RaggedDistances", 3, "points.csv:2",
       [](const Folder& f) {
         return Arguments{"distances", "sphere", f.put("points.csv", "1,1\n1\n"), "--out", f / "out.csv",
                          "--solver",  "energy"};
       }},
      unwritable("JsonInNoFolder",
                 {"geodesic", "sphere", "--from", "1,1", "--to", "1,2", "--solver", "energy", "--json"},
                 "absent/out.json", "absent/out.json: cannot be written"),
      unwritable("JsonIsAFolder",
                 {"geodesic", "sphere", "--from", "1,1", "--to", "1,2", "--solver", "energy", "--json"}, ".",
                 "cannot be written: Is a directory"),
      unwritable("CompareIntoAFile", {"compare", "sphere", "--solver", "energy", "--pairs", "1", "--out"}, "file",
                 "file: "),
      unwritable("InspectBelowAFile", {"inspect", "sphere", "--grid", "4", "--out"}, "file/deeper", "file/deeper: "),
  };
  return cases;
}

std::string name_of(const ::testing::TestParamInfo<BadInput>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(CommandLines, BadInputTest, ::testing::ValuesIn(command_lines()), name_of);
INSTANTIATE_TEST_SUITE_P(Files, BadInputTest, ::testing::ValuesIn(files()), name_of);

}  // namespace
}  // namespace pullback::cli
