// The length of a curve, measured piece by piece in two ways that can contradict each other.
#pragma once

#include <array>
#include <vector>

#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// What was measured between two times of a curve.
struct Arc {
  double from;                   // t
  double to;                     // t
  double chords;                 // length by values alone: polylines of 2, 4 and 8 chords, extrapolated
  double chords_error;           // of `chords`, from the polylines
  std::array<double, 8> finest;  // the 8 chords
  double turning;                // the greatest angle between two of these in a row, over their mean length
  double energy;                 // ½∫|ċ|²dt, extrapolated alike
  double integral;               // length by derivatives alone: three-point Gauss quadrature of the speed √(ċᵀMċ)
  double rounding;               // what rounding may add to the sum of `chords` over all parts
  double blur;                   // change of `chords` by rounding of the two end points, opposite to its neighbours'
  double hidden;   // what neither length may see: where the chart changes its scale or the curve turns fast between the
                   // Gauss points, what the metric at one makes of the way to the next; where the map has kinks, what
                   // one beside an end may add
  double slowest;  // least and greatest speed at the Gauss points
  double fastest;
  double cancellation;  // what rounding may add to `integral`
  Matrix factor;        // R in its middle (Manifold::factor), n×n; empty where the manifold prefers products

  double defect() const;       // by how much the lengths are uncertain or contradict each other
  double uncertainty() const;  // how much of that rounding explains
};

// The eight chords of every part together.
struct Polyline {
  double length;
  double spacing;  // in t; 0 where the parts do not all last equally long
};
Polyline polyline_of(const std::vector<Arc>& parts);

// A whole curve's parts, in the order of t.
struct Arcs {
  std::vector<Arc> parts;
  double rounding_at_ends;  // of the ambient end points, which move the length as a whole
  Polyline first;           // of the parts that it began with
};

struct ArcOptions {
  int least = 128;          // parts to begin with: at least so many,
  int most_at_first = 512;  // and one for each piece of the curve, but no more than this
  int most = 4096;          // parts in the end
  double tolerance = 0;     // of the whole length, absolute; 0: by the next
  double relative_tolerance = 1e-9;
};

// Splits [0, 1] until on every part both lengths agree, so that no chord can jump over what the curve passes through:
// a period, a pole, a fold. Parts that never agree (a step, a Jacobian that is wrong, noise) are left with their
// defect.
//
// A part that is not finite is not split. Cost: 8 values and 3 factors a part (5 where the map has kinks); 15 metrics
// on chords where there is no map. Thread
// safety: one workspace per thread.
Arcs measure_arcs(const Manifold& manifold, const Curve& curve, Workspace& ws, const ArcOptions& options = {});

}  // namespace pullback
