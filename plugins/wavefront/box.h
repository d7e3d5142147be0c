// Which box the fronts run in.
#pragma once

#include <memory>

#include "pullback/manifold/fields/distance_field.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// The chart y = QᵀW z: WᵀW the mean metric along the curve, the first axis of Q from end to end.
struct BoxChart {
  Matrix factor;  // W, upper triangular
  Matrix axes;    // Q
  Vector from;    // y of both ends
  Vector to;
};
BoxChart box_chart(const Manifold& manifold, const Curve& curve, const Vector& from, const Vector& to, Workspace& ws);

struct Bounds {
  Vector lower;
  Vector upper;
};

// The grid of about `points` nodes over a box in the chart.
BoxGrid grid_over(const BoxChart& chart, const Bounds& bounds, double points);

// Distances from both ends on one grid; null when stopped.
struct Fronts {
  std::shared_ptr<const MetricGrid> grid;
  std::shared_ptr<const DistanceField> from;
  std::shared_ptr<const DistanceField> to;
  double distance = 0;  // between the ends; infinite where no path joins them
  explicit operator bool() const { return to != nullptr; }
};
Fronts run_fronts(const GeodesicProblem& problem, const BoxChart& chart, const Bounds& bounds, double points,
                  SolveContext& context);

// For each axis (row), its lower (column 0) and upper (column 1) side: the least that a path through it is long.
Matrix shortest_through_sides(const Fronts& fronts);

struct BoxOptions {
  double margin;
  int enlargements;
  double points;  // of the coarse grid
};
// The box where the paths are that may be shortest.
struct ChosenBox {
  Bounds bounds;
  bool closed = false;  // by the coarse grid, no path that leaves it is shorter
  bool stopped = false;
};
ChosenBox choose_box(const GeodesicProblem& problem, const BoxChart& chart, const BoxOptions& options,
                     SolveContext& context);

}  // namespace pullback
