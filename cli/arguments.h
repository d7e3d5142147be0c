// Reading what people type.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pullback/generators/types.h"

namespace pullback::cli {

// The whole text as a number ("1", "-2.5e3", "nan", "inf"); nothing when it is not one. Spaces around it are ignored.
// What no double can hold is infinite when it is too large, and 0 when it is too small.
std::optional<double> parse_number(std::string_view text);

// What keeps a number that was read from being used, as the rest of a sentence ("is NaN, expected a finite number",
// "underflows to 0: 1e-400 is …"); empty where nothing does, and for what is not a number.
std::string number_fault(std::string_view text);

// The text without the spaces around it.
std::string_view trim(std::string_view text);

// "0.1,0.2" as a point. `option` names it in errors, `dimension` is what the generator has.
// Errors: std::invalid_argument for what is not a number, NaN or infinity, or another number of coordinates.
Vector parse_point(std::string_view text, std::string_view option, int dimension);

// "LO,HI", the same for every coordinate. Errors: std::invalid_argument unless two finite numbers with LO < HI.
struct Interval {
  double low;
  double high;
};
Interval parse_interval(std::string_view text, std::string_view option);

// The parts of `text` between separators, with spaces around them removed; at least one.
std::vector<std::string_view> split(std::string_view text, char separator);

// The arguments with "--from -1,0" written as "--from=-1,0" for options that take coordinates, because a value that
// starts with a minus sign would otherwise be taken for an option.
std::vector<std::string> join_negative_values(const std::vector<std::string>& arguments);

}  // namespace pullback::cli
