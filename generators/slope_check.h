// Holding derivatives against differences; private to the generators and their readers.
#pragma once

#include <vector>

#include "pullback/base/export.h"
#include "pullback/generators/adaptive_difference.h"
#include "pullback/generators/check_derivatives.h"

namespace pullback::internal {

// What a derivative along one direction should be, as differences extrapolated to step 0 say.
struct PULLBACK_EXPORT SlopeReference {
  Vector expected;
  Vector allowed;  // what a component may be off by: the tolerance, and ten times the uncertainty of the differences
  double scale = 1;
  bool kink = false;
  bool undecided = false;  // a kink, or too uncertain to tell
};

// From samples of a function at difference_offsets(h) around a point of size |z|. `relative` is the tolerance, and what
// is below `negligible` of the function's own change over 1 + |z| counts as zero.
PULLBACK_EXPORT SlopeReference slope_reference(const Matrix& samples, double h, double size, double relative,
                                               double negligible, double noise);

// Whether got.col(m) is the derivative of g at z_m along v_m, for each m. Differences start from a long step; where
// they cannot tell (a kink, a jump, a scale far below 1 + |z|), or contradict `got`, shorter ones have the last word.
//   Z, V: n×M, v_m of length about 1. got: as many rows as g has, M columns. `tolerance`: relative, to the largest
//   component of the derivative. `noise`: of g, as DifferenceOptions says.
// Cost: 25 evaluations of g for each m, and as many for each shorter step.
PULLBACK_EXPORT std::vector<DerivativeVerdict> judge_slopes(const DifferencedFunction& g, const Matrix& Z,
                                                            const Matrix& V, const Matrix& got, double tolerance,
                                                            double noise);

// Passes where none is wrong and one at least agrees.
struct PULLBACK_EXPORT SlopeTally {
  int agreed = 0;
  int undecided = 0;
  int wrong = 0;

  void add(DerivativeVerdict verdict);
  bool passes() const { return wrong == 0 && agreed > 0; }
};
PULLBACK_EXPORT SlopeTally tally(const std::vector<DerivativeVerdict>& verdicts);

// What the values of g are off by, relative to their largest component (g has `rows`): the median over the points of
// what sixth differences over steps of 1e-6 (1 + |z|) leave, which is rounding alone for anything that varies over
// longer lengths than 1e-5. Nothing below the rounding of double precision. Reference: Moré and Wild, SIAM J. Sci.
// Comput. 33(3), 2011.
PULLBACK_EXPORT double value_noise(const DifferencedFunction& g, const Matrix& Z, const Matrix& V, Eigen::Index rows);

// Points at which derivatives are judged, and unit directions there: drawn from the standard normal distribution, from
// the same four times as wide, and from the box [0.2, 1.8], inside of polar and half-plane charts; and the points
// given.
struct PULLBACK_EXPORT SlopeProbes {
  Matrix Z;  // n×M
  Matrix V;  // n×M
};
PULLBACK_EXPORT SlopeProbes slope_probes(int dimension, int ambient, const ConstMatrixRef& given);
// M unit vectors.
PULLBACK_EXPORT Matrix random_directions(Eigen::Index rows, Eigen::Index count, unsigned seed);

}  // namespace pullback::internal
