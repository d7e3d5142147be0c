// The curves that compete in `auto`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pullback/manifold/curves/curve.h"
#include "pullback/solvers/solver.h"
#include "pullback/solvers/verdict.h"

namespace pullback {

// A curve with what the certificate says of it.
struct Candidate {
  Curve curve;
  Certificate certificate;
  Verdict verdict{Termination::kNumericalFailure, ""};
  std::string origin;  // which solver, from where
  std::optional<double> regularisation;

  bool converged() const { return verdict.termination == Termination::kConverged; }
};

// Certified: how the claim of a solver stands.
Candidate certified(const GeodesicProblem& problem, RawSolution solution, std::string origin, SolveContext& context);

// Whether a is to be preferred: converged before not, then the clearly shorter, then the better kind of ending.
bool better(const Candidate& a, const Candidate& b);

struct Start {
  Curve curve;
  std::string origin;
  double length = 0;
};

// The starts relaxed by a few steps on few chords, shortest first; of those that came to the same curve, one.
std::vector<Start> relaxed_and_sorted(const GeodesicProblem& problem, std::vector<Start> starts, int iterations,
                                      SolveContext& context);

// A curve on few chords, about equally long.
struct CoarseCurve {
  Matrix nodes;       // n×33
  double length = 0;  // by its chords
};

// The places of a curve at constant speed. Cost: 33 values.
CoarseCurve coarse(const Manifold& manifold, const Curve& curve, Workspace& ws);

struct DescentBounds {
  int iterations;
  double worthwhile;  // of a step, in the energy
};

// Moves it by Gauss–Newton steps on the energy of its chords. Cost: 33 Jacobians and values a step.
void descend(const Manifold& manifold, CoarseCurve& curve, const DescentBounds& bounds, SolveContext& context);

// Whether they go the same way: see same_way. Cost: 34 values where their lengths agree.
bool same_places(const Manifold& manifold, const CoarseCurve& a, const CoarseCurve& b, Workspace& ws);

// Whether two curves of about the same length go the same way: their greatest distance at equal fractions, by chords,
// is at most this fraction of the length.
bool same_way(const Manifold& manifold, const Start& a, const Start& b, Workspace& ws);

}  // namespace pullback
