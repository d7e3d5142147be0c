#include "pullback/cli/result_fields.h"

#include <algorithm>

#include "pullback/cli/seal.h"

namespace pullback::cli {

namespace {

// What stands in a result besides the result itself: its pair, and what `compare` and the studies say of it.
constexpr const char* kAround[] = {"from",
                                   "to",
                                   "pair",
                                   "solver",
                                   "solved",
                                   "length_ratio",
                                   "trace",
                                   "base",
                                   "outcome",
                                   "length_plain",
                                   "length_plain_error",
                                   "z_plain",
                                   "seal"};

bool is_around(const std::string& key) { return std::ranges::find(kAround, key) != std::end(kAround); }

// A number may be written as null, where there is none.
bool same_kind(const Json& written, const Json& example) {
  if (example.is_number() || example.is_null()) return written.is_number() || written.is_null();
  if (example.is_structured()) return written.is_structured();
  return written.type() == example.type();
}

std::string kind_of(const Json& example) {
  if (example.is_number() || example.is_null()) return "a number or null";
  return example.is_string() ? "text" : example.type_name();
}

void check_object(const Json& written, const Json& example, const std::string& prefix, std::vector<Finding>& findings) {
  for (const auto& [key, value] : written.items()) {
    if (example.contains(key) || (prefix.empty() && is_around(key))) continue;
    findings.push_back({prefix + key, quote(value), "no such field"});
  }
  for (const auto& [key, value] : example.items()) {
    if (!written.contains(key)) continue;  // found missing where it is needed
    if (!same_kind(written[key], value)) {
      findings.push_back({prefix + key, quote(written[key]), kind_of(value)});
    } else if (value.is_object() && written[key].is_object() && key != "curve" && key != "nodes") {
      check_object(written[key], value, prefix + key + ".", findings);
    }
  }
}

}  // namespace

std::vector<Finding> check_fields(const JsonView& result, std::size_t index, const std::string& solver) {
  std::vector<Finding> findings;
  if (!result.json().is_object()) result.fail("an object");
  check_object(result.json(), as_json(GeodesicResult(), 2), "", findings);
  const std::string seal = seal_of_result(result.json(), index, solver);
  const Json written = result.has("seal") ? result.at("seal").json() : Json("nothing");
  if (written != Json(seal)) {
    findings.push_back({"seal", quote(written),
                        quote(seal) + ": the solver, the ends, the message, the effort or the place in the list were "
                                      "changed since they were written"});
  }
  return findings;
}

}  // namespace pullback::cli
