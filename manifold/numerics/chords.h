// Chords of discrete curves: their length, their energy, and steps of their nodes.
#pragma once

#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// Length and energy of the polyline through nodes z_0 … z_K:
//
//   L_K = Σ_i d_i,   E_K = ½ K Σ_i d_i²,   d_i = d(z_i, z_{i+1}) as Manifold::chords measures it.
//
// L_K → L and E_K → E with errors in even powers of 1/K, from below for a pullback metric.
//   nodes: n×(K+1), K ≥ 1.
// Undefined: NaN where the metric is not finite on the way. Cost: K+1 values. Thread safety: one workspace per thread.
PULLBACK_EXPORT double chord_length(const Manifold& manifold, const ConstMatrixRef& nodes, Workspace& ws);
PULLBACK_EXPORT double chord_energy(const Manifold& manifold, const ConstMatrixRef& nodes, Workspace& ws);

// L_K of a curve at times 0, 1/K, …, 1. Cost: K+1 values.
PULLBACK_EXPORT double chord_length(const Manifold& manifold, const Curve& curve, int chords, Workspace& ws);

// The nodes after a step in whitened coordinates that leaves both ends where they are: z_i + scale R_i⁻¹ δ_i.
//   nodes: n×(K+1).  step: n×(K−1), the columns δ_1 … δ_{K−1}.
//   factors: n×n(K+1), R_i upper triangular (Manifold::factor, floor_diagonal).
// Undefined where an R_i is singular. Cost: O(K n²).
PULLBACK_EXPORT Matrix moved_nodes(const ConstMatrixRef& nodes, const ConstMatrixRef& factors,
                                   const ConstMatrixRef& step, double scale = 1);

// For Manifold::chords_between: all chords over one gap of K, in order, then those over two.
PULLBACK_EXPORT std::vector<Manifold::Pair> chords_over_one_and_two(Eigen::Index K);

// Nodes of twice as many chords, n×(2K+1): at equal times on the cubic curve through the nodes, n×(K+1), with every
// other one of those that were there. Cost: O(K n).
PULLBACK_EXPORT Matrix doubled_nodes(const ConstMatrixRef& nodes);

}  // namespace pullback
