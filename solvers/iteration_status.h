// How an iteration ended, and what a solver claims and says then.
#pragma once

#include <string>

#include "pullback/base/export.h"
#include "pullback/solvers/result.h"

namespace pullback {

class SolveContext;

// How an iteration on a curve ended. A solver uses those of these that can happen to it.
enum class IterationStatus {
  kConverged,
  kSaddle,         // at a stationary point that is not a minimum
  kMaxIterations,  // it still moved
  kStalled,        // no step improves it
  kUnresolved,     // too few nodes for what the curve meets: more may do
  kSingular,       // the equations of a step have no solution
  kNotFinite,      // a value or a derivative is NaN or infinite
  kStopped         // SolveContext::should_stop said so
};

// What a solver claims whose iteration ended so: kConverged for both kinds of stationary points, of which the
// certificate says what they are; the context's reason where it was stopped; kNumericalFailure where something is not
// finite; kStalled for the rest.
PULLBACK_EXPORT Termination claim_of(IterationStatus status, const SolveContext& context);

// What the discrete curve of `chords` chords then is, for people, after `iterations` iterations on it.
PULLBACK_EXPORT std::string describe(IterationStatus status, int chords, int iterations);

}  // namespace pullback
