// What the transforms of a space changed, for people.
#pragma once

#include <string>
#include <vector>

#include "pullback/spaces/opened_space.h"

namespace pullback::cli {

// A sentence for each.
std::vector<std::string> describe(const std::vector<AppliedTransform>& transforms);

}  // namespace pullback::cli
