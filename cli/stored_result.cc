#include "pullback/cli/stored_result.h"

#include <fmt/format.h>

#include <algorithm>

#include "pullback/cli/result_json.h"
#include "pullback/cli/seal.h"
#include "pullback/solvers/certificate.h"

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

// What stands beside the certificate must be what stands in it.
void check_duplicates(const JsonView& view, std::vector<Finding>& findings) {
  for (const char* key : {"termination", "length", "length_error", "energy"}) {
    const Json& outer = view.at(key).json();
    const Json& inner = view.at("certificate").at(key).json();
    if (outer == inner) continue;
    findings.push_back({key, shown(field_value(outer)), "in its certificate " + shown(field_value(inner))});
  }
}

CurveSamples read_samples(const JsonView& view, int dimension) {
  CurveSamples samples{view.at("t").vector(), view.at("z").columns(dimension)};
  if (samples.times.size() != samples.points.cols()) {
    view.fail(fmt::format("as many points as times, {}", samples.times.size()));
  }
  return samples;
}

Stored<PlainView> read_plain(const JsonView& view, int dimension) {
  const std::vector<JsonView> points = view.at("z_plain").list();
  if (points.size() < 2) view.at("z_plain").fail("at least 2 points");
  Stored<PlainView> plain;
  plain.value.points.resize(dimension, static_cast<Eigen::Index>(points.size()));
  for (std::size_t k = 0; k < points.size(); ++k) {
    plain.value.points.col(static_cast<Eigen::Index>(k)) = read_end(points[k], dimension);
  }
  for (const char* key : {"length_plain", "length_plain_error"}) {
    plain.fields.emplace(key, field_value(view.at(key).json()));
  }
  return plain;
}

}  // namespace

Vector read_end(const JsonView& view, int dimension) {
  Vector point = view.vector();
  if (point.size() != dimension || !point.allFinite()) view.fail(fmt::format("{} finite coordinates", dimension));
  return point;
}

void read_result(const JsonView& view, const OpenedSpace& space, bool needs_samples, StoredResult& stored,
                 std::vector<Finding>& findings) {
  const int dimension = space.dimension();
  const JsonView termination = view.at("termination");
  if (!set_by_name(termination.text(), stored.termination)) {
    findings.push_back({"termination", quote(termination.json()), "no such termination"});
  }
  if (view.has("nodes")) stored.curve = read_nodes(view.at("nodes"), dimension);
  check_duplicates(view, findings);
  if (needs_samples || view.has("curve")) stored.samples = read_samples(view.at("curve"), dimension);
  const JsonView certificate = view.at("certificate");
  certificate.at("shorter_known").number();  // what refuses everything else
  stored.certificate = read_stored<Certificate>(certificate, unmeasured_certificate());
  stored.effort = read_fields<Effort>(view.at("effort"), Reading::kPassOver);
  // On a transformed space; null where there was no time for it.
  const bool plain = !space.transformation.transforms.empty() && view.has("length_plain");
  if (plain && stored.curve && !stored.curve->empty() && !view.at("length_plain").json().is_null()) {
    stored.plain = read_plain(view, dimension);
  }
}

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
