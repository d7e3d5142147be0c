// What the transforms of a space changed, for people and in JSON.
#pragma once

#include <string>
#include <vector>

#include "pullback/cli/result_json.h"
#include "pullback/spaces/opened_space.h"

namespace pullback::cli {

// [{"transform", "where", "points", "touched", "length_factor": [least, largest], "kappa_before": [5 %, median, 95 %],
// "kappa_after", …}]: `touched` is the share of the points where some length changed by over 1 %. Charts add "matrix",
// the rows of A; floor "raised_to"; smooth "deviation", that of the Gaussian in each coordinate.
Json as_json(const std::vector<AppliedTransform>& transforms);

// The same as a sentence each.
std::vector<std::string> describe(const std::vector<AppliedTransform>& transforms);

}  // namespace pullback::cli
