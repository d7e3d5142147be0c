#include "pullback/cli/fields_json.h"

#include <fmt/format.h>

#include "pullback/analysis/text.h"

namespace pullback::cli {

Json number_json(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json short_number(double value) { return number_json(rounded_to_digits(value)); }

Json& field_at(Json& object, std::string_view name) {
  const auto dot = name.find('.');
  Json& value = object[std::string(name.substr(0, dot))];
  return dot == std::string_view::npos ? value : field_at(value, name.substr(dot + 1));
}

FieldValue field_value(const Json& value) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return ListSize{value.size()};
  return OtherValue{"an object"};
}

void add_fields(const Json& value, const std::string& name, FieldMap& fields) {
  if (!name.empty()) fields.emplace(name, field_value(value));
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) add_fields(value[i], fmt::format("{}[{}]", name, i), fields);
  } else if (value.is_object()) {
    for (const auto& [key, entry] : value.items()) add_fields(entry, name.empty() ? key : name + "." + key, fields);
  }
}

}  // namespace pullback::cli
