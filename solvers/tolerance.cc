#include "pullback/solvers/tolerance.h"

#include <algorithm>
#include <cmath>

namespace pullback {
namespace {

constexpr double kLeast = 1e-14;

}  // namespace

double tolerance_for(double option, double usual, ToleranceKind kind, const SolveContext& context) {
  if (option > 0) return option;
  const double share = context.accuracy() / SolveControl().accuracy;
  return std::max(kLeast, usual * (kind == ToleranceKind::kExcess ? share : std::sqrt(share)));
}

}  // namespace pullback
