// Intervals and quantiles.
#pragma once

#include <vector>

#include "pullback/base/export.h"

namespace pullback {

struct PULLBACK_EXPORT Interval {
  double low;
  double high;
};

// Wilson's score interval of a share of `successes` among `trials`, at 95 %:
//
//   (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n),  p = successes/trials,  z = 1.96 (the 97.5 % point).
//
// [0, 1] without trials. Reference: Wilson (1927), doi:10.1080/01621459.1927.10502953.
PULLBACK_EXPORT Interval wilson_interval(int successes, int trials);

// The quantile q ∈ [0,1], linear between the sorted values; NaN of nothing.
PULLBACK_EXPORT double quantile(std::vector<double> values, double q);

}  // namespace pullback
