// The linear-quadratic control problem that GEORCE solves for its step.
#pragma once

#include <deque>
#include <vector>

#include "pullback/base/types.h"

namespace pullback {

// The quadratic form Σ_t du_tᵀ G_t du_t of moves δ of the interior nodes of a discrete curve, du_t = δ_{t+1} − δ_t with
// δ_0 = δ_T = 0, and the solution of its normal equations (DᵀGD) δ = q from the costates:
//
//   du_t = G_t⁻¹ (S_t − c),  S_t = Σ_{j>t} q_j,  c = (Σ G_t⁻¹)⁻¹ Σ G_t⁻¹ S_t.
//
// Every G_t is given by a root R_t, upper triangular, G_t = R_tᵀR_t; c is found as the least-squares solution of
// R_t⁻ᵀ (S_t − c) ≈ 0, so that neither G nor its inverse is formed.
//
//   roots: n×(nT), nonsingular blocks.  q, δ: n×(T−1).
// Cost: O(T n³) once, O(T n²) a solve. Thread safety: const methods are safe from several threads.
class ControlProblem {
 public:
  explicit ControlProblem(Matrix roots);

  Matrix solve(const ConstMatrixRef& q) const;

 private:
  Vector projection(const ConstVectorRef& x) const;

  Matrix roots_;
  Matrix inverse_;  // n×(nT): R_t⁻¹
  // Orthonormal bases of the stacked R_t⁻ᵀ of a group, below the triangle of the groups before.
  std::vector<Matrix> Q_;
  Matrix triangle_;
};

// What the last steps taught about the second derivatives that GEORCE's quadratic form leaves out: limited-memory BFGS
// with that form as its first guess.
//
// Reference: Nocedal (1980), doi:10.1090/S0025-5718-1980-0572855-7.
class CurvatureMemory {
 public:
  explicit CurvatureMemory(int length) : length_(length) {}

  // A step and the change of gradient over it, both n×(T−1); forgotten where they do not show positive curvature.
  void add(Matrix step, Matrix change);
  void clear() { pairs_.clear(); }
  bool empty() const { return pairs_.empty(); }
  // −H⁻¹ gradient; `scale` times the form of `problem` is what H starts from.
  Matrix direction(const ConstMatrixRef& gradient, const ControlProblem& problem, double scale) const;

 private:
  struct Pair {
    Matrix step;
    Matrix change;
    double product;
  };
  int length_;
  std::deque<Pair> pairs_;
};

}  // namespace pullback
