// Reading JSON that anybody may have written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pullback/base/error.h"
#include "pullback/base/types.h"

namespace pullback::cli {

using Json = nlohmann::ordered_json;

// Parses a file of at most kDeepest levels. Errors: pullback::Error with the path for a file that cannot be read, is
// not JSON (also NaN, Infinity and numbers beyond a double), or names a key twice in one object, which readers would
// understand differently.
Json read_json(const std::filesystem::path& path);

// The same for text; `name` stands for the path in errors.
Json parse_json(const std::string& text, const std::string& name);

// No document of this tool is nested deeper. Much deeper ones end programs that walk through them.
inline constexpr int kDeepest = 64;

// A value in a document and where it stands, so that what is wrong with it can be said.
//
// Errors of all readers: pullback::Error "FILE: PLACE: expected …, got …".
class JsonView {
 public:
  // `file` names the document in errors. The document must outlive its views.
  JsonView(const Json& json, std::string file) : json_(&json), file_(std::move(file)) {}

  const Json& json() const { return *json_; }
  // "results[3].nodes.z"; empty for the document.
  const std::string& place() const { return place_; }

  bool has(const char* key) const { return json_->is_object() && json_->contains(key); }
  JsonView at(const char* key) const;
  JsonView field(std::string_view name) const;  // "a.b": b of a
  std::vector<JsonView> list() const;
  std::vector<std::pair<std::string, JsonView>> members() const;

  double number() const;  // null is NaN, as it is written
  std::string text() const;
  bool boolean() const;
  std::int64_t whole() const;                           // a whole number from 0
  std::uint64_t whole_up_to(std::uint64_t most) const;  // the same, also where it is written as 5.0
  int index(std::size_t count) const;                   // a whole number from 0 to count − 1
  Vector vector() const;                                // of numbers
  Matrix columns(int rows) const;                       // a list of points of `rows` coordinates each, as columns

  [[noreturn]] void fail(const std::string& expected) const;

 private:
  const Json* json_;
  std::string file_;
  std::string place_;
};

// A value as one short piece of printable ASCII.
std::string quote(const Json& json);

}  // namespace pullback::cli
