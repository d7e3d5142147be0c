// The points that a graph is made of.
#pragma once

#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// By what every axis of Z is scaled so that its spread (the root mean square distance from the mean) is 1.
Vector axis_scaling(const Matrix& Z);

// Every axis of Z scaled by its spread (the root mean square distance from the mean).
Matrix scaled_axes(const Matrix& Z);

struct Sampling {
  int count;
  double margin;
  int seed;
};

// Points around the curve, n×count, in equal parts for the chart y = W z and for z itself: half of them a
// low-discrepancy sequence in the box around the ends widened by margin·|Δy|, half scattered round the curve at
// distances up to that in all orders of magnitude. The same seed gives the same points.
Matrix sample_around(const Curve& curve, const ConstMatrixRef& W, const Sampling& sampling);

}  // namespace pullback
