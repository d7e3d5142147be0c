// The self-contained HTML pages.
#pragma once

#include <string>

#include "pullback/analysis/comparison.h"
#include "pullback/cli/environment.h"
#include "pullback/cli/result_json.h"

namespace pullback::cli {

// What the page of a comparison shows, as JSON for cli/report/*.js.
Json report_data(const Study& study, const CallRecord& record);

// A whole page around data: styles, Vega and scripts are in it, and nothing is fetched from anywhere.
std::string make_page(const std::string& title, const Json& data);

}  // namespace pullback::cli
