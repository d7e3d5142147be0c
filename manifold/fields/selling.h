// Positive definite matrices as sums of squares along integer vectors.
#pragma once

#include <Eigen/Core>
#include <array>

namespace pullback {

// D = Σ ρ_k e_k e_kᵀ with ρ_k ≥ 0 and integer e_k.
struct SellingTerms {
  int count = 0;  // n(n+1)/2
  std::array<double, 6> weights{};
  std::array<Eigen::Vector3i, 6> offsets{};  // the third component is 0 in the plane
};

// Selling's decomposition of a symmetric positive definite matrix: the superbase (b_0, …, b_n) of the integer lattice
// with b_0 + … + b_n = 0 is reflected until b_iᵀ D b_j ≤ 0 for all pairs, which are then the weights.
//
//   D: n×n, n = 2 or 3. The longest offset has about √κ(D) components; κ(D) up to 1e8 is safe.
// Undefined for other sizes and for matrices that are not positive definite.
// Cost: at most some √κ(D) reflections.
// Reference: Selling (1874), J. reine angew. Math. 77; Conway, Sloane (1992), doi:10.1098/rspa.1992.0004.
SellingTerms selling_terms(const Eigen::Ref<const Eigen::MatrixXd>& D);

}  // namespace pullback
