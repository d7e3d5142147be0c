// Results in JSON by their lists of fields (base/fields.h).
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "pullback/analysis/field_values.h"
#include "pullback/base/fields.h"
#include "pullback/cli/json_view.h"

namespace pullback::cli {

// A finite number; null otherwise.
Json number_json(double value);
// With four significant digits, for tables and pictures.
Json short_number(double value);

// The field "a.b" of an object, with a made where it is not there.
Json& field_at(Json& object, std::string_view name);

// How numbers are written.
using NumberWriter = Json (*)(double);

// Makes an object of the fields it visits.
class FieldWriter {
 public:
  explicit FieldWriter(NumberWriter number = number_json) : number_(number) {}

  template <class T>
  void operator()(std::string_view name, const T& field) {
    Json& place = field_at(json, name);
    Json value = write(field);
    if (place.is_object()) {
      place.update(value);
    } else {
      place = std::move(value);
    }
  }

  Json json = Json::object();

 private:
  template <class T>
  Json write(const T& field) const {
    if constexpr (std::is_same_v<T, bool> || std::is_integral_v<T> || std::is_convertible_v<T, std::string>) {
      return field;
    } else if constexpr (std::is_floating_point_v<T>) {
      return number_(field);
    } else if constexpr (std::is_enum_v<T>) {
      return to_string(field);
    } else if constexpr (HasFields<const T>) {
      FieldWriter inner(number_);
      visit_fields(field, inner);
      return std::move(inner.json);
    } else if constexpr (requires { field.has_value(); }) {
      return field.has_value() ? write(*field) : Json(nullptr);
    } else if constexpr (requires { typename T::mapped_type; }) {
      Json object = Json::object();
      for (const auto& [key, value] : field) object[key] = write(value);
      return object;
    } else {
      Json list = Json::array();
      for (const auto& entry : field) list.push_back(write(entry));
      return list;
    }
  }

  NumberWriter number_;
};

// A result as an object of its fields.
template <class T>
Json fields_json(const T& result, NumberWriter number = number_json) {
  FieldWriter writer(number);
  visit_fields(result, writer);
  return std::move(writer.json);
}

// Results as a list of such objects.
template <class T>
Json list_json(const std::vector<T>& results, NumberWriter number = number_json) {
  Json list = Json::array();
  for (const T& result : results) list.push_back(fields_json(result, number));
  return list;
}

// What to do about a field that is missing or of another kind.
enum class Reading { kRefuse, kPassOver };

// Sets the fields that it visits, but for those that follow from others.
// Errors with kRefuse: pullback::Error with the place, as of JsonView.
class FieldReader {
 public:
  FieldReader(JsonView object, Reading reading) : object_(std::move(object)), reading_(reading) {}

  template <class T>
  void operator()(std::string_view name, T&& field) {
    if constexpr (std::is_lvalue_reference_v<T> && !std::is_const_v<std::remove_reference_t<T>>) {
      try {
        read(object_.field(name), field);
      } catch (const Error&) {
        if (reading_ == Reading::kRefuse) throw;
      }
    }
  }

 private:
  template <class T>
  void read(const JsonView& view, T& field) const {
    if constexpr (std::is_same_v<T, bool>) {
      field = view.boolean();
    } else if constexpr (std::is_integral_v<T>) {
      field = static_cast<T>(view.whole_up_to(std::numeric_limits<T>::max()));
    } else if constexpr (std::is_floating_point_v<T>) {
      field = view.number();
    } else if constexpr (std::is_enum_v<T>) {
      if (!set_by_name(view.text(), field)) view.fail("one of the names that the tool writes");
    } else if constexpr (std::is_same_v<T, std::string>) {
      field = view.text();
    } else if constexpr (std::is_same_v<T, Vector>) {
      field = view.vector();
    } else if constexpr (HasFields<T>) {
      visit_fields(field, FieldReader(view, reading_));
    } else if constexpr (requires { field.has_value(); }) {
      if (view.json().is_null()) return field.reset();
      typename T::value_type value{};
      read(view, value);
      field = std::move(value);
    } else if constexpr (requires { typename T::mapped_type; }) {
      field.clear();
      for (const auto& [key, entry] : view.members()) read(entry, field[key]);
    } else {
      field.clear();
      for (const JsonView& entry : view.list()) read(entry, field.emplace_back());
    }
  }

  JsonView object_;
  Reading reading_;
};

// The result that fields_json() wrote. `into`: what a field that is passed over is.
template <class T>
T read_fields(const JsonView& view, Reading reading = Reading::kRefuse, T into = {}) {
  visit_fields(into, FieldReader(view, reading));
  return into;
}

// The value as fields of its own, "a.b" and "a[2]", each name beginning with `name`.
void add_fields(const Json& value, const std::string& name, FieldMap& fields);
FieldValue field_value(const Json& value);

// A result that anybody may have written, with all that is there.
template <class T>
Stored<T> read_stored(const JsonView& view, T otherwise = {}) {
  FieldMap fields;
  add_fields(view.json(), "", fields);
  return {read_fields(view, Reading::kPassOver, std::move(otherwise)), std::move(fields)};
}

}  // namespace pullback::cli
