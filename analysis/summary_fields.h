// The fields of what is said of many geodesics and of Jacobians (base/fields.h).
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "pullback/analysis/characterisation.h"
#include "pullback/analysis/comparison_summary.h"
#include "pullback/analysis/distances.h"
#include "pullback/analysis/geodesic_places.h"
#include "pullback/analysis/maps.h"
#include "pullback/base/fields.h"
#include "pullback/solvers/result_fields.h"

namespace pullback {

namespace internal {

// A number where there is a curve.
inline double if_curve(const Curve& curve, double number) {
  return curve.empty() ? std::numeric_limits<double>::quiet_NaN() : number;
}

}  // namespace internal

// A limit that is none is not known.
inline double limit_field(double limit) { return limit > 0 ? limit : std::numeric_limits<double>::quiet_NaN(); }

template <MaybeConst<StudyPair> P, class V>
void visit_fields(P& pair, V&& visit) {
  visit("name", pair.name);
  visit("kind", pair.kind);
  visit("from", pair.from);
  visit("to", pair.to);
  std::optional<std::array<int, 2>> labels;
  if (pair.from_label && pair.to_label) labels = {*pair.from_label, *pair.to_label};
  visit("labels", std::move(labels));
}

template <MaybeConst<SolverSummary> S, class V>
void visit_fields(S& summary, V&& visit) {
  visit("solver", summary.solver);
  visit("runs", summary.runs);
  visit("solved", summary.solved);
  visit("solved_share", summary.solved_share());
  visit("median_ratio", summary.median_ratio);
  visit("worst_ratio", summary.worst_ratio);
  visit("median_seconds", summary.median_seconds);
  visit("median_evaluations", summary.median_evaluations);
  visit("terminations", summary.terminations);
}

// Rows of the table.
template <MaybeConst<DistanceMatrix> D, class V>
void visit_fields(D& matrix, V&& visit) {
  std::vector<Vector> rows;
  for (Eigen::Index i = 0; i < matrix.lengths.rows(); ++i) rows.emplace_back(matrix.lengths.row(i));
  visit("lengths", std::move(rows));
  visit("terminations", matrix.terminations);
}

template <MaybeConst<CurveInRegion> C, class V>
void visit_fields(C& curve, V&& visit) {
  visit("share_inside", curve.share_inside);
  visit("farthest", curve.farthest);
  visit("arc", curve.arc);
}

template <MaybeConst<GeodesicPlace> P, class V>
void visit_fields(P& place, V&& visit) {
  visit("pair", place.pair);
  visit("termination", place.termination);
  visit("length", place.length);
  visit("geodesic", place.geodesic);
  visit("straight", place.straight);
}

// With the levels of its quantiles.
template <MaybeConst<JacobianSurvey> S, class V>
void visit_fields(S& survey, V&& visit) {
  visit("where", survey.where);
  visit("points", survey.points);
  visit("undefined", survey.undefined);
  visit("singular", survey.singular);
  visit("levels", std::vector<double>(std::begin(kQuantileLevels), std::end(kQuantileLevels)));
  visit("kappa", survey.kappa);
  visit("sigma_max", survey.sigma_max);
  visit("sigma_min", survey.sigma_min);
  visit("magnification", survey.magnification);
  visit("reach", survey.reach);
  visit("collapsed", collapsed_coordinates(survey));
}

template <MaybeConst<PlaceFigures> F, class V>
void visit_fields(F& figures, V&& visit) {
  visit("points", figures.survey.points);
  visit("undefined", figures.survey.undefined);
  visit("singular", figures.survey.singular);
  visit("kappa", figures.survey.kappa);
  visit("kept_kappa", figures.kept_kappa);
  visit("scaled_kappa", figures.scaled_kappa);
  visit("log10_magnification", figures.log10_magnification);
  visit("variation", figures.variation);
  visit("variation_rms", figures.variation_rms);
}

template <MaybeConst<Characterisation> C, class V>
void visit_fields(C& characterisation, V&& visit) {
  visit("radius", characterisation.radius);
  visit("deviations", characterisation.deviations);
  visit("reach", characterisation.reach);
  visit("collapsed", characterisation.collapsed);
  visit("inside", characterisation.inside);
  visit("outside", characterisation.outside);
}

template <MaybeConst<Maps> M, class V>
void visit_fields(M& maps, V&& visit) {
  visit("x", std::array{maps.plane.x_low, maps.plane.x_high});
  visit("y", std::array{maps.plane.y_low, maps.plane.y_high});
  visit("grid", maps.grid);
  visit("magnification", maps.log_magnification);
  visit("condition", maps.log_condition);
  visit("distance", maps.log_distance);
}

}  // namespace pullback
