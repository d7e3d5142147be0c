// One list of the fields of each type of results.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include "pullback/base/export.h"

namespace pullback {

// A type of results lists its fields once, in the order in which they are written, in a header of its layer
// (solvers/result_fields.h, …):
//
//   template <MaybeConst<Effort> E, class V>
//   void visit_fields(E& effort, V&& visit) {
//     visit("iterations", effort.iterations);
//     visit("seconds", effort.seconds);
//     visit("evaluations", evaluation_count(effort));
//   }
//
// and whoever writes, reads or compares results visits them. A field is a number, a bool, a text, an enum with
// to_string() and last_of(), a Vector, another type with fields, or an optional, a vector, an array or a map by text of
// such. No number (NaN) and no optional are "not known". The field "a.b" is the field b of an object a. A field that is
// passed as an rvalue follows from the others: it is written and compared, and not read.
template <class T, class U>
concept MaybeConst = std::same_as<std::remove_const_t<T>, U>;

namespace internal {

struct PULLBACK_EXPORT FieldsIgnored {
  template <class T>
  void operator()(std::string_view, T&&) const {}
};

}  // namespace internal

// Whether T has such a list.
template <class T>
concept HasFields = requires(T& value) {
  visit_fields(value, internal::FieldsIgnored());
};

// Sets `value` to the one that is called `name`; false where none is.
template <class Enum>
bool set_by_name(std::string_view name, Enum& value) {
  for (int i = 0; i <= static_cast<int>(last_of(Enum())); ++i) {
    if (name != to_string(static_cast<Enum>(i))) continue;
    value = static_cast<Enum>(i);
    return true;
  }
  return false;
}

}  // namespace pullback
