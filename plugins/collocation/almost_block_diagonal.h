// Linear systems of two-point boundary value problems.
#pragma once

#include <Eigen/QR>
#include <vector>

#include "pullback/base/types.h"

namespace pullback {

// The factorisation of a chain of equations, each in two neighbouring unknowns:
//
//   L_i x_i + U_i x_{i+1} = b_i,  i = 0 … m−1,
//
// by orthogonal elimination of one x_i after the other, which is stable without pivoting between blocks, however fast
// solutions of the differential equation grow or decay.
//
//   L_i: 2n×p_i, U_i: 2n×p_{i+1}, p_0 = p_m = n, else 2n (the boundary conditions fix the other half at the ends).
//   b: 2n×m.
// Cost: O(m n³). Thread safety: const methods are safe from several threads.
// Reference: Ascher, Mattheij, Russell (1995), Numerical Solution of Boundary Value Problems for Ordinary Differential
// Equations, ch. 7, doi:10.1137/1.9781611971231.
class AlmostBlockDiagonal {
 public:
  // False: the system is numerically singular.
  bool factor(const std::vector<Matrix>& L, const std::vector<Matrix>& U);
  // x_0, …, x_m one after the other: 2nm numbers.
  Vector solve(const ConstMatrixRef& b) const;

 private:
  struct Step {
    Eigen::HouseholderQR<Matrix> qr;
    Matrix coupling;  // to the next unknown
  };
  std::vector<Step> steps_;  // one for each unknown
};

}  // namespace pullback
