// Measuring curves and Jacobians.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// Length and energy of a curve. Each of its parts is measured by values and by derivatives, and split until both agree.
struct PULLBACK_EXPORT Measurement {
  double length = 0;           // L = ∫ √(ċᵀMċ) dt, by Richardson extrapolation of ambient polylines; where
                               // rounding hides these, by quadrature of the speed
  double length_error = 0;     // the larger of `numerical_error` and the deviation of the polyline through 1,001 points
                               // uniform in t, if that is at most 1 %: sampling the curve so gives the length within
                               // this error. Where the parts are all alike, that deviation is known from their chords
  double numerical_error = 0;  // what refinement and rounding leave uncertain; infinite if that is over 5 %, as parts
                               // that are not resolved may have any length
  double energy = 0;           // E = ½ ∫ ċᵀMċ dt, extrapolated alike
  double metric_length = 0;  // L by quadrature of √(ċᵀMċ): differs from `length` where the Jacobian does not see what
                             // the generator does (a step, a wrong Jacobian)
  double disagreement = 0;     // difference of both lengths beyond rounding, summed over the parts
  double refinement = 0;       // change of the polylines when last refined, summed over the parts
  double speed_variation = 0;  // max |speed − mean| / mean
  Vector times;                // where the parts meet, from 0 to 1: close together where the map has small features
  Vector chord_times;          // the ends of eight chords of each part, from 0 to 1
  Vector chord_lengths;        // one fewer
  double turning = 0;          // greatest angle between two such chords of one part in a row, over their mean length
  Matrix factors;              // R in the middle of each part, n×n(parts); empty where the manifold prefers products
};

// accuracy: what is asked of the length, relative; parts are split until both ways agree to a hundredth of it. Half as
// many parts to begin with do for 1e-5 and more.
// Cost: 8 values and 3 factors (or 13 products, where the manifold prefers them) a part, 64 to 4,096 parts, and 1,001
// values where these are not all alike.
PULLBACK_EXPORT Measurement measure(const Manifold& manifold, const Curve& curve, Workspace& ws,
                                    double accuracy = 1e-6);

// Singular values of J (of the square root of M where there is no generator) at a batch of points.
//   returns n×K, each column decreasing.  Cost: K Jacobians.
PULLBACK_EXPORT Matrix singular_values(const Manifold& manifold, const ConstMatrixRef& Z, Workspace& ws);

// The same from factors R, n×(nK), as Manifold::factor gives them. NaN for a block that is not finite.
PULLBACK_EXPORT Matrix factor_singular_values(const ConstMatrixRef& R);

// The largest and the smallest of them, to 1e-6 of themselves: 2×K. Where the manifold prefers products, and in more
// than 128 dimensions, from a Cholesky factor of the metric where κ² leaves it accurate.  Cost: K Jacobians, O(K n³).
PULLBACK_EXPORT Matrix extreme_singular_values(const Manifold& manifold, const ConstMatrixRef& Z, Workspace& ws);

// κ(J) = σ_max/σ_min, infinite where J loses rank; one value per column of singular values.
PULLBACK_EXPORT Vector condition_number(const ConstMatrixRef& singular_values);

// log √det M = Σ log σ_i, the logarithm of the magnification (natural); −∞ where J loses rank.
PULLBACK_EXPORT Vector log_magnification(const ConstMatrixRef& singular_values);

}  // namespace pullback
