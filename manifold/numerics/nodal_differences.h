// Derivatives along a discrete curve, by differences of its nodes.
#pragma once

#include <array>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// A stencil for a derivative along the columns of a discrete curve, at unit spacing:
//
//   x′_i or x″_i ≈ Σ_s weights_s x_{first+s}, s = 0 … count−1.
//
// Central but beside the ends. Nodes at times i/K take K times that, or K².
struct PULLBACK_EXPORT NodalDifference {
  Eigen::Index first;
  Eigen::Index count;
  std::array<double, 8> weights;
};

// Of fourth order also where fewer than eight chords leave no room for the sixth.
enum class DifferenceOrder { kFourth, kSixth };

// At column i of K+1 columns. Undefined for K < 5; second_difference also for i = 0 and i = K. Cost: none. Thread
// safety: pure functions.
PULLBACK_EXPORT NodalDifference first_difference(Eigen::Index i, Eigen::Index K, DifferenceOrder order);
PULLBACK_EXPORT NodalDifference second_difference(Eigen::Index i, Eigen::Index K, DifferenceOrder order);

// x′ at all K+1 nodes of times i/K, and x″ at the K−1 interior ones.  Errors: std::invalid_argument for K < 5.
PULLBACK_EXPORT Matrix nodal_velocities(const ConstMatrixRef& nodes, DifferenceOrder order);
PULLBACK_EXPORT Matrix nodal_accelerations(const ConstMatrixRef& nodes, DifferenceOrder order);

}  // namespace pullback
