// Where the data are in latent space, and how far from them a point or a curve is.
#pragma once

#include <cstdint>
#include <memory>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/manifold/curves/curve.h"

namespace pullback {

struct PULLBACK_EXPORT DataRegionOptions {
  int neighbours = 10;     // k: a smaller k follows the data more closely, their random scatter included
  double share = 0.95;     // of the data that lies inside
  std::uint64_t seed = 1;  // draws the blur
};

// The region of latent space that holds a given share of the data, by density.
//
//   ρ(z) = the distance from y(z) to the k-th nearest datum in standard deviations, y = R⁻ᵀ(z − mean), RᵀR = Σ;
//   inside: ρ(z) ≤ r, the `share` quantile of ρ over the data, each without itself. ρ⁻ⁿ is a density estimate up to a
//   constant, so that the region is a superlevel set of it: it may have holes and several parts.
//
// What the data are: samples of the aggregate posterior, code_i + B ξ_i with ξ_i ~ N(0, I). B = 0 where codes are
// points, as those of an autoencoder. For a VAE BBᵀ is the mean covariance of its posteriors: along a collapsed
// coordinate all codes are nearly equal, although every value of the prior decodes to the same output; without B a
// small step along it would seem to leave the data. Σ = Cov(codes) + BBᵀ. Everything is equivariant under z → Az + b
// with the codes and B carried along (codes A c + b, blur A B): the region and all distances are those of the data and
// not of the chart.
//
//   codes: n×K, K ≥ 2; blur B: n×m, no columns for none.
//   Units: `deviations` are latent standard deviations of the data, whatever the direction.
//   Directions in which the data do not extend at all are given 1e-14 of the largest extent: to leave along them is
//   far.
// Errors: std::invalid_argument for fewer than two codes, codes or a blur that are not finite or of unlike dimensions,
// neighbours < 1, or a share outside (0, 1].
// Cost: no evaluation of a generator; O(K log K) to make, O(log K) a point in few dimensions. Thread safety: immutable.
// Reference: k-nearest-neighbour density, Loftsgaarden, Quesenberry (1965), doi:10.1214/aoms/1177700079.
class PULLBACK_EXPORT DataRegion {
 public:
  explicit DataRegion(const ConstMatrixRef& codes, const ConstMatrixRef& blur = Matrix(),
                      const DataRegionOptions& options = {});

  int dimension() const { return static_cast<int>(mean_.size()); }
  const Vector& mean() const { return mean_; }
  // R, n×n upper triangular with RᵀR = Σ. A step of one deviation is Rᵀu with |u| = 1.
  const Matrix& factor() const { return factor_; }
  // The data: n×K, blurred.
  const Matrix& data() const { return data_; }
  // r, in deviations.
  double radius() const { return radius_; }

  // y(z), n×K: coordinates in which the data have mean 0 and about unit covariance.
  Matrix standardised(const ConstMatrixRef& Z) const;
  // ρ at each point, in deviations.
  Vector distance(const ConstMatrixRef& Z) const;
  // Whether ρ ≤ r; false where a point is not finite.
  Eigen::Array<bool, Eigen::Dynamic, 1> contains(const ConstMatrixRef& Z) const;

 private:
  struct Index;  // hides nanoflann

  Vector mean_;
  Matrix factor_;
  Matrix data_;
  double radius_ = 0;
  std::shared_ptr<const Index> index_;
};

// Where a curve runs relative to the data, by its latent arc in deviations, ∫ |R⁻ᵀċ| dt. No metric enters: a detour
// that a collapsing metric makes short counts with its full latent length.
//   Sampled at 1,024 chords or 16 a piece, whichever are more, at their midpoints: shares are exact to about one chord.
// Errors: std::invalid_argument for an empty curve or another dimension.
struct PULLBACK_EXPORT CurveInRegion {
  double share_inside = 0;  // of the arc; of a curve that is one point: 0 or 1
  double farthest = 0;      // largest ρ, in deviations
  double arc = 0;           // in deviations
};
PULLBACK_EXPORT CurveInRegion locate(const DataRegion& region, const Curve& curve);

}  // namespace pullback
