// Fitting the uncertainty of a trained decoder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/network/network.h"
#include "pullback/generators/uncertain/gaussian_process.h"
#include "pullback/generators/uncertain/radial_network.h"

namespace pullback {

// Points in K groups: each point belongs to the centre nearest to it, and each centre is the mean of its points.
struct PULLBACK_EXPORT Clusters {
  Matrix centres;        // n×K
  std::vector<int> of;   // K points
  Vector mean_distance;  // K: of the points of a group from their centre; 0 for a group of one
};

// Lloyd's iteration from seeds drawn as k-means++ does, until nothing changes or 100 times. A group that loses all its
// points takes the point farthest from its centre. The same seed gives the same groups on every machine.
//   points: n×P, P ≥ count ≥ 1.  Errors: std::invalid_argument otherwise, or for points that are not finite.
// Cost: O(P count) a step. Reference: Arthur and Vassilvitskii, k-means++, SODA 2007.
PULLBACK_EXPORT Clusters k_means(const ConstMatrixRef& points, int count, std::uint64_t seed);

// Bumps on the groups, λ_k = ½ (width · d_k)⁻², d_k the mean distance in group k but at least half the mean over the
// groups: a group of one or two points would make a needle. Errors: std::invalid_argument unless width > 0 and some
// points of a group differ.
PULLBACK_EXPORT RadialBasis cluster_basis(const Clusters& clusters, double width);

// W ≥ 0 of the precision β = Wφ(z) + ζ that makes the residuals most likely under N(0, 1/β), output by output:
//
//   minimise Σ_i β(z_i) r_i² − log β(z_i),  by  W_k ← W_k (Σ_i φ_k(z_i)/β(z_i)) / (Σ_i φ_k(z_i) r_i²),
//
// an expectation–maximisation step for this convex problem, which keeps W ≥ 0 and never increases it. It stops after
// `steps`.
//   points: n×P.  squares r²: N×P, positive: add the variance below which nothing is to be believed.  floor ζ: N.
// Errors: std::invalid_argument for shapes that do not fit or squares that are not positive and finite.
// Cost: 2NKP multiplications a step. Reference: as RadialNetwork (the model).
PULLBACK_EXPORT std::shared_ptr<const RadialNetwork> fit_deviation(const RadialBasis& basis,
                                                                   const ConstMatrixRef& points,
                                                                   const ConstMatrixRef& squares,
                                                                   const ConstVectorRef& floor, int steps = 50);

// `targets` for the outputs of the decoder at points, each as often as `counts` says.
struct PULLBACK_EXPORT Refit {
  Matrix points;   // n×P
  Matrix targets;  // N×P
  Vector counts;   // P
};

// The decoder with its last layer, sigmoid or identity, fitted anew: to the cross-entropy or half the square of the
// residuals, plus ½ anchor ‖w − w_0‖², w_0 being what it was.
//
// Newton steps with the bound ¼ on a sigmoid's curvature, one factorisation for all outputs; for the identity the first
// step is exact. Errors: std::invalid_argument for another last activation, or shapes that do not fit.
// Cost: 2NHP multiplications a step, H the width of the last hidden layer.
// Reference: Böhning, Multinomial logistic regression algorithm, 1992 (the bound).
PULLBACK_EXPORT std::shared_ptr<const Network> refit_last_layer(const Network& decoder, const Refit& to, double anchor,
                                                                int steps = 20);

// Members of an ensemble by the bootstrap: each is refit_last_layer() to `resample(member)`.
PULLBACK_EXPORT std::vector<std::shared_ptr<const Network>> bootstrap_members(
    const Network& decoder, int members, const std::function<Refit(int)>& resample);

// A Gaussian process for outputs at inputs with lengths ℓ = factor · (standard deviation of each coordinate) and noise
// = ratio · signal, the factor (where none is given) and the ratio being those of a grid that make the marginal
// likelihood largest. The likeliest lengths may make the process confident far from data that are very smooth; a
// shorter length is more cautious.
//   inputs: n×m.  outputs: N×m; their mean becomes the offset.
// Errors: std::invalid_argument as GaussianProcess. Cost: 40 marginal likelihoods, O(m³ + Nm²) each.
struct PULLBACK_EXPORT FittedProcess {
  GaussianProcessData data;
  double length_factor;
  double noise_ratio;
  double log_likelihood;
};
PULLBACK_EXPORT FittedProcess fit_process(const ConstMatrixRef& inputs, const ConstMatrixRef& outputs,
                                          std::optional<double> length_factor = std::nullopt);

}  // namespace pullback
