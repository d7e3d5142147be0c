// The collocation equations of a geodesic on a mesh, and Newton's method for them.
#pragma once

#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/metrics/whitened_chart.h"
#include "pullback/solvers/iteration_status.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// Unknowns on a mesh t_0 = 0 < … < t_m = 1, in the chart: positions and velocities, n×(m+1).
struct MeshValues {
  Vector t;
  Matrix y;
  Matrix v;
};

// The values of a curve (in the chart) on a mesh.
MeshValues values_on(const Curve& curve, Vector mesh);

struct NewtonBounds {
  double tolerance;  // solved when the Newton correction is at most this share of the length
  int max_iterations;
};

struct MeshSolution {
  IterationStatus status = IterationStatus::kNotFinite;
  Curve curve;            // where converged: quintic, through the values and their geodesic accelerations, in the chart
  double length = 0;      // √(2E) of the values
  double correction = 0;  // the last Newton correction, relative to the length
  int iterations = 0;
};

// Solves, for y_0 and y_m fixed, the three-stage Lobatto (Simpson) equations of order 4
//
//   y_{i+1} − y_i = h/6 (v_i + 4 v_½ + v_{i+1}),      y_½ = ½ (y_i + y_{i+1}) + h/8 (v_i − v_{i+1}),
//   v_{i+1} − v_i = h/6 (a_i + 4 a_½ + a_{i+1}),      v_½ = ½ (v_i + v_{i+1}) + h/8 (a_i − a_{i+1}),   a = a(y, v),
//
// by Newton's method. A step is halved until the next simplified correction is shorter by the share that the step
// promises, a test that no linear change of chart or of the equations affects; corrections are measured in the metric.
// Derivatives of a are one-sided differences along whitened directions, exact enough for a contraction of about 1e-7,
// and kept as long as they bring corrections down tenfold. Iterations are recorded from `first_iteration`.
//
// Cost: 2m+1 accelerations a trial; 2n(2m+1) and 2m+1 factors a linearisation, and O(m n³).
MeshSolution solve_on_mesh(const WhitenedChart& chart, MeshValues start, const NewtonBounds& bounds,
                           int first_iteration, SolveContext& context);

}  // namespace pullback
