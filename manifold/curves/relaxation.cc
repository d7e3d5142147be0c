#include "pullback/manifold/curves/relaxation.h"

#include <stdexcept>

#include "pullback/manifold/curves/node_descent.h"

namespace pullback {

Curve relaxed(const Manifold& manifold, const Curve& curve, const RelaxationOptions& options, Workspace& ws) {
  if (options.chords < 2) throw std::invalid_argument("relaxed: at least 2 chords are needed");
  Matrix Z = constant_speed(manifold, curve, options.chords, ws).positions();
  const int taken = descend_nodes(manifold, Z, options, ws);
  if (taken == 0) return constant_speed(manifold, curve, 2 * options.chords, ws);
  return constant_speed(manifold, Curve::through(Z), options.chords, ws);
}

}  // namespace pullback
