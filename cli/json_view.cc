#include "pullback/cli/json_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "pullback/cli/streams.h"

namespace pullback::cli {

namespace {

// Throws where an object has a key twice.
class UniqueKeys {
 public:
  void operator()(Json::parse_event_t event, const Json& value) {
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(value.get<std::string>()).second) {
      throw Error(fmt::format("the key {} comes twice in one object", quote(value)));
    }
  }

 private:
  std::vector<std::set<std::string>> open_;
};

}  // namespace

Json parse_json(const std::string& text, const std::string& name) {
  UniqueKeys keys;
  bool deep = false;
  try {
    Json json = Json::parse(text, [&](int depth, Json::parse_event_t event, const Json& value) {
      keys(event, value);
      deep = deep || depth > kDeepest;
      return depth <= kDeepest;
    });
    // What is no object is no document of this tool, and whoever asked for one says so better.
    if (deep && json.is_object()) throw Error(fmt::format("is nested more than {} levels deep", kDeepest));
    return json;
  } catch (const Json::parse_error& error) {
    throw Error(fmt::format("{}: is not JSON: wrong or cut off at byte {} of {}", name, error.byte, text.size()));
  } catch (const Json::exception&) {
    throw Error(fmt::format("{}: holds a number beyond the range of a double", name));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", name, error.what()));
  }
}

Json read_json(const std::filesystem::path& path) { return parse_json(read_whole(path, "a JSON file"), path.string()); }

std::string quote(const Json& json) {
  constexpr std::size_t kMost = 40;
  if (json.is_structured()) return json.is_array() ? "a list" : "an object";
  std::string text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kMost) text = text.substr(0, kMost) + "…";
  return text;
}

void JsonView::fail(const std::string& expected) const {
  throw Error(fmt::format("{}: {}: expected {}, got {}", file_, place_.empty() ? "the document" : place_, expected,
                          quote(*json_)));
}

JsonView JsonView::at(const char* key) const {
  if (!has(key)) fail(fmt::format("an object with the key \"{}\"", key));
  JsonView view((*json_)[key], file_);
  view.place_ = place_.empty() ? key : place_ + "." + key;
  return view;
}

JsonView JsonView::field(std::string_view name) const {
  const auto dot = name.find('.');
  const JsonView view = at(std::string(name.substr(0, dot)).c_str());
  return dot == std::string_view::npos ? view : view.field(name.substr(dot + 1));
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  if (!json_->is_object()) fail("an object");
  std::vector<std::pair<std::string, JsonView>> all;
  for (const auto& [key, value] : json_->items()) all.emplace_back(key, at(key.c_str()));
  return all;
}

std::vector<JsonView> JsonView::list() const {
  if (!json_->is_array()) fail("a list");
  std::vector<JsonView> views;
  for (std::size_t i = 0; i < json_->size(); ++i) {
    views.emplace_back((*json_)[i], file_);
    views.back().place_ = fmt::format("{}[{}]", place_, i);
  }
  return views;
}

double JsonView::number() const {
  if (json_->is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!json_->is_number()) fail("a number or null");
  return json_->get<double>();
}

bool JsonView::boolean() const {
  if (!json_->is_boolean()) fail("true or false");
  return json_->get<bool>();
}

std::int64_t JsonView::whole() const {
  if (!json_->is_number_integer() || json_->get<std::int64_t>() < 0) fail("a whole number from 0");
  return json_->get<std::int64_t>();
}

std::uint64_t JsonView::whole_up_to(std::uint64_t most) const {
  if (json_->is_number_unsigned() && json_->get<std::uint64_t>() <= most) return json_->get<std::uint64_t>();
  // Other programs write whole numbers as they like. Beyond 2⁵³ a double is no certain one.
  const double value = json_->is_number() ? json_->get<double>() : -1;
  if (!(value >= 0 && value <= std::min(0x1p53, static_cast<double>(most)) && value == std::floor(value))) {
    fail(fmt::format("a whole number from 0 to {}", most));
  }
  return static_cast<std::uint64_t>(value);
}

std::string JsonView::text() const {
  if (!json_->is_string()) fail("text");
  return json_->get<std::string>();
}

int JsonView::index(std::size_t count) const {
  if (!json_->is_number_integer() || json_->get<std::int64_t>() < 0 ||
      static_cast<std::uint64_t>(json_->get<std::int64_t>()) >= count) {
    fail(fmt::format("a whole number from 0 to {}", static_cast<std::int64_t>(count) - 1));
  }
  return json_->get<int>();
}

Vector JsonView::vector() const {
  if (!json_->is_array()) fail("a list of numbers");
  Vector out(static_cast<Eigen::Index>(json_->size()));
  for (Eigen::Index i = 0; i < out.size(); ++i) {
    const Json& entry = (*json_)[static_cast<std::size_t>(i)];
    if (!entry.is_number() && !entry.is_null()) fail("a list of numbers");
    out(i) = entry.is_null() ? std::numeric_limits<double>::quiet_NaN() : entry.get<double>();
  }
  return out;
}

Matrix JsonView::columns(int rows) const {
  const std::vector<JsonView> points = list();
  Matrix out(rows, static_cast<Eigen::Index>(points.size()));
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Vector point = points[i].vector();
    if (point.size() != rows) points[i].fail(fmt::format("{} coordinates", rows));
    out.col(static_cast<Eigen::Index>(i)) = point;
  }
  return out;
}

}  // namespace pullback::cli
