// Central differences extrapolated to step 0; private to check_derivatives.
#pragma once

#include "pullback/base/types.h"

namespace pullback::internal {

constexpr int kDifferenceLevels = 12;
constexpr int kDifferenceSamples = 2 * kDifferenceLevels + 1;

// The offsets from the centre at which a function is sampled, for the longest step h: 0, h, −h, h/r, −h/r, … with a
// ratio r a little below 2.
Eigen::RowVectorXd difference_offsets(double h);

struct Difference {
  Vector derivative;
  Vector uncertainty;  // infinite where it could not be formed
  bool kink = false;   // the one-sided slopes stay apart, in some component
};

// The derivative at 0 of a vector function of one number. Column s of `samples` is its value at
// difference_offsets(h)(s). `centre` is the size of the numbers that the offsets were added to, whose rounding the
// samples carry; `noise` is what they are off by otherwise, relative to the largest component: ε where it is less.
Difference extrapolated_difference(const Matrix& samples, double h, double centre, double noise = 0);

}  // namespace pullback::internal
