// What solvers start from, and whether a curve stayed with its start.
#pragma once

#include <optional>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/relaxation.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// The constant curve where both ends are one point, which it joins without length; nothing elsewhere. For methods that
// divide by the length. It is claimed to have converged, or to have been stopped where the context says so.
PULLBACK_EXPORT std::optional<RawSolution> solution_of_a_point(const GeodesicProblem& problem, SolveContext& context);

// chords+1 nodes at equal distances on the initial curve, n×(chords+1), the first and last being exactly the ends.
// Cost: that of constant_speed_times (curve.h).
PULLBACK_EXPORT Matrix starting_nodes(const GeodesicProblem& problem, int chords, Workspace& ws);

// The options of a relaxation that ends when the solve does and whose curves the context keeps. The context must
// outlive it.
PULLBACK_EXPORT RelaxationOptions relaxation_within(SolveContext& context, int iterations);

// A curve may be longer than the chords of another, by this fraction, and still be the same: it covers what they cut
// off.
inline constexpr double kLongerThanChords = 1e-3;

// The length of a start by chords fine enough for that: 512. Cost: 513 values.
PULLBACK_EXPORT double length_of_start(const Manifold& manifold, const Curve& start, Workspace& ws);

// Says in the message that the geodesic equation does not see kinks, where the manifold has them. For methods that
// solve that equation.
PULLBACK_EXPORT void mention_kinks(const Manifold& manifold, RawSolution& solution);

}  // namespace pullback
