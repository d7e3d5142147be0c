// A path that is moved a little: by a field that is linear between knots at equal distances.
#pragma once

#include <vector>

#include "tests/hunt/path.h"

namespace pullback::hunt {

// Moves of the knots, n×(number of knots), zero at both ends; or the same in whitened coordinates.
using Field = RealMatrix;

// Lengths of the moved path, and their derivatives. Not safe from several threads.
class MovedPath {
 public:
  // `arc` is the path's own.
  MovedPath(const Truth& truth, const Path& path, const Arc& arc);

  int dimension() const { return n_; }
  bool smooth() const { return smooth_; }
  Eigen::Index knots() const { return static_cast<Eigen::Index>(times_.size()); }
  Real total() const { return arc_.length; }
  // Of knot i from the start, along the path; and between knots i and i + 1.
  Real distance(Eigen::Index i) const { return distances_[i]; }
  Real spacing(Eigen::Index i) const;
  // The direction of the path at every knot, whitened and of unit length.
  const RealMatrix& tangents() const { return tangent_; }
  long evaluations() const { return evaluations_; }

  // The length after the move: by fixed nodes on the path's own panels where the map is smooth, else adaptively.
  Real length(const Field& move);
  // The same by adaptive quadrature.
  Arc exact(const Field& move);
  // Derivative of the length by every whitened coordinate of every inner knot, at the path moved by `move`: by first
  // derivatives of the map where it is smooth, else by differences of lengths.
  RealMatrix gradient(const Field& move);
  // R⁻¹η at every knot, RᵀR the metric there: η has the metric's size.
  Field unwhitened(const RealMatrix& eta) const;

 private:
  struct Node {
    Real weight;
    Real fraction;  // of the way between the knots beside it
    Eigen::Index interval;
    Eigen::Index column;  // of z_ and v_
  };

  void place_knots();
  void place_nodes();
  void place_frames();
  void displaced(const Field& move, const Node& node, Real* z, Real* v) const;
  RealMatrix gradient_by_slopes(const Field& move);
  RealMatrix gradient_by_values(const Field& move);
  // Length of the two intervals beside knot i, by fixed nodes.
  Real beside(const Field& move, Eigen::Index i);

  const Truth& truth_;
  const Path& path_;
  const Arc& arc_;
  int n_;
  bool smooth_;
  std::vector<Real> times_;      // of the knots
  std::vector<Real> distances_;  // of the knots from the start
  std::vector<Node> nodes_;
  std::vector<std::size_t> first_node_;  // of each interval between knots, and the end
  RealMatrix z_;                         // the path at the nodes
  RealMatrix v_;
  std::vector<RealMatrix> whitening_;
  RealMatrix tangent_;
  long evaluations_ = 0;
};

}  // namespace pullback::hunt
