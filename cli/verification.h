// Whether a result as it was written is true.
#pragma once

#include <string>
#include <vector>

#include "pullback/cli/json_view.h"
#include "pullback/manifold/manifold.h"
#include "pullback/solvers/result.h"

namespace pullback::cli {

// One field that does not hold.
struct Finding {
  std::string field;
  std::string written;
  std::string found;
};

// What was found of one result.
struct Verification {
  std::vector<Finding> findings;  // none: verified
  bool without_curve = false;     // nothing to measure, or no time to measure it, and nothing claimed of it
  // Made again from the nodes: curve, termination, certificate, effort (as written).
  GeodesicResult result;
};

// Relative difference that is allowed between a number that was written and the same number measured again.
inline constexpr double kVerifyTolerance = 1e-6;

// Measures the curve of one result of `geodesic`, `compare` or `study` again and compares with what was written.
//
// The curve is rebuilt from "nodes" (times, positions, velocities, accelerations), which make the solver's interpolant
// exactly; its samples under "curve" must lie on it. Every number of the certificate must be found again to within
// |written − found| ≤ tolerance |found|, or else within ten times what the number changes by when the nodes are moved
// by a unit in the last place, which is how far two machines may differ where the metric is ill-conditioned. The
// termination must be one that the certificate found does not refute. What only the solver knows is not checked: the
// message, effort, a regularisation, and which shorter curve was met.
//
// `needs_samples`: "curve" must be there. Errors: pullback::Error for a result that is not what the tool writes, such
// as a list of points of different lengths. Cost: one certificate; four where something does not hold.
Verification verify_result(const Manifold& manifold, const JsonView& result, const ConstVectorRef& from,
                           const ConstVectorRef& to, double tolerance, bool needs_samples);

// Compares the fields of an object with those of `expected`, recursively; `field` names it in findings.
void compare_fields(const Json& written, const Json& expected, const std::string& field, double tolerance,
                    std::vector<Finding>& findings);

}  // namespace pullback::cli
