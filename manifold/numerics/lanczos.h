// The smallest eigenvalue of a large symmetric matrix that is known by its products.
#pragma once

#include <functional>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

struct PULLBACK_EXPORT LowestEigenpair {
  double value;   // NaN where nothing converged
  double error;   // of the value
  Vector vector;  // of norm 1
};

// The smallest eigenvalue of a symmetric A of `size`, to `tolerance` of the largest, by Lanczos with full
// orthogonalisation in spaces of up to 40 vectors, each begun with the best vector of the one before. A space that
// turns out to be invariant, as one vector is for a multiple of the identity, ends it: what a flat metric gives, and
// the reason why this is not a library's, which goes on with rounding there.
//
// Undefined: NaN where A is not finite. Cost: up to 40 products a space, O(40 size) each besides. Memory: 40 vectors.
// Errors: StopRequested (stop.h), and what the product throws.
// Reference: Parlett (1998), The Symmetric Eigenvalue Problem, chapter 13.
PULLBACK_EXPORT LowestEigenpair lowest_eigenpair(const std::function<Vector(const Vector&)>& A, Eigen::Index size,
                                                 double tolerance = 1e-3);

}  // namespace pullback
