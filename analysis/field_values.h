// The fields of results as values that can be compared, whatever type they are of.
#pragma once

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/fields.h"
#include "pullback/base/types.h"

namespace pullback {

// What a field holds that is no number, bool or text, in words: "nothing", "an object".
struct PULLBACK_EXPORT OtherValue {
  std::string text;
  bool operator==(const OtherValue&) const = default;
};
// A list's length; its entries are fields of their own.
struct PULLBACK_EXPORT ListSize {
  std::size_t size;
  bool operator==(const ListSize&) const = default;
};
// A number that is not known is NaN.
using FieldValue = std::variant<double, bool, std::string, ListSize, OtherValue>;

// By their names, "condition.kappa_max" or "kappa_before[2]".
using FieldMap = std::map<std::string, FieldValue, std::less<>>;
// The same in the order in which they are listed.
using FieldList = std::vector<std::pair<std::string, FieldValue>>;

// As a finding shows it: ten digits, "null" for what is not known, texts in quotes and cut short.
PULLBACK_EXPORT std::string shown(const FieldValue& value);

// Takes the fields of results (base/fields.h) apart.
class PULLBACK_EXPORT FieldLister {
 public:
  explicit FieldLister(std::string prefix = "") : prefix_(std::move(prefix)) {}

  template <class T>
  void operator()(std::string_view name, const T& field) {
    add(prefix_ + std::string(name), field);
  }

  FieldList fields;

 private:
  template <class T>
  void add(const std::string& name, const T& field) {
    if constexpr (std::is_same_v<T, bool>) {
      fields.emplace_back(name, field);
    } else if constexpr (std::is_arithmetic_v<T>) {
      fields.emplace_back(name, static_cast<double>(field));
    } else if constexpr (std::is_enum_v<T>) {
      fields.emplace_back(name, std::string(to_string(field)));
    } else if constexpr (std::is_convertible_v<T, std::string>) {
      fields.emplace_back(name, std::string(field));
    } else if constexpr (HasFields<const T>) {
      FieldLister inner(name + ".");
      visit_fields(field, inner);
      fields.insert(fields.end(), inner.fields.begin(), inner.fields.end());
    } else if constexpr (requires { field.has_value(); }) {
      field.has_value() ? add(name, *field) : add(name, std::numeric_limits<double>::quiet_NaN());
    } else if constexpr (requires { typename T::mapped_type; }) {
      for (const auto& [key, value] : field) add(name + "." + key, value);
    } else {
      add_list(name, field);
    }
  }

  template <class List>
  void add_list(const std::string& name, const List& list) {
    fields.emplace_back(name, ListSize{static_cast<std::size_t>(list.size())});
    std::size_t i = 0;
    for (const auto& entry : list) add(name + "[" + std::to_string(i++) + "]", entry);
  }

  std::string prefix_;
};

// All fields of a result under their names.
template <class T>
FieldList fields_of(const T& result) {
  FieldLister lister;
  visit_fields(result, lister);
  return std::move(lister.fields);
}

// A result that was stored, with the fields as they were: some may be missing, of another kind, or not follow from the
// others.
template <class T>
struct Stored {
  Stored() = default;
  // One with the fields that it has.
  Stored(T stored) : value(std::move(stored)) {
    for (auto& field : fields_of(value)) fields.insert(std::move(field));
  }
  Stored(T stored, FieldMap written) : value(std::move(stored)), fields(std::move(written)) {}

  T value = {};
  FieldMap fields = {};
};

// One field that does not hold.
struct PULLBACK_EXPORT Finding {
  std::string field;
  std::string written;
  std::string found;  // or what is wrong
};

// Whether both are the same, numbers to within `allowed`. What is not finite is not known, and like what else is not.
PULLBACK_EXPORT bool agree(const FieldValue& written, const FieldValue& found, double allowed);

// Adds a finding where a field is not written as it was found, numbers to within `tolerance` relative to those found.
PULLBACK_EXPORT void compare_field(const std::string& field, const FieldValue& written, const FieldValue& found,
                                   double tolerance, std::vector<Finding>& findings);

// The same for all fields that were found.
PULLBACK_EXPORT void compare_fields(const FieldMap& written, const FieldList& found, double tolerance,
                                    std::vector<Finding>& findings);

}  // namespace pullback
