// The study `uncertainty` in JSON, and its table.
#pragma once

#include <string>

#include "pullback/analysis/studies/uncertainty.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

// {"schema": "pullback-uncertainty-study-1", "created", "command", "complete", "environment", "settings", "models":
// [{"name", "region_radius", "pairs": [{"name", "from", "to", "straight_share"}], "metrics": [{"name", "file",
// "fitted", "summary", "curves": [{"pair", "termination", "length", "share_inside", "farthest", "arc",
// "seconds"}]}]}]}.
Json uncertainty_results(const UncertaintyStudy& study, const CallRecord& record);

// What `geodesic --json` would write for the metric, for `verify`.
Json geodesic_document(const UncertaintyStudy& study, const UncertaintyPanel& panel, const UncertainMetric& metric);

// For cli/report/uncertainty.js.
Json uncertainty_report(const UncertaintyStudy& study, const CallRecord& record);

std::string uncertainty_table(const UncertaintyStudy& study);

}  // namespace pullback::cli
