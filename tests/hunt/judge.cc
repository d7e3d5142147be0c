#include "tests/hunt/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/hunt/descent.h"
#include "tests/hunt/path.h"

namespace pullback::hunt {
namespace {

constexpr Real kMeasured = 1e-9L;  // a length known to this is good enough to judge by
constexpr Real kUlps = 4 * std::numeric_limits<double>::epsilon();

// Metric length of the straight way from where the curve ends to where it should.
Real miss(const Truth& truth, const Vector& is, const Vector& should) {
  RealVector z(is.size());
  RealVector v(is.size());
  for (Eigen::Index i = 0; i < is.size(); ++i) {
    z(i) = is(i);
    v(i) = static_cast<Real>(should(i)) - static_cast<Real>(is(i));
  }
  if (v.norm() == 0) return 0;
  return truth.speed(z.data(), v.data());
}

void refute(Verdict& verdict, Falsehood falsehood, std::string why) {
  verdict.falsehood = falsehood;
  verdict.why = std::move(why);
}

// The error bar of the length, whatever is claimed of the curve.
void judge_bar(const Arc& arc, const Certificate& c, Verdict& verdict) {
  const Real off = std::abs(static_cast<Real>(c.length) - arc.length);
  const Real beyond_doubt = off - arc.error - kUlps * arc.length;
  if (!(beyond_doubt > 0)) return;
  const Real bar = std::max<Real>(c.length_error, 0);
  verdict.bar_ratio = static_cast<double>(std::min(bar > 0 ? beyond_doubt / bar : 1e300L, 1e300L));
}

// False by what is known of the problem.
bool refuted_by_knowledge(const Known& known, const Arc& arc, Verdict& verdict) {
  if (!known.complete) return false;
  if (known.lengths.empty()) {
    refute(verdict, Falsehood::kNoGeodesic,
           fmt::format("no geodesic joins the ends (infimum {:.15Lg}); the curve has length {:.15Lg}",
                       known.infimum.value_or(0), arc.length));
    return true;
  }
  const auto distance_to = [&](Real length) { return std::abs(arc.length - length); };
  const Real nearest = *std::ranges::min_element(known.lengths, {}, distance_to);
  if (distance_to(nearest) <= kClaimAccuracy * nearest + arc.error) return false;
  refute(verdict, Falsehood::kNotTheLength,
         fmt::format("the nearest geodesic has length {:.15Lg}, the curve {:.15Lg} ({:+.2Lg} relative)", nearest,
                     arc.length, arc.length / nearest - 1));
  return true;
}

void judge_claim(const Truth& truth, const Known& known, const Path& path, const Arc& arc, const GeodesicResult& result,
                 Verdict& verdict) {
  const Certificate& c = result.certificate;
  const Real off = std::abs(static_cast<Real>(c.length) - arc.length);
  if (arc.jumps > 0) {
    refute(verdict, Falsehood::kJump, fmt::format("the curve crosses a jump of the map of {:.3Lg}", arc.jumps));
  } else if (refuted_by_knowledge(known, arc, verdict)) {
    return;
  } else if (!(off <= kClaimAccuracy * arc.length + arc.error)) {
    refute(
        verdict, Falsehood::kLength,
        fmt::format("length {:.15g} ± {:.2g} reported, the curve has {:.15Lg}", c.length, c.length_error, arc.length));
  } else if (arc.length > 0) {
    const Descent descent = shorten(truth, path, arc, kClaimAccuracy);
    verdict.gain = descent.gain;
    verdict.evaluations += descent.evaluations;
    if (descent.gain <= kClaimAccuracy) return;
    refute(verdict, descent.by_waves ? Falsehood::kSaddle : Falsehood::kShortened,
           fmt::format("a curve nearby is shorter by {:.2Lg} (relative){}", descent.gain,
                       descent.by_waves ? fmt::format("; softest wave {:.2Lg}", descent.softest) : ""));
  }
}

}  // namespace

const char* to_string(Falsehood falsehood) {
  switch (falsehood) {
    case Falsehood::kNone:
      return "none";
    case Falsehood::kEnds:
      return "ends";
    case Falsehood::kLength:
      return "length";
    case Falsehood::kJump:
      return "jump";
    case Falsehood::kNoGeodesic:
      return "no-geodesic";
    case Falsehood::kNotTheLength:
      return "not-the-length";
    case Falsehood::kShortened:
      return "shortened";
    case Falsehood::kSaddle:
      return "saddle";
    case Falsehood::kShorterKnown:
      return "shorter-known";
  }
  return "?";
}

Verdict judge_result(const Truth& truth, const Known& known, const Vector& from, const Vector& to,
                     const GeodesicResult& result) {
  Verdict verdict;
  verdict.claimed = result.termination == Termination::kConverged;
  if (!result.curve.finite()) {
    if (verdict.claimed) refute(verdict, Falsehood::kEnds, "converged without a curve, or with one that is not finite");
    return verdict;
  }
  const Path path(result.curve);
  const Arc arc = measure_path(truth, path);
  verdict.length = arc.length;
  verdict.evaluations = arc.evaluations;
  verdict.measured = arc.complete && std::isfinite(arc.length) && arc.error <= kMeasured * arc.length;
  if (!std::isfinite(arc.length)) {
    if (verdict.claimed) refute(verdict, Falsehood::kLength, "the curve leaves the domain: its length is not finite");
    return verdict;
  }
  if (std::isfinite(result.certificate.length) && verdict.measured) judge_bar(arc, result.certificate, verdict);
  const std::optional<double> shorter = result.certificate.shorter_known;
  if (shorter && known.infimum && *shorter < *known.infimum * (1 - kInfimumSlack)) {
    refute(verdict, Falsehood::kShorterKnown,
           fmt::format("shorter_known {:.15g}, but no curve is shorter than {:.15Lg}", *shorter, *known.infimum));
  }
  const Real missed = std::max(miss(truth, result.curve.positions().col(0), from),
                               miss(truth, result.curve.positions().rightCols(1), to));
  verdict.joins = missed <= kClaimAccuracy * arc.length;
  if (!verdict.claimed) return verdict;
  if (!verdict.joins) {
    refute(verdict, Falsehood::kEnds, fmt::format("the curve misses its ends by {:.2Lg} (metric)", missed));
    return verdict;
  }
  if (verdict.falsehood == Falsehood::kNone) judge_claim(truth, known, path, arc, result, verdict);
  return verdict;
}

}  // namespace pullback::hunt
