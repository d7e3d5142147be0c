// Results as the tool wrote them, or somebody else, read back for `verify`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pullback/analysis/verification.h"
#include "pullback/cli/json_view.h"

namespace pullback::cli {

// A result of a results file with its curve and all that is said of it. Adds to `findings` where it contradicts itself.
// `stored` has the ends and the solver, which may stand elsewhere. `needs_samples`: "curve" must be there.
// Errors: pullback::Error for a result that is not what the tool writes, such as a list of points of different lengths.
void read_result(const JsonView& view, const OpenedSpace& space, bool needs_samples, StoredResult& stored,
                 std::vector<Finding>& findings);

// What of one result's fields is unknown, missing or of another type than the tool writes, and whether its seal holds
// (seal.h). `index` is its place in its list.
std::vector<Finding> check_fields(const JsonView& result, std::size_t index, const std::string& solver);

// A point of finite coordinates. Errors: pullback::Error for what is none.
Vector read_end(const JsonView& view, int dimension);

}  // namespace pullback::cli
