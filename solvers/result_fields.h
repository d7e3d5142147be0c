// The fields of what a solver returns (base/fields.h).
#pragma once

#include <cmath>
#include <limits>

#include "pullback/base/fields.h"
#include "pullback/generators/generator_fields.h"
#include "pullback/solvers/certificate.h"
#include "pullback/solvers/result.h"

namespace pullback {

constexpr Termination last_of(Termination) { return Termination::kStopped; }

// An infinite condition number is not known as a number, and said to be infinite.
template <MaybeConst<Condition> C, class V>
void visit_fields(C& condition, V&& visit) {
  bool infinite = std::isinf(condition.kappa_max);
  visit("kappa_max", condition.kappa_max);
  visit("kappa_infinite", infinite);
  if constexpr (!std::is_const_v<C>) {
    if (infinite) condition.kappa_max = std::numeric_limits<double>::infinity();
  }
  visit("sigma_min", condition.sigma_min);
  visit("degenerate", condition.degenerate);
  visit("degenerate_fraction", condition.degenerate_fraction);
  visit("regularisation", condition.regularisation);
}

template <MaybeConst<Certificate> C, class V>
void visit_fields(C& certificate, V&& visit) {
  visit("length", certificate.length);
  visit("energy", certificate.energy);
  visit("length_error", certificate.length_error);
  visit("endpoint_error", certificate.endpoint_error);
  visit("speed_variation", certificate.speed_variation);
  visit("residual", certificate.residual);
  visit("second_variation", certificate.second_variation);
  visit("second_variation_error", certificate.second_variation_error);
  visit("max_turning_angle", certificate.max_turning_angle);
  visit("conjugate_point", certificate.conjugate_point);
  visit("condition", certificate.condition);
  visit("shorter_known", certificate.shorter_known);
  visit("metric_length", certificate.metric_length);
  visit("relative_excess", certificate.relative_excess);
  visit("numerical_error", certificate.numerical_error);
  visit("disagreement", certificate.disagreement);
  visit("refinement", certificate.refinement);
  visit("shortening", certificate.shortening);
  visit("derivatives.first", certificate.first_derivative);
  visit("derivatives.second", certificate.second_derivative);
  visit("derivatives.error", certificate.derivative_error);
  visit("complete", certificate.complete);
}

template <MaybeConst<Effort> E, class V>
void visit_fields(E& effort, V&& visit) {
  visit("values", effort.evaluations.values);
  visit("jacobians", effort.evaluations.jacobians);
  visit("second_derivatives", effort.evaluations.second_derivatives);
  visit("products", effort.evaluations.products);
  visit("metrics", effort.evaluations.metrics);
  visit("iterations", effort.iterations);
  visit("seconds", effort.seconds);
  visit("solver_seconds", effort.solver_seconds);
  visit("certificate_seconds", effort.certificate_seconds);
  visit("generator_seconds", effort.evaluations.seconds);
}

// What is said of a result's certificate: where there is no curve, nothing but which shorter one was met.
inline Certificate reported_certificate(const GeodesicResult& result) {
  if (!result.curve.empty()) return result.certificate;
  Certificate certificate = unmeasured_certificate();
  certificate.shorter_known = result.certificate.shorter_known;
  return certificate;
}

// Without its curve; written with the certificate as it is reported.
template <MaybeConst<GeodesicResult> R, class V>
void visit_fields(R& result, V&& visit) {
  const Certificate reported = reported_certificate(result);
  visit("termination", result.termination);
  visit("message", result.message);
  visit("length", double(reported.length));
  visit("length_error", double(reported.length_error));
  visit("energy", double(reported.energy));
  visit("seconds", double(result.effort.seconds));
  visit("certificate.termination", Termination(result.termination));
  if constexpr (std::is_const_v<R>) {
    visit("certificate", reported);
  } else {
    visit("certificate", result.certificate);
  }
  visit("effort", result.effort);
}

}  // namespace pullback
