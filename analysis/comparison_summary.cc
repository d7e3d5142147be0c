#include "pullback/analysis/comparison_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "pullback/analysis/text.h"
#include "pullback/base/statistics.h"

namespace pullback {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The ends of a curve that counts as one between the pair's points are off by at most this fraction of their distance.
constexpr double kSameEnds = 1e-6;

bool joins(const GeodesicResult& result, const StudyPair& pair) {
  return !result.curve.empty() && std::isfinite(result.certificate.length) &&
         result.certificate.endpoint_error <= kSameEnds * (pair.to - pair.from).norm();
}

SolverSummary summarise_solver(const Study& study, const StudyPart& part, std::size_t solver,
                               const std::vector<double>& best) {
  SolverSummary summary;
  summary.solver = study.solvers[solver];
  std::vector<double> ratios;
  std::vector<double> seconds;
  std::vector<double> evaluations;
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    const auto& result = study.result(part, i, solver);
    if (!result) continue;
    ++summary.runs;
    summary.solved += is_solved(*result, best[i]) ? 1 : 0;
    ++summary.terminations[to_string(result->termination)];
    ratios.push_back(length_ratio(*result, best[i]));
    seconds.push_back(result->effort.seconds);
    evaluations.push_back(static_cast<double>(evaluation_count(result->effort)));
  }
  summary.worst_ratio = ratios.empty() ? kInfinity : *std::ranges::max_element(ratios);
  summary.median_ratio = quantile(std::move(ratios), 0.5);
  summary.median_seconds = quantile(std::move(seconds), 0.5);
  summary.median_evaluations = quantile(std::move(evaluations), 0.5);
  return summary;
}

// 1 where the best is met to all digits shown, so that a column of ratios can be read at a glance.
std::string format_ratio(double ratio) { return std::isfinite(ratio) ? fmt::format("{:.4f}", ratio) : "-"; }

std::string summary_table(const std::vector<SolverSummary>& summary) {
  Table table({"solver", "solved", "median", "worst", "time", "evaluations", "terminations"});
  for (const SolverSummary& row : summary) {
    table.add({row.solver, fmt::format("{:.1f} %", 100 * row.solved_share()), format_ratio(row.median_ratio),
               format_ratio(row.worst_ratio), format_seconds(row.median_seconds),
               std::isfinite(row.median_evaluations) ? fmt::format("{:.0f}", row.median_evaluations) : "-",
               format_counts(row.terminations)});
  }
  return table.str({0, 6});
}

}  // namespace

std::vector<double> best_lengths(const Study& study, const StudyPart& part) {
  std::vector<double> best(part.pairs.size(), kInfinity);
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    for (std::size_t s = 0; s < study.solvers.size(); ++s) {
      const auto& result = study.result(part, i, s);
      if (!result) continue;
      if (joins(*result, part.pairs[i])) best[i] = std::min(best[i], result->certificate.length);
      if (result->certificate.shorter_known) best[i] = std::min(best[i], *result->certificate.shorter_known);
    }
    if (std::isinf(best[i])) best[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return best;
}

bool is_solved(const GeodesicResult& result, double best) {
  return result.termination == Termination::kConverged && length_ratio(result, best) <= 1 + kSolvedTolerance;
}

double length_ratio(const GeodesicResult& result, double best) {
  const double ratio = result.curve.empty() ? kInfinity : result.certificate.length / best;
  return std::isfinite(ratio) ? ratio : kInfinity;
}

std::int64_t evaluation_count(const Effort& effort) {
  const EvaluationCounts& counts = effort.evaluations;
  return counts.values + counts.jacobians + counts.second_derivatives + counts.products + counts.metrics;
}

std::vector<SolverSummary> summarise(const Study& study, const StudyPart& part) {
  const std::vector<double> best = best_lengths(study, part);
  std::vector<SolverSummary> summary;
  for (std::size_t s = 0; s < study.solvers.size(); ++s) summary.push_back(summarise_solver(study, part, s, best));
  return summary;
}

PerformanceProfile performance_profile(const Study& study, const StudyPart& part) {
  const std::vector<double> best = best_lengths(study, part);
  PerformanceProfile profile;
  profile.ratios.resize(study.solvers.size());
  for (std::size_t i = 0; i < part.pairs.size(); ++i) {
    std::vector<double> seconds(study.solvers.size(), kInfinity);
    bool all = true;  // a pair that only some have tried says nothing about the others
    for (std::size_t s = 0; s < study.solvers.size(); ++s) {
      const auto& result = study.result(part, i, s);
      all = all && result.has_value();
      if (result && is_solved(*result, best[i])) seconds[s] = result->effort.seconds;
    }
    if (!all) continue;
    ++profile.pairs;
    const double fastest = *std::ranges::min_element(seconds);
    for (std::size_t s = 0; s < study.solvers.size(); ++s) {
      if (std::isfinite(seconds[s])) profile.ratios[s].push_back(seconds[s] / fastest);
    }
  }
  for (auto& ratios : profile.ratios) std::ranges::sort(ratios);
  return profile;
}

std::string comparison_table(const Study& study) {
  std::string text;
  for (const StudyPart& part : study.parts) {
    const std::vector<SolverSummary> summary = summarise(study, part);
    text += fmt::format("{}  ({} pairs)\n{}\n", part.space.name, part.pairs.size(), summary_table(summary));
  }
  return text +
         fmt::format(
             "solved: converged, and within {:g} % of the best length known for the pair; median and worst: length\n"
             "over that best length; time: median of solver and certificate; evaluations: median, in points.\n",
             100 * kSolvedTolerance);
}

}  // namespace pullback
