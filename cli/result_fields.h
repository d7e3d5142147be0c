// Whether a result has the fields that the tool writes, and no others.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pullback/cli/verification.h"

namespace pullback::cli {

// What of one result's fields is unknown, missing or of another type than the tool writes, and whether its seal holds
// (seal.h). `index` is its place in its list.
std::vector<Finding> check_fields(const JsonView& result, std::size_t index, const std::string& solver);

}  // namespace pullback::cli
