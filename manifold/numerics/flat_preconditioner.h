// The flat Laplacian of a discrete curve in one metric, scaled from node to node.
#pragma once

#include <memory>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"

namespace pullback {

class Manifold;

// P = K S (T ⊗ M̄) S = L Lᵀ, which is near the Hessian of the energy of K chords where the metric changes little from
// node to node but for its size: T = tridiag(−1, 2, −1), M̄ a mean of the metrics at a few nodes, each divided by its
// size, S = diag(s_i), s_i² the size of the metric at node i (|p|² of a few fixed random vectors p).
//
// Matrices of n×(K−1) stand for vectors, as in VariationProducts. Undefined: NaN where the metric is not finite.
// Cost: to make, a few metrics, O(n³) and 2(K+1) products; to apply, O(n² K), or O(n K) where M̄ is diagonal. Memory:
// n². Thread safety: const methods.
class PULLBACK_EXPORT FlatPreconditioner {
 public:
  // nodes: n×(K+1), K ≥ 2.  nearby: one whose M̄ to take, of nodes nearby; null: none.
  FlatPreconditioner(const Manifold& manifold, const ConstMatrixRef& nodes, Workspace& ws,
                     const FlatPreconditioner* nearby = nullptr);

  Matrix solve(const Matrix& G) const;                  // P⁻¹ G
  Matrix half_solve(const Matrix& G) const;             // L⁻¹ G
  Matrix transposed_half_solve(const Matrix& Y) const;  // L⁻ᵀ Y

 private:
  void scale(const Vector& size);

  std::shared_ptr<const Matrix> factor_;  // U of M̄ = UᵀU, upper triangular
  bool diagonal_metric_ = false;          // U is diagonal, as in conformal charts
  Vector scale_;                          // s_i of the interior nodes
  Vector diagonal_;                       // of the Cholesky factor of T
  Vector off_diagonal_;                   // below it
  double root_chords_;                    // √K
};

}  // namespace pullback
