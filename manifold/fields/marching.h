// One pass of anisotropic fast marching: see distance_field.h.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "pullback/base/types.h"
#include "pullback/manifold/fields/metric_grid.h"

namespace pullback {

// Computes u and the velocity dx/du of the paths towards the source.
//
//   source: n, in indices; root: n×n, u ≈ ‖root (x − source)‖ near it; seeded: radius in cells within which that, with
//   the mean metric, is taken for u.
// Thread safety: none. The references must outlive it.
class Marching {
 public:
  Marching(const MetricGrid& grid, const Vector& source, const Matrix& root, double seeded);

  // False when stopped.
  bool run(const std::function<bool()>& should_stop);
  Vector values;
  Matrix velocities;

 private:
  // A difference ρ max(0, u − value)² of the scheme, along ±e.
  struct Term {
    double weight = 0;
    double value = 0;
    const std::int16_t* offset = nullptr;
    int sign = 1;
  };
  struct Update {
    double u = 0;
    int used = 0;
    Term terms[6];
    std::int64_t edge_to = -1;  // u comes from this node next to it, along the edge
  };
  struct Trial {
    double u;
    std::int64_t node;
    bool operator>(const Trial& other) const { return u > other.u; }
  };

  void seed();
  void list_dependents();
  template <class Use>
  void for_each_dependence(Use&& use) const;
  void find_clipped();
  bool leads_across_a_wall(std::int64_t node, const std::int16_t* offset, int sign) const;
  // x ± e_t of the stencil; −1 outside the box, where there is no metric, and across a wall.
  std::int64_t upwind_neighbour(std::int64_t node, int term, int sign) const;
  double length(std::int64_t node, const Vector& edge) const;
  void accept(std::int64_t node);
  Update update(std::int64_t node, bool second_order) const;
  void shorten_by_edges(std::int64_t node, Update& update) const;
  Matrix inverse_metric(std::int64_t node) const;
  bool upwind(std::int64_t node, int term, bool second_order, double bound, Term& out) const;
  // The node at x + steps·e, −1 outside the grid.
  std::int64_t neighbour(std::int64_t node, const std::int16_t* offset, int steps) const;
  bool usable(std::int64_t node) const { return node >= 0 && accepted_[static_cast<std::size_t>(node)]; }
  double cone(std::int64_t node) const { return cone_(node); }
  double cone_slope(std::int64_t node, const std::int16_t* offset, int sign) const;

  const MetricGrid& grid_;
  const Vector& source_;
  const Matrix& root_;
  double seeded_;
  int n_;
  Eigen::VectorXi counts_;
  Eigen::VectorXi strides_;
  Vector cone_;
  Matrix cone_gradients_;              // n×K
  std::vector<std::int16_t> indices_;  // n per node
  std::vector<bool> accepted_;
  Matrix metrics_;                             // n×(nK), in indices
  std::vector<std::uint16_t> closed_;          // bits 2t and 2t + 1: x + e_t and x − e_t are not to be used
  std::vector<bool> clipped_;                  // a part of the stencil is outside the box or has no metric
  std::vector<std::int16_t> edges_;            // offsets to the 3ⁿ − 1 nodes around one
  std::vector<std::int64_t> first_dependent_;  // of each node, in dependents_
  std::vector<std::int32_t> dependents_;
  std::priority_queue<Trial, std::vector<Trial>, std::greater<>> queue_;
};

}  // namespace pullback
