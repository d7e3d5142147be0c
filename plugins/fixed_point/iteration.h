// The fixed-point iteration for the accelerations of a geodesic.
#pragma once

#include "pullback/manifold/metrics/whitened_chart.h"
#include "pullback/plugins/fixed_point/acceleration_process.h"
#include "pullback/solvers/iteration_status.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// When an iteration ends.
struct IterationBounds {
  // Solved when every residual c̈ − a(c, ċ), or their root mean square over the mesh, is at most this share of the
  // length.
  double tolerance;
  bool every = false;
  int max_iterations;
  // Iterates that are combined (Anderson); 0: none, the iteration of the paper.
  int memory;
};

struct FixedPoint {
  IterationStatus status = IterationStatus::kNotFinite;
  Matrix accelerations;  // n×N, in the chart: the best met
  double length = 0;     // √(2E) there
  double residual = 0;   // root mean square over the mesh, relative to the length
  int iterations = 0;
};

// Solves A = a(c_A, ċ_A) on the mesh of the process by A ← A + α p, with the first α of 1, 0.33 and 0.33² that lowers
// Σ ‖r‖², r = a(c_A, ċ_A) − A, and where none does α = 0.33³, as published. p = r, or, with a memory, the combination
// of r and the iterates before that minimises ‖r‖ to first order (Anderson); there, a step that lowers nothing is not
// taken but remembered, and so corrects the next one.
//
//   from, to: ends in the chart.  start: n×N.
// Cost: N accelerations for every α tried. Thread safety: one workspace (in the context) per thread.
// Reference: Arvanitidis, Hauberg, Hennig, Schober (2019), arXiv:1901.07229; Walker, Ni (2011), doi:10.1137/10078356X.
FixedPoint iterate(const WhitenedChart& chart, const AccelerationProcess& process, const ConstVectorRef& from,
                   const ConstVectorRef& to, Matrix start, const IterationBounds& bounds, int first_iteration,
                   SolveContext& context);

}  // namespace pullback
