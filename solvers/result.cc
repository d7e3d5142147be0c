#include "pullback/solvers/result.h"

namespace pullback {

const char* to_string(Termination termination) {
  switch (termination) {
    case Termination::kConverged:
      return "converged";
    case Termination::kStationary:
      return "stationary";
    case Termination::kMaxIterations:
      return "max_iterations";
    case Termination::kTimeLimit:
      return "time_limit";
    case Termination::kStalled:
      return "stalled";
    case Termination::kDegenerate:
      return "degenerate";
    case Termination::kNumericalFailure:
      return "numerical_failure";
    case Termination::kStopped:
      return "stopped";
  }
  return "unknown";
}

}  // namespace pullback
