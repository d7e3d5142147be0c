// Typed options, reachable by name.
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "pullback/base/export.h"

namespace pullback {

// What one option is, for listings and help.
struct PULLBACK_EXPORT OptionInfo {
  std::string name;
  std::string type;           // "int", "double", "bool", "choice"
  std::string default_value;  // as one would write it
  std::string description;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  // for "choice"
};

// Options as written: name → value.
using OptionValues = std::map<std::string, std::string>;

// An options aggregate O declares its fields once, with every default inline:
//
//   struct EnergyOptions {
//     int nodes = 64;
//     template <class V> void visit(V&& visit) {
//       visit("nodes", nodes, "chords of the discrete curve", 2, 100'000);
//     }
//   };
//
// and these two visitors make the same fields reachable from text and listable. A field is an int, a double, a bool, or
// a std::string with its choices in place of the bounds.
class PULLBACK_EXPORT OptionLister {
 public:
  void operator()(const char* name, const int& field, const char* description, double minimum, double maximum);
  void operator()(const char* name, const double& field, const char* description, double minimum, double maximum);
  void operator()(const char* name, const bool& field, const char* description);
  void operator()(const char* name, const std::string& field, const char* description,
                  std::vector<std::string> choices);

  std::vector<OptionInfo> options;
};

// Sets the fields whose names are among `values`, which must outlive it. `solver` is named in errors.
// Errors: std::invalid_argument for a value that is not of the type, not finite, out of bounds or not a choice, saying
// what is valid.
class PULLBACK_EXPORT OptionSetter {
 public:
  OptionSetter(const std::string& solver, const OptionValues& values) : solver_(solver), values_(values) {}
  void operator()(const char* name, int& field, const char* description, double minimum, double maximum);
  void operator()(const char* name, double& field, const char* description, double minimum, double maximum);
  void operator()(const char* name, bool& field, const char* description);
  void operator()(const char* name, std::string& field, const char* description,
                  const std::vector<std::string>& choices);

 private:
  const std::string* find(const char* name) const;

  const std::string& solver_;
  const OptionValues& values_;
};

// Holds the fields of a struct against their bounds and choices.
// Errors: std::invalid_argument for a field that is not finite, out of bounds or not a choice, saying what is valid.
class PULLBACK_EXPORT OptionChecker {
 public:
  void operator()(const char* name, const int& field, const char* description, double minimum, double maximum) const;
  void operator()(const char* name, const double& field, const char* description, double minimum, double maximum) const;
  void operator()(const char* name, const bool& field, const char* description) const;
  void operator()(const char* name, const std::string& field, const char* description,
                  const std::vector<std::string>& choices) const;
};

template <class Options>
std::vector<OptionInfo> list_options() {
  OptionLister lister;
  Options().visit(lister);
  return lister.options;
}

namespace internal {

// Errors: std::invalid_argument naming `solver` for a key that is not among `known` (listing them).
PULLBACK_EXPORT void require_known_options(const std::string& solver, const OptionValues& values,
                                           const std::vector<OptionInfo>& known);

}  // namespace internal

// The options with the given values set.
// Errors: std::invalid_argument for an unknown key, a value that is not of the type or out of bounds, naming the solver
// and listing what is valid.
template <class Options>
Options parse_options(const std::string& solver, const OptionValues& values) {
  internal::require_known_options(solver, values, list_options<Options>());
  Options options;
  OptionSetter setter(solver, values);
  options.visit(setter);
  return options;
}

}  // namespace pullback
