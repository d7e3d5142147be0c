// A regular grid in two or three latent dimensions, with the metric at its nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// Nodes at equal distances over a box in an affine chart.
//
//   W z = Q (lower + h i),   i = (i_1, …, i_n),  0 ≤ i_k < counts_k.
//
//   factor W: n×n upper triangular and not singular; axes Q: n×n orthogonal, the box's directions; lower: n;
//   spacing h > 0; counts: n. Nodes are numbered with i_1 running fastest.
// In the chart whitened by a mean metric WᵀW, cells are about as long in every direction as the metric sees it.
struct PULLBACK_EXPORT BoxGrid {
  Matrix factor;
  Matrix axes;
  Vector lower;
  double spacing = 0;
  Eigen::VectorXi counts;

  int dimension() const { return static_cast<int>(counts.size()); }
  std::int64_t size() const { return counts.cast<std::int64_t>().prod(); }
  // i of a node, and the node of i.
  Eigen::VectorXi indices(std::int64_t node) const;
  std::int64_t node(const Eigen::Ref<const Eigen::VectorXi>& indices) const;
  bool contains(const Eigen::Ref<const Eigen::VectorXi>& indices) const;
  // Latent points from (broken) indices and back, n×K.
  Matrix points(const ConstMatrixRef& indices) const;
  Matrix continuous_indices(const ConstMatrixRef& Z) const;
};

struct PULLBACK_EXPORT MetricGridOptions {
  // A metric whose principal lengths in the chart differ by more than this factor (at most 1e4) has the shorter ones
  // raised: the reach of the stencils, in nodes, grows with it.
  double anisotropy = 100;
  // Lengths below this fraction of the root mean square of the largest ones are raised to it: where the metric
  // vanishes, the distance still increases.
  double floor = 1e-6;
  std::function<bool()> should_stop = {};  // asked between batches; empty: never
};

// The inverse metric at every node of a grid, taken apart for causal differences.
//
//   D = h⁻² (SᵀS + X)⁻¹ = Σ_k ρ_k e_k e_kᵀ,   S = R W⁻¹Q,  RᵀR = M(z),   ρ_k ≥ 0, e_k integer vectors.
//
// X is diagonal: by how much the square of the mean of both chords along axis k exceeds h² (SᵀS)_kk. It is O(h²) where
// the metric is smooth; a wall that lies between nodes, where the metric does not show it, or a step, is seen so.
//
// Weights: m×K with m = n(n+1)/2 and K the grid's size. A node without a finite metric has zero weights: no path goes
// there. Errors: std::invalid_argument for a dimension other than 2 or 3 or not the manifold's, sizes that do not
// match, a spacing that is not positive, fewer than two nodes along an axis, or more than kMostNodes.
// Cost: one factor and n values per node. Memory: 70 bytes a node in the plane, 180 in space. Thread safety: immutable.
class PULLBACK_EXPORT MetricGrid {
 public:
  static constexpr std::int64_t kMostNodes = 4'000'000;

  MetricGrid(const Manifold& manifold, BoxGrid box, const MetricGridOptions& options, Workspace& ws);

  // False when it was stopped: then there are no metrics.
  bool complete() const { return complete_; }
  const BoxGrid& box() const { return box_; }
  int terms() const { return terms_; }
  double weight(std::int64_t node, int term) const { return weights_(term, node); }
  const std::int16_t* offset(std::int64_t node, int term) const {
    return offsets_.data() + (node * terms_ + term) * box_.dimension();
  }
  bool blocked(std::int64_t node) const { return weights_(0, node) == 0 && weights_.col(node).isZero(0); }
  // S of a batch of points, n×(nK), raised as at the nodes; h is not in it.
  Matrix roots(const Manifold& manifold, const ConstMatrixRef& Z, Workspace& ws) const;

 private:
  Matrix raw_roots(const Manifold& manifold, const ConstMatrixRef& Z, Workspace& ws) const;
  Matrix chords_along_axes(const Manifold& manifold, Workspace& ws) const;
  void decompose(const Matrix& S, const Matrix& chords);

  BoxGrid box_;
  MetricGridOptions options_;
  int terms_ = 0;
  double scale_ = 0;  // root mean square of the largest singular values of S
  bool complete_ = false;
  Matrix weights_;
  std::vector<std::int16_t> offsets_;
};

}  // namespace pullback
