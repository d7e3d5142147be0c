// How the gradient of the smooth energy of a discrete curve changes with its nodes.
#pragma once

#include <functional>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// The part of that derivative without second derivatives of the map, whitened: with the stencils of second_difference()
// of sixth order, weights w_s,
//
//   S_{i,j} = −K w_s Q_iᵀQ_j,  j = first + s,  i = 1 … K−1;  columns j = 0 and j = K are zero.
struct PULLBACK_EXPORT SmoothCoupling {
  Matrix blocks;  // n×8n(K−1), of each i the blocks s = 0 … 7; empty where it is not known

  bool known() const { return blocks.size() > 0; }
  // Calls visit(i, j, −K w_s, S_ij) for all blocks that are not zero, which it may change.
  void each(const std::function<void(Eigen::Index, Eigen::Index, double, MatrixRef)>& visit);
  // S δ, n×(K−1). Cost: O(8 K n²).
  Matrix times(const ConstMatrixRef& step) const;
};

}  // namespace pullback
