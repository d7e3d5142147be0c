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

// Whether two curves of about the same length go the same way: their greatest distance at equal fractions, by chords,
// is at most this fraction of the length.
bool same_way(const Manifold& manifold, const Start& a, const Start& b, Workspace& ws);

}  // namespace pullback
