// How a Jacobian behaves, in JSON.
#pragma once

#include "pullback/analysis/characterisation.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

// {"radius", "deviations", "reach", "collapsed", "inside": {"points", "undefined", "singular", "kappa", "kept_kappa",
// "scaled_kappa", "log10_magnification", "variation", "variation_rms"}, "outside": {…}}; quantiles as lists, null where
// infinite or without points.
Json as_json(const Characterisation& characterisation);

}  // namespace pullback::cli
