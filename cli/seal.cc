#include "pullback/cli/seal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

namespace pullback::cli {

namespace {

// The members of an object in the order of their keys, which programs write in orders of their own.
std::map<std::string, const Json*> members(const Json& object) {
  std::map<std::string, const Json*> sorted;
  if (!object.is_object()) return sorted;
  for (const auto& [key, value] : object.items()) sorted.emplace(key, &value);
  return sorted;
}

// The 64-bit hash of Fowler, Noll and Vo (FNV-1a), over a text that does not depend on how the JSON was written.
class Hash {
 public:
  void add(const Json& json) {
    if (json.is_number()) return add(fmt::format("{:.17g};", json.get<double>()));  // 5 and 5.0 are one number
    if (!json.is_structured()) return add(json.dump(-1, ' ', true, Json::error_handler_t::replace) + ";");
    add(json.is_array() ? "[" : "{");
    if (json.is_array()) {
      for (const Json& value : json) add(value);
    }
    for (const auto& [key, value] : members(json)) {
      if (key.ends_with("seconds")) continue;
      add(key + "\n");
      add(*value);
    }
    add("]");
  }

  std::string text() const { return fmt::format("{:016x}", state_); }

 private:
  void add(std::string_view text) {
    for (const char c : text) state_ = (state_ ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(const char* text) { add(std::string_view(text)); }

  std::uint64_t state_ = 14695981039346656037U;
};

// When, where and how fast the work was done. Two runs with the same results have the same seals.
constexpr const char* kCircumstances[] = {"created", "command", "environment", "threads", "overview"};

bool is_circumstance(const std::string& key) {
  return std::ranges::find(kCircumstances, key) != std::end(kCircumstances);
}

// What a solver alone knows of a result.
constexpr const char* kOwnFields[] = {"from", "to", "pair", "message", "effort", "base", "outcome"};
constexpr const char* kUnmeasured[] = {"shorter_known"};

Json pick(const Json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key] : Json(nullptr);
}

}  // namespace

std::string seal_of_result(const Json& result, std::size_t index, const std::string& solver) {
  Hash hash;
  hash.add(Json(index));
  hash.add(Json(solver));
  for (const char* key : kOwnFields) hash.add(pick(result, key));
  const Json certificate = pick(result, "certificate");
  for (const char* key : kUnmeasured) hash.add(pick(certificate, key));
  hash.add(pick(pick(certificate, "condition"), "regularisation"));
  return hash.text();
}

std::string seal_of_document(const Json& document, bool measured_summary) {
  Hash hash;
  for (const auto& [key, value] : members(document)) {
    if (key == "seal" || key == "generator" || key == "transforms" || key == "generators") continue;
    if (is_circumstance(key)) continue;
    hash.add(Json(key));
    hash.add(key == "results" ? Json(value->size()) : *value);
  }
  for (const Json& part : pick(document, "generators")) {
    for (const auto& [key, value] : members(part)) {
      if (key == "name" || key == "results" || key == "summary") continue;
      hash.add(Json(key));
      Json kept = *value;
      if (key == "pairs" && kept.is_array()) {
        for (Json& pair : kept) {
          if (measured_summary && pair.is_object()) pair.erase("best_length");
        }
      }
      hash.add(kept);
    }
  }
  return hash.text();
}

}  // namespace pullback::cli
