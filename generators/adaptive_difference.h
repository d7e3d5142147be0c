// Differences whose step adapts to the scale on which a function changes; private to the generators.
#pragma once

#include <functional>
#include <vector>

#include "pullback/base/types.h"
#include "pullback/base/workspace.h"

namespace pullback::internal {

// Evaluates g at each column of `points`. owners[c] is the number of the column of Z that point c belongs to, for a g
// that differs from one to the next, such as J(z)v_k. `out` has a column for each point.
using DifferencedFunction =
    std::function<void(const ConstMatrixRef& points, const std::vector<Eigen::Index>& owners, MatrixRef out)>;

enum class DifferenceOrder { kFirst, kSecond };

// `negligible` for differences of Jacobians: a curvature below it bends no curve by more than rounding does.
inline constexpr double kNegligibleCurvature = 1e-5;
// The same for second differences of values, which rounding spoils more.
inline constexpr double kNegligibleCurvatureOfValues = 1e-3;

struct DifferenceOptions {
  DifferenceOrder order = DifferenceOrder::kFirst;
  double noise = 0;    // what values of g are off by, relative to the largest component
  bool smooth = true;  // otherwise short steps are tried first, so that few of them straddle a kink
  // A derivative is as good as zero below this part of what g changes by itself over 1 + |z| (kFirst), or of what its
  // slope does (kSecond).
  double negligible = 0;
};

// D.col(k) = dᵏ/dtᵏ g(z_k + t v_k) at t = 0, of first or second order, by central differences of fourth order. The
// first step is the best one for a function that varies over lengths of 1 + |z|. Where the formulas for h and
// 1.7h, from which they are extrapolated, contradict each other, or a sample is not finite, the step is shortened
// 30-fold, up to six times; where rounding spoils the result, it is lengthened, up to twice. The estimate with the
// smallest error is kept.
//
// Z, V: n×K. D: as many rows as g has, K columns. Cost: 4K evaluations of g (5K for the second order), and as many
// again for each change of the step at the points that need it.
// Reference: Press et al., Numerical Recipes, 3rd ed., section 5.7.
void adaptive_difference(const DifferencedFunction& g, const ConstMatrixRef& Z, const ConstMatrixRef& V,
                         const DifferenceOptions& options, MatrixRef D, Workspace& ws);

}  // namespace pullback::internal
