#include "pullback/solvers/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace pullback {
namespace {

// The whole text as a number, or nothing.
template <class T>
bool parse(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

// Whether the text is a number that overflows or underflows.
bool is_out_of_range(const std::string& text) {
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc::result_out_of_range && stop == text.data() + text.size();
}

[[noreturn]] void throw_value(const std::string& solver, const char* name, const std::string& expected,
                              const std::string& got) {
  throw std::invalid_argument(
      fmt::format("solver '{}', option '{}': expected {}, got '{}'", solver, name, expected, got));
}

[[noreturn]] void throw_field(const char* name, const std::string& expected, const std::string& got) {
  throw std::invalid_argument(fmt::format("option '{}': expected {}, got {}", name, expected, got));
}

// What a field must be, whether it comes from text or from a struct.
bool holds(double value, double minimum, double maximum) {
  return std::isfinite(value) && value >= minimum && value <= maximum;
}

bool holds(const std::string& value, const std::vector<std::string>& choices) {
  return std::find(choices.begin(), choices.end(), value) != choices.end();
}

std::string one_of(const std::vector<std::string>& choices) {
  return fmt::format("one of {}", fmt::join(choices, ", "));
}

std::string bounds(double minimum, double maximum) {
  if (std::isinf(minimum) && std::isinf(maximum)) return "";
  if (std::isinf(maximum)) return fmt::format(" of at least {}", minimum);
  if (std::isinf(minimum)) return fmt::format(" of at most {}", maximum);
  return fmt::format(" from {} to {}", minimum, maximum);
}

}  // namespace

void OptionLister::operator()(const char* name, const int& field, const char* description, double minimum,
                              double maximum) {
  options.push_back({name, "int", fmt::format("{}", field), description, minimum, maximum, {}});
}

void OptionLister::operator()(const char* name, const double& field, const char* description, double minimum,
                              double maximum) {
  options.push_back({name, "double", fmt::format("{}", field), description, minimum, maximum, {}});
}

void OptionLister::operator()(const char* name, const bool& field, const char* description) {
  OptionInfo& info = options.emplace_back();
  info.name = name;
  info.type = "bool";
  info.default_value = field ? "true" : "false";
  info.description = description;
}

void OptionLister::operator()(const char* name, const std::string& field, const char* description,
                              std::vector<std::string> choices) {
  OptionInfo& info = options.emplace_back();
  info.name = name;
  info.type = "choice";
  info.default_value = field;
  info.description = description;
  info.choices = std::move(choices);
}

const std::string* OptionSetter::find(const char* name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

void OptionSetter::operator()(const char* name, int& field, const char*, double minimum, double maximum) {
  const std::string* const text = find(name);
  if (text == nullptr) return;
  int value = 0;
  if (!parse(*text, value) || !holds(value, minimum, maximum)) {
    throw_value(solver_, name, "a whole number" + bounds(minimum, maximum), *text);
  }
  field = value;
}

void OptionSetter::operator()(const char* name, double& field, const char*, double minimum, double maximum) {
  const std::string* const text = find(name);
  if (text == nullptr) return;
  double value = 0;
  if (is_out_of_range(*text)) {
    throw_value(solver_, name, "a number" + bounds(minimum, maximum) + " that a double can hold", *text);
  }
  if (!parse(*text, value) || !holds(value, minimum, maximum)) {
    throw_value(solver_, name, "a number" + bounds(minimum, maximum), *text);
  }
  field = value;
}

void OptionSetter::operator()(const char* name, bool& field, const char*) {
  const std::string* const text = find(name);
  if (text == nullptr) return;
  if (*text != "true" && *text != "false") throw_value(solver_, name, "true or false", *text);
  field = *text == "true";
}

void OptionSetter::operator()(const char* name, std::string& field, const char*,
                              const std::vector<std::string>& choices) {
  const std::string* const text = find(name);
  if (text == nullptr) return;
  if (!holds(*text, choices)) throw_value(solver_, name, one_of(choices), *text);
  field = *text;
}

void OptionChecker::operator()(const char* name, const int& field, const char*, double minimum, double maximum) const {
  if (holds(field, minimum, maximum)) return;
  throw_field(name, "a whole number" + bounds(minimum, maximum), fmt::format("{}", field));
}

void OptionChecker::operator()(const char* name, const double& field, const char*, double minimum,
                               double maximum) const {
  if (holds(field, minimum, maximum)) return;
  throw_field(name, "a number" + bounds(minimum, maximum), fmt::format("{}", field));
}

void OptionChecker::operator()(const char*, const bool&, const char*) const {}

void OptionChecker::operator()(const char* name, const std::string& field, const char*,
                               const std::vector<std::string>& choices) const {
  if (holds(field, choices)) return;
  throw_field(name, one_of(choices), fmt::format("'{}'", field));
}

void internal::require_known_options(const std::string& solver, const OptionValues& values,
                                     const std::vector<OptionInfo>& known) {
  for (const auto& entry : values) {
    const std::string& name = entry.first;
    if (std::any_of(known.begin(), known.end(), [&](const OptionInfo& info) { return info.name == name; })) continue;
    std::vector<std::string> names;
    for (const OptionInfo& info : known) names.push_back(info.name);
    throw std::invalid_argument(fmt::format("solver '{}' has no option '{}'; it has {}", solver, name,
                                            names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
}

}  // namespace pullback
