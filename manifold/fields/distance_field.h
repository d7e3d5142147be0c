// The distance from one point to all others, and the shortest paths back.
#pragma once

#include <functional>
#include <memory>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/fields/metric_grid.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// The Riemannian distance u(z) = d(source, z) on a grid, by anisotropic fast marching.
//
// Solves the eikonal equation ∇uᵀ M⁻¹ ∇u = 1, u(source) = 0, with upwind differences along the offsets into which
// MetricGrid takes the inverse metric apart,
//   Σ_k ρ_k max(0, u(x) − u(x + e_k), u(x) − u(x − e_k))² = 1,
// which is monotone and causal for every anisotropy, so that one pass in the order of u finds the viscosity solution:
// the global distance within the box, over all ways round. A node that is accepted gets differences of second order
// where the upwind values are smooth, and around the source the differences are corrected by those of the cone
// √(δᵀM(source)δ), whose tip has no derivatives. Nodes next to the source start with √(δᵀM̄δ), M̄ the mean of both
// metrics.
//
// Error: O(h²) where u is smooth, O(h) downwind of kinks. Paths that would leave the box are not found; changes of the
// metric within a cell count only as much as they change chords. No path leads through a node without a finite metric.
// Where a stencil would lead across a wall (a node that it passes finds it three times as long) or out of the box,
// edges to the nodes around stand in, of first order: strongly anisotropic metrics that turn within few cells give too
// long distances. Errors: std::invalid_argument for a null grid, one that was stopped, or a source of the wrong size.
// Cost: one factor; O(K log K) for K nodes, some microseconds for each. Thread safety: immutable. References: Mirebeau
// (2014), doi:10.1137/120861667; Mirebeau (2019), HAL hal-01507334 (the scheme); Fomel, Luo, Zhao (2009),
// doi:10.1016/j.jcp.2009.05.029 (factoring the source out).
class PULLBACK_EXPORT DistanceField {
 public:
  DistanceField(const Manifold& manifold, std::shared_ptr<const MetricGrid> grid, const ConstVectorRef& source,
                Workspace& ws, const std::function<bool()>& should_stop = {});

  // False when it was stopped: distances that were not reached by then are infinite.
  bool complete() const { return complete_; }
  const MetricGrid& grid() const { return *grid_; }
  // u at every node; infinite where no path leads.
  const Vector& values() const { return values_; }
  // u at any points in the box, interpolated; infinite outside, and where no path leads to all corners of the cell.
  //   Z: n×K.
  Vector distance(const ConstMatrixRef& Z) const;
  // The shortest path from z to the source: latent points, n×m, z first and the source last, half a cell apart. It
  // follows −M⁻¹∇u, and from node to node where that does not lead down. Empty when no path leads to z.
  Matrix path(const ConstVectorRef& z) const;

 private:
  friend class Marching;

  double cone(const ConstVectorRef& x) const { return (root_ * (x - source_)).norm(); }
  double at(const ConstVectorRef& x) const;
  bool velocity(const ConstVectorRef& x, VectorRef v) const;
  bool advance(VectorRef x, double u) const;
  std::int64_t lower_node(const ConstVectorRef& x, double u) const;

  std::shared_ptr<const MetricGrid> grid_;
  Vector source_;      // in indices, as everything below
  Matrix root_;        // S(source) h
  double seeded_ = 0;  // nodes as near as this have the cone's values
  bool complete_ = false;
  Vector values_;
  Matrix velocities_;  // dx/du, towards the source, n×K
};

}  // namespace pullback
