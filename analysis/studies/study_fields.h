// The fields of what the studies find (base/fields.h).
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "pullback/analysis/studies/conditioning_summary.h"
#include "pullback/analysis/studies/jacobian_groups.h"
#include "pullback/analysis/studies/uncertainty.h"
#include "pullback/analysis/summary_fields.h"
#include "pullback/base/statistics.h"

namespace pullback {

namespace internal {

inline std::array<double, 3> quartiles(const std::vector<double>& values) {
  return {quantile(values, 0.25), quantile(values, 0.5), quantile(values, 0.75)};
}

inline std::array<double, 2> share_interval(int successes, int trials) {
  const Interval interval = wilson_interval(successes, trials);
  return {interval.low, interval.high};
}

}  // namespace internal

constexpr ClaimOutcome last_of(ClaimOutcome) { return ClaimOutcome::kUnclaimed; }

template <MaybeConst<ConditioningSettings> S, class V>
void visit_fields(S& settings, V&& visit) {
  visit("solvers", settings.solvers);
  visit("families", settings.families);
  visit("dimensions", settings.dimensions);
  visit("kappas", settings.kappas);
  visit("pairs", settings.pairs);
  visit("seed", settings.seed);
  visit("time_limit", limit_field(settings.time_limit));
  visit("solved_tolerance", double(kSolvedTolerance));
}

template <MaybeConst<ConditioningJob> J, class V>
void visit_fields(J& job, V&& visit) {
  visit("panel", job.panel);
  visit("kappa", job.kappa);
  visit("pair", job.pair);
  visit("solver", job.solver);
}

template <MaybeConst<BaseCheck> B, class V>
void visit_fields(B& base, V&& visit) {
  visit("length", base.length);
  visit("relative_excess", base.relative_excess);
  visit("termination", base.termination);
}

// Shares with their 95 % intervals, seconds and evaluations as quartiles.
template <MaybeConst<ConditioningCell> C, class V>
void visit_fields(C& cell, V&& visit) {
  const int solved = cell.count(ClaimOutcome::kSolved);
  const int wrong = cell.count(ClaimOutcome::kFalse);
  visit("runs", int(cell.runs));
  visit("solved", int(solved));
  visit("longer", cell.count(ClaimOutcome::kLonger));
  visit("false", int(wrong));
  visit("unclaimed", cell.count(ClaimOutcome::kUnclaimed));
  visit("terminations", cell.terminations);
  visit("solved_interval", internal::share_interval(solved, cell.runs));
  visit("false_interval", internal::share_interval(wrong, cell.runs));
  visit("seconds", internal::quartiles(cell.seconds));
  visit("evaluations", internal::quartiles(cell.evaluations));
}

template <MaybeConst<CurvesInRegion> C, class V>
void visit_fields(C& curves, V&& visit) {
  visit("curves", curves.curves);
  visit("share_inside", curves.share_inside);
  visit("farthest", curves.farthest);
  visit("farthest_of_all", curves.farthest_of_all);
}

template <MaybeConst<JacobianModel> M, class V>
void visit_fields(M& model, V&& visit) {
  visit("label", model.label);
  visit("specification", model.specification);
  visit("kind", model.kind);
  visit("latent_dimension", model.latent_dimension);
  visit("ambient_dimension", model.ambient_dimension);
  visit("quality", model.quality);
  visit("quality_measure", model.quality_measure);
  visit("figures", model.figures);
  visit("solvers", model.solvers);
  visit("geodesics", model.geodesics);
}

template <MaybeConst<GroupCell> C, class V>
void visit_fields(C& cell, V&& visit) {
  visit("median", cell.median);
  visit("low", cell.low);
  visit("high", cell.high);
  visit("infinite", bool(std::isinf(cell.high)));
}

// A curve's length and place; nothing is known of a curve that is none.
template <MaybeConst<LocatedResult> L, class V>
void visit_fields(L& located, V&& visit) {
  const GeodesicResult& result = located.result;
  visit("termination", Termination(result.termination));
  visit("length", internal::if_curve(result.curve, result.certificate.length));
  visit("share_inside", internal::if_curve(result.curve, located.where.share_inside));
  visit("farthest", internal::if_curve(result.curve, located.where.farthest));
  visit("arc", internal::if_curve(result.curve, located.where.arc));
  visit("seconds", double(result.effort.seconds));
}

template <MaybeConst<UncertaintySummary> S, class V>
void visit_fields(S& summary, V&& visit) {
  visit("curves", summary.curves);
  visit("converged", summary.converged);
  visit("mean_share", summary.mean_share);
  visit("lowest_share", summary.lowest_share);
  visit("leaving", summary.leaving);
  visit("farthest", summary.farthest);
  visit("arc", summary.arc);
  visit("seconds", summary.seconds);
}

}  // namespace pullback
