// A judge of claims that shares nothing with the library: its own evaluation of the curve, its own derivatives, its own
// quadrature, in extended precision.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pullback/solvers/result.h"
#include "tests/hunt/truth.h"

namespace pullback::hunt {

// What is known of a problem without solving it. Lengths are of curves in the chart that join the ends.
struct Known {
  std::optional<Real> infimum = {};  // of all lengths
  bool complete = false;             // `lengths` are those of all geodesics that are local minima; none: there are none
  std::vector<Real> lengths = {};
  bool unique = false;  // at most one geodesic joins the ends, whatever its length
};

enum class Falsehood {
  kNone,
  kEnds,          // the curve does not join the ends
  kLength,        // the length reported is not the curve's
  kJump,          // the curve crosses a jump of the map
  kNoGeodesic,    // there is none
  kNotTheLength,  // every geodesic has another length
  kShortened,     // a curve nearby is shorter
  kSaddle,        // a curve nearby is shorter, to second order
  kShorterKnown,  // no curve is as short as the one said to be known
};
const char* to_string(Falsehood falsehood);

// Tolerances of the judge; a claim of convergence is one of a relative accuracy of 1e-6.
inline constexpr Real kClaimAccuracy = 1e-6L;
inline constexpr Real kInfimumSlack = 1e-9L;

struct Verdict {
  bool claimed = false;  // converged
  Falsehood falsehood = Falsehood::kNone;
  std::string why;  // for people; empty unless false
  // |length reported − length of the curve returned| in units of the error bar; 0 where no length was reported.
  double bar_ratio = 0;
  Real length = 0;        // of the curve returned, by the judge
  Real gain = 0;          // relative, of the shorter curve that was found
  bool measured = false;  // there was a curve, and its length could be measured to 1e-9
  bool joins = false;     // the curve joins the ends
  long evaluations = 0;
};

// Judges one result. Only a claim of convergence can be false, or a shorter curve said to be known.
Verdict judge_result(const Truth& truth, const Known& known, const Vector& from, const Vector& to,
                     const GeodesicResult& result);

}  // namespace pullback::hunt
