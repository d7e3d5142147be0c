// A comparison as results.json.
//
// {"schema": "pullback-compare-1", "created", "command", "complete", "environment", "settings", "generators": [{"name",
// "latent_dimension", "ambient_dimension", "metadata", "summary": […], "pairs": [{"name", "kind", "from", "to",
// "labels", "best_length"}], "results": [{"pair", "solver", "solved", "length_ratio", …as in `geodesic`…, "trace":
// [[iteration, seconds, length], …], "seal"}]}], "seal"}; the seals are those of seal.h. "pair" counts from 0. Only
// finished results are there.
#pragma once

#include "pullback/analysis/comparison_summary.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

Json study_json(const Study& study, const CallRecord& record);

// Parts that the report shares.
Json settings_json(const Study& study, const CallRecord& record);
// [[iteration, seconds, length], …], thinned to a length that a chart can show.
Json trace_json(const std::vector<TraceEntry>& trace);

}  // namespace pullback::cli
