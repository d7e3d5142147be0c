// Reading numbers and lists from text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pullback/base/export.h"

namespace pullback {

// The whole text as a number ("1", "-2.5e3", "nan", "inf"); nothing when it is not one. Spaces around it are ignored.
// A number above the range of a double is infinite, one below it is 0.
PULLBACK_EXPORT std::optional<double> parse_number(std::string_view text);

// Why a number that was read cannot be used, as the rest of a sentence ("is NaN, expected a finite number", "underflows
// to 0: 1e-400 is …"); empty where it can, and for text that is not a number.
PULLBACK_EXPORT std::string number_fault(std::string_view text);

// The text without the spaces around it.
PULLBACK_EXPORT std::string_view trim(std::string_view text);

// The parts of `text` between separators, with spaces around them removed; at least one.
PULLBACK_EXPORT std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace pullback
