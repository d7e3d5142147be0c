// Leaving geodesics that are not minima.
#pragma once

#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// Curves of lower energy with the same ends on both sides of a curve, along the direction in which the second variation
// of its energy is most negative: c ± s u, with u the eigenvector of the smallest eigenvalue and s, of some sizes, the
// one of the lowest energy. None where the second variation is not negative; one where only one side is lower.
//
//   `chords` ≥ 6: of the discrete second variation.
// Errors: std::invalid_argument for too few chords. Undefined for an empty curve.
// Cost: chords+1 Jacobians, chords−1 weighted Hessians and some tens of energies of `chords` chords.
// Thread safety: one workspace per thread.
PULLBACK_EXPORT std::vector<Curve> beside_saddle(const Manifold& manifold, const Curve& curve, int chords,
                                                 Workspace& ws);

}  // namespace pullback
