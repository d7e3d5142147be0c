#include "pullback/cli/step_text.h"

#include <fmt/format.h>

#include <cmath>

#include "pullback/cli/text.h"

namespace pullback::cli {
namespace {

std::string factor_text(double factor) {
  return std::isfinite(factor) ? fmt::format("{:.3g}", factor) : std::string("infinity");
}

Json rows_json(const Matrix& matrix) {
  Json rows = Json::array();
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) rows.push_back(as_json(Vector(matrix.row(i))));
  return rows;
}

}  // namespace

Json as_json(const std::vector<AppliedStep>& steps) {
  Json list = Json::array();
  for (const AppliedStep& step : steps) {
    Json entry = {{"step", step.text},
                  {"where", step.where},
                  {"points", step.points},
                  {"touched", step.touched},
                  {"length_factor", as_json(Eigen::Vector2d(step.least_factor, step.largest_factor))},
                  {"kappa_before", as_json(Vector(Eigen::Map<const Vector>(step.kappa_before.data(), 3)))},
                  {"kappa_after", as_json(Vector(Eigen::Map<const Vector>(step.kappa_after.data(), 3)))}};
    if (step.chart.size() > 0) entry["matrix"] = rows_json(step.chart);
    if (step.deviation.size() > 0) entry["deviation"] = as_json(step.deviation);
    if (step.raised_to > 0) entry["raised_to"] = step.raised_to;
    list.push_back(std::move(entry));
  }
  return list;
}

std::vector<std::string> describe(const std::vector<AppliedStep>& steps) {
  std::vector<std::string> sentences;
  for (const AppliedStep& step : steps) {
    std::string text = fmt::format("@{}: ", step.text);
    if (step.chart.size() > 0) {
      text += "a linear chart, which changes no length";
    } else if (step.touched == 0) {
      text += fmt::format("no length changes by over 1 % at {} points of {}", step.points, step.where);
    } else {
      text += fmt::format("lengths change by over 1 % at {:.1f} % of {} points of {}, by factors from {} to {}",
                          100 * step.touched, step.points, step.where, factor_text(step.least_factor),
                          factor_text(step.largest_factor));
    }
    text += fmt::format("; κ {} → {} (median), {} → {} (95\u00a0%).", format_number(step.kappa_before[1]),
                        format_number(step.kappa_after[1]), format_number(step.kappa_before[2]),
                        format_number(step.kappa_after[2]));
    sentences.push_back(std::move(text));
  }
  return sentences;
}

}  // namespace pullback::cli
