#include "pullback/cli/transform_text.h"

#include <fmt/format.h>

#include <cmath>

#include "pullback/analysis/text.h"

namespace pullback::cli {
namespace {

std::string factor_text(double factor) {
  return std::isfinite(factor) ? fmt::format("{:.3g}", factor) : std::string("infinity");
}

}  // namespace

std::vector<std::string> describe(const std::vector<AppliedTransform>& transforms) {
  std::vector<std::string> sentences;
  for (const AppliedTransform& transform : transforms) {
    std::string text = fmt::format("@{}: ", transform.text);
    if (transform.chart.size() > 0) {
      text += "a linear chart, which changes no length";
    } else if (transform.touched == 0) {
      text += fmt::format("no length changes by over 1 % at {} points of {}", transform.points, transform.where);
    } else {
      text += fmt::format("lengths change by over 1 % at {:.1f} % of {} points of {}, by factors from {} to {}",
                          100 * transform.touched, transform.points, transform.where,
                          factor_text(transform.least_factor), factor_text(transform.largest_factor));
    }
    text += fmt::format("; κ {} → {} (median), {} → {} (95\u00a0%).", format_number(transform.kappa_before[1]),
                        format_number(transform.kappa_after[1]), format_number(transform.kappa_before[2]),
                        format_number(transform.kappa_after[2]));
    sentences.push_back(std::move(text));
  }
  return sentences;
}

}  // namespace pullback::cli
