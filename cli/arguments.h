// Reading what people type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pullback/base/parse.h"
#include "pullback/base/statistics.h"
#include "pullback/base/types.h"

namespace pullback::cli {

// "0.1,0.2" as a point. `option` names it in errors, `dimension` is what the generator has.
// Errors: std::invalid_argument for what is not a number, NaN or infinity, or another number of coordinates.
Vector parse_point(std::string_view text, std::string_view option, int dimension);

// "LO,HI", the same for every coordinate. Errors: std::invalid_argument unless two finite numbers with LO < HI.
Interval parse_interval(std::string_view text, std::string_view option);

// The arguments with "--from -1,0" written as "--from=-1,0" for options that take coordinates, because a value that
// starts with a minus sign would otherwise be taken for an option.
std::vector<std::string> join_negative_values(const std::vector<std::string>& arguments);

}  // namespace pullback::cli
