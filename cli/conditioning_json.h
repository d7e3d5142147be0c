// The study `conditioning` in JSON, and its table.
#pragma once

#include <string>

#include "pullback/cli/conditioning_journal.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

// {"schema": "pullback-conditioning-1", "created", "command", "complete", "environment", "settings", "overview":
// [cell…], "generators": [{"name", "family", "dimension", "kappa", "pairs": [{"from", "to", "best_length"}], "summary":
// [cell…], "results": [{"pair", "solver", "outcome", "length_ratio", "base", …as in `geodesic`…}]}]}, where a cell is
// {"solver", "kappa", "runs", "solved", "longer", "false", "unclaimed", "terminations", "solved_interval",
// "false_interval", "seconds": [lower quartile, median, upper quartile], "evaluations": […]}.
std::string conditioning_results(const JournaledStudy& journaled, const CallRecord& record);

// What the page shows, for cli/report/conditioning.js.
Json conditioning_report(const ConditioningStudy& study, const CallRecord& record);

// The table for people.
std::string conditioning_table(const ConditioningStudy& study);

}  // namespace pullback::cli
