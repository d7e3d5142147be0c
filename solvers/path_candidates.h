// Paths that compete to be a start: of solvers that search, and claim no geodesic.
#pragma once

#include <vector>

#include "pullback/base/export.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// A curve that competes, with its length by chords.
struct PULLBACK_EXPORT PathCandidate {
  Curve curve;
  double length;
};
PULLBACK_EXPORT bool is_shorter(const PathCandidate& a, const PathCandidate& b);

// A path straightened by at most `iterations` descent steps on the energy of `pieces` chords (relaxed()); 0: as it is.
// Its length is that of four chords a piece.
// Cost: pieces+1 Jacobians a step; four values a piece. Errors: StopRequested.
PULLBACK_EXPORT PathCandidate straightened_path(const GeodesicProblem& problem, Curve path, int pieces, int iterations,
                                                SolveContext& context);

// The context keeps the shortest of them, which are not to be empty.
PULLBACK_EXPORT void keep_shortest(const std::vector<PathCandidate>& paths, SolveContext& context);

// What the straight line between the ends, and the paths found, make of one another.
struct PULLBACK_EXPORT ShortestPath {
  Curve curve;  // of all
  double straight_length;
  double path_length;  // of the shortest path found
  bool straight() const { return straight_length <= path_length; }
};

// The shortest of the paths, which are not to be empty, and the straight line; the context is told of the others as
// met, the straight line or what beats it first. Cost: four values a piece.
PULLBACK_EXPORT ShortestPath shortest_path(const GeodesicProblem& problem, std::vector<PathCandidate> paths, int pieces,
                                           SolveContext& context);

}  // namespace pullback
