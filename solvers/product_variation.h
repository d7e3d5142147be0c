// The second variation of a curve in high dimensions, by products with it.
#pragma once

#include <optional>

#include "pullback/manifold/numerics/flat_preconditioner.h"
#include "pullback/solvers/certificate.h"

namespace pullback {

// What one grid leaves for the next, of twice as many chords.
struct ProductGridMemory {
  Matrix mode;  // the lowest, n×(K−1); empty where the second variation was not found positive
  std::optional<FlatPreconditioner> flat;
};

// What one grid of chords shows. Fills relative_excess, second_variation and its error as far as the eigenvalue's
// computation leaves one, and conjugate_point of a certificate whose length is measured. NaN where not finite.
//
//   times: of the nodes, at equal distances.
//   before: what the grid of half as many chords has left, and then what this one leaves.
// Cost: 30 to 150 Hessian products at every node. Memory: linear in nodes times (latent + ambient) dimension.
void measure_variation_by_products(const Manifold& manifold, const Curve& curve, const Vector& times,
                                   ProductGridMemory& before, Certificate& out, Workspace& ws);

}  // namespace pullback
