#include "pullback/solvers/iteration_status.h"

#include <fmt/format.h>

#include "pullback/solvers/solver.h"

namespace pullback {
namespace {

std::string counted(int iterations) { return fmt::format("{} iteration{}", iterations, iterations == 1 ? "" : "s"); }

}  // namespace

Termination claim_of(IterationStatus status, const SolveContext& context) {
  switch (status) {
    case IterationStatus::kConverged:
    case IterationStatus::kSaddle:
      return Termination::kConverged;
    case IterationStatus::kMaxIterations:
      return Termination::kMaxIterations;
    case IterationStatus::kStopped:
      return context.stop_reason();
    case IterationStatus::kNotFinite:
      return Termination::kNumericalFailure;
    case IterationStatus::kStalled:
    case IterationStatus::kUnresolved:
    case IterationStatus::kSingular:
      break;
  }
  return Termination::kStalled;
}

std::string describe(IterationStatus status, int chords, int iterations) {
  switch (status) {
    case IterationStatus::kConverged:
      return fmt::format("energy minimised with {} chords, {} at the last", chords, counted(iterations));
    case IterationStatus::kSaddle:
      return fmt::format("ended in a saddle of the energy of {} chords, {} at the last", chords, counted(iterations));
    case IterationStatus::kMaxIterations:
      return fmt::format("the energy of {} chords still falls after {}; raise max_iterations", chords,
                         counted(iterations));
    case IterationStatus::kStopped:
      return fmt::format("stopped after {} with {} chords", counted(iterations), chords);
    case IterationStatus::kUnresolved:
      return fmt::format("{} chords are too few to resolve the curve; raise max_nodes", chords);
    case IterationStatus::kSingular:
      return fmt::format("the equations of a step on {} chords have no solution: the metric vanishes on the way",
                         chords);
    case IterationStatus::kNotFinite:
      return fmt::format("the energy of {} chords or a derivative of it is not finite; the curve is the last one",
                         chords);
    case IterationStatus::kStalled:
      break;
  }
  return fmt::format(
      "no step lowers the energy of {} chords after {}: a kink, a jump or a metric that vanishes; the curve "
      "is the lowest found",
      chords, counted(iterations));
}

}  // namespace pullback
