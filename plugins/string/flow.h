// One descent of a string of nodes at equal distances.
#pragma once

#include <optional>

#include "pullback/manifold/manifold.h"
#include "pullback/manifold/numerics/anderson.h"

namespace pullback {

// The tridiagonal system (s I + K tridiag(−1, 2, −1)) x = b of every row of b, n×(K−1).
// Cost: O(n K).
Matrix solve_flat(const ConstMatrixRef& b, double shift);

// Steps of the simplified string method on nodes z_0 … z_K: down the part of the energy's gradient that is across the
// string, by an implicit step of length τ, then back to equal distances.
//
//   x = −(I/(Kτ) + K tridiag(−1, 2, −1))⁻¹ g⊥,  in frames that are parallel along the string, g⊥ the gradient of the
//   energy of chords (see Manifold), whitened.
class StringFlow {
 public:
  // `nodes`: n×(K+1), K ≥ 2, at equal distances; they must outlive it.
  // Undefined for K < 2. Cost of a step: K+1 Jacobians and about 4 (K+1) + 512 values.
  StringFlow(const Manifold& manifold, Matrix& nodes, int memory, Workspace& ws);

  bool finite() const;
  double energy() const { return energy_; }
  // What the energy falls by at the minimum of the flat quadratic model.
  double promise() const { return promise_; }
  // One step; τ is shortened until the energy falls. False: it does not.
  bool step();

 private:
  void sample();
  void find_frames(const Matrix& jacobian);
  void remove_tangential();
  Matrix image(double time_step) const;
  std::optional<Matrix> reparametrised(const Matrix& nodes) const;

  const Manifold& manifold_;
  Matrix& nodes_;
  Workspace& ws_;
  AndersonMixing mixing_;
  Matrix factors_;   // R_i at all nodes
  Matrix frames_;    // O_i at all nodes: columns of R_i⁻¹ O_i are orthonormal and parallel
  Matrix gradient_;  // g⊥, n×(K−1)
  double energy_ = 0;
  double promise_ = 0;
  double time_step_;
};

}  // namespace pullback
