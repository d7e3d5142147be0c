// A Gaussian process for curves of which the accelerations at a mesh are known.
#pragma once

#include <Eigen/Cholesky>

#include "pullback/base/types.h"

namespace pullback {

// The posterior mean of c ~ GP(m, V⊗k), m the straight line between the ends, k(s,t) = exp(−(s−t)²/(2ℓ²)),
// ℓ = √(Δt/2), given c̈ = A at t_i = i/(N−1) and c at both ends: a linear map from A to c and ċ in which V cancels.
//
//   A, results: n×N (n×K for K times).  from, to: n.
// The Gram matrix is scaled to a unit diagonal and factorised with diagonal pivoting (LDLᵀ). The paper's noise, 1e-8 in
// the variance of c̈ and 1e-10 in that of the ends, keeps it from being singular: its condition number is 1e4, 5e10,
// 1e13, 1e14, 5e14 and 9e15 for N = 10, 20, 40, 80, 160, 320. On c = sin(3t + 0.3) the error in ċ is 1e-2, 2e-4, 5e-6,
// 4e-7, 5e-8 and 1e-8: the kernel widens compared with the spacing, so that accuracy grows until rounding takes over
// near N = 500, beyond which more points bring nothing.
//
// Errors: std::invalid_argument for fewer than 3 points. Cost: O(N³) once, O(nN²) a use; no evaluation of a generator.
// Thread safety: const methods are safe from several threads.
class AccelerationProcess {
 public:
  explicit AccelerationProcess(int points);

  int points() const { return static_cast<int>(times_.size()); }
  const Vector& times() const { return times_; }
  double length_scale() const { return length_scale_; }

  // At the mesh; the ends exactly.
  Matrix positions(const ConstMatrixRef& A, const ConstVectorRef& from, const ConstVectorRef& to) const;
  Matrix velocities(const ConstMatrixRef& A, const ConstVectorRef& from, const ConstVectorRef& to) const;
  // c̈ at any times: what to start a finer mesh from.
  Matrix accelerations(const ConstMatrixRef& A, const ConstVectorRef& t) const;

 private:
  Matrix covariance(const ConstVectorRef& t, int derivative) const;

  Vector times_;
  double length_scale_;
  Vector scale_;  // of the N+2 observations: c̈ at the mesh, c at the ends
  Eigen::LDLT<Matrix> gram_;
  Matrix position_map_, velocity_map_;  // N×N, transposed: A times these is what c and ċ are more than the line
};

}  // namespace pullback
