#include "pullback/solvers/verdict.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "pullback/solvers/second_variation.h"

namespace pullback {
namespace {

// A metric that is singular on more than this share of the curve is singular along a part of it, not at a point.
constexpr double kDegenerateShare = 0.02;

using Refusal = std::optional<Verdict>;

Refusal refuse(Termination termination, std::string message) { return Verdict{termination, std::move(message)}; }

// Whether the two lengths contradict each other, part by part.
Refusal doubt_of_length(const Certificate& c, const CertificateLimits& limits) {
  if (!(c.disagreement <= limits.accuracy * c.length)) {
    // Polylines that have settled beside a quadrature that has too: it is the derivatives that are wrong.
    if (c.disagreement > 2 * c.refinement && c.refinement <= limits.accuracy * c.length) {
      return refuse(Termination::kDegenerate,
                    c.has_generator
                        ? fmt::format("the Jacobian does not see what the generator does: ambient length {:.6g}, "
                                      "integral of the speed {:.6g} (a jump, or a wrong Jacobian)",
                                      c.length, c.metric_length)
                        : fmt::format("the metric jumps on the way: length of the chords {:.6g}, integral of the speed "
                                      "{:.6g}",
                                      c.length, c.metric_length));
    }
    return refuse(Termination::kStalled,
                  fmt::format("parts of the curve are shorter as chords than as arcs however finely it is divided: "
                              "{:.6g} by chords, {:.6g} by the speed (it passes a pole, or a fold, too fast)",
                              c.length, c.metric_length));
  }
  if (!(c.numerical_error <= limits.accuracy * c.length)) {
    return refuse(Termination::kStalled, fmt::format("its length is known to {:.1g} (relative) only, {:.6g} ± {:.2g}",
                                                     c.numerical_error / c.length, c.length, c.numerical_error));
  }
  return {};
}

Refusal doubt_of_metric(const Certificate& c) {
  if (!(c.condition.degenerate_fraction > kDegenerateShare)) return {};
  return refuse(
      Termination::kDegenerate,
      fmt::format("the metric is numerically singular on {:.0f} % of the curve, which is one of many of this length",
                  100 * c.condition.degenerate_fraction));
}

// Where the map has kinks, by values of the length alone.
Refusal doubt_by_values(const Certificate& c, const CertificateLimits& limits) {
  if (c.smooth || c.shortening <= limits.relative_excess) return {};
  return refuse(Termination::kStalled,
                fmt::format("but moving parts of it aside shortens the curve by {:.2g} (relative)", c.shortening));
}

Refusal doubt_by_derivatives(const Certificate& c, const CertificateLimits& limits) {
  if (c.smooth && !(c.max_turning_angle <= limits.max_turning_angle)) {
    return refuse(
        Termination::kStalled,
        c.max_turning_angle < M_PI
            ? fmt::format("but the curve turns by {:.2g} radians within {:.2g} of its length: too sharply for "
                          "its second variation to be measured",
                          c.max_turning_angle, 2.0 / kMostVariationChords)
            : fmt::format("but even chords of {:.2g} of its length jump over parts of the curve",
                          1.0 / kMostVariationChords));
  }
  if (!(c.relative_excess <= limits.relative_excess)) {
    return refuse(
        Termination::kStalled,
        fmt::format("but the certificate finds the curve about {:.2g} (relative) longer than a geodesic nearby",
                    c.relative_excess));
  }
  if (!c.smooth) return {};
  if (!(c.speed_variation <= limits.speed_variation)) {
    return refuse(Termination::kStalled,
                  fmt::format("but its speed varies by {:.2g} of the mean, a geodesic's does not", c.speed_variation));
  }
  return {};
}

Refusal doubt_of_minimum(const Certificate& c, const CertificateLimits& limits) {
  if (c.second_variation - c.second_variation_error > limits.second_variation * kFlatSecondVariation) return {};
  const std::string where =
      c.conjugate_point ? fmt::format("; first conjugate point at t = {:.4f}", *c.conjugate_point) : "";
  return refuse(
      Termination::kStationary,
      fmt::format("a geodesic, but not certainly a local minimum: smallest eigenvalue of the second variation "
                  "{:.3g} ± {:.1g}{}",
                  c.second_variation, c.second_variation_error, where));
}

}  // namespace

Verdict judge(const Certificate& c, Termination claim, const std::string& message, const CertificateLimits& limits) {
  if (!c.complete) return {claim == Termination::kConverged ? Termination::kTimeLimit : claim, message};
  if (!std::isfinite(c.length)) {
    return {Termination::kNumericalFailure, message + "; the curve leaves the domain of the metric"};
  }
  if (claim != Termination::kConverged) return {claim, message};
  if (c.endpoint_error > 0) {
    return {Termination::kStalled, fmt::format("the curve misses its end points by {:.2g}", c.endpoint_error)};
  }
  if (auto refusal = doubt_of_length(c, limits)) return *refusal;
  if (auto refusal = doubt_of_metric(c)) return *refusal;
  for (const auto doubt : {doubt_by_values, doubt_by_derivatives}) {
    if (auto refusal = doubt(c, limits)) return {refusal->termination, message + ", " + refusal->message};
  }
  if (auto refusal = doubt_of_minimum(c, limits)) return *refusal;
  if (c.shorter_known) {
    return {Termination::kConverged, fmt::format("{}; a shorter curve is known ({:.6g})", message, *c.shorter_known)};
  }
  return {Termination::kConverged, message};
}

}  // namespace pullback
