// Gauss–Newton descent on the nodes of a discrete curve.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/relaxation.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// Moves the interior nodes by Gauss–Newton steps on the energy of their chords (Manifold::segments), each halved until
// the energy falls, and says how many were taken. The nodes are not spread evenly again.
//
//   nodes: n×(K+1), K ≥ 2.  options: its chords are not used.
// Cost: K+1 Jacobians an iteration, as many values a trial. Thread safety: one workspace per thread.
PULLBACK_EXPORT int descend_nodes(const Manifold& manifold, Matrix& nodes, const RelaxationOptions& options,
                                  Workspace& ws);

}  // namespace pullback
