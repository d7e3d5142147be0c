// Curves in latent space.
#pragma once

#include <vector>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"

namespace pullback {

class Manifold;

// A piecewise polynomial curve c: [0,1] → Rⁿ through nodes: cubic Hermite pieces from positions and velocities, quintic
// where accelerations are given too.
//
//   Shapes: times t: m+1 increasing values, t_0 = 0, t_m = 1; positions, velocities, accelerations: n×(m+1).
//   Units: velocities per unit of t, latent.
// Errors: std::invalid_argument for fewer than two nodes, times not increasing from 0 to 1, or wrong shapes.
// Cost: evaluation O(n) a point. Thread safety: a value type.
class PULLBACK_EXPORT Curve {
 public:
  Curve() = default;  // no nodes: the curve of a solver that has none
  Curve(Vector times, Matrix positions, Matrix velocities);
  Curve(Vector times, Matrix positions, Matrix velocities, Matrix accelerations);

  // c(t) = (1−t) from + t to.
  static Curve straight(const ConstVectorRef& from, const ConstVectorRef& to);
  // Through nodes at t_i = i/m, velocities by differences of fourth order (of lower order for fewer than five nodes).
  static Curve through(const ConstMatrixRef& nodes);

  bool empty() const { return times_.size() == 0; }
  // There are nodes, and none of their numbers is NaN or infinite.
  bool finite() const {
    return !empty() && positions_.allFinite() && velocities_.allFinite() && accelerations_.allFinite();
  }
  int dimension() const { return static_cast<int>(positions_.rows()); }
  int pieces() const { return empty() ? 0 : static_cast<int>(times_.size()) - 1; }
  const Vector& times() const { return times_; }
  const Matrix& positions() const { return positions_; }
  const Matrix& velocities() const { return velocities_; }
  bool quintic() const { return accelerations_.size() != 0; }
  const Matrix& accelerations() const { return accelerations_; }  // empty unless quintic

  // c, ċ and c̈ at the given times, n×K each; times outside [0,1] are clamped.
  Matrix position(const ConstVectorRef& t) const;
  Matrix velocity(const ConstVectorRef& t) const;
  Matrix acceleration(const ConstVectorRef& t) const;

  Curve reversed() const;
  // The curve A c(t) + b: m×n matrix A, m-vector b.
  Curve transformed(const ConstMatrixRef& A, const ConstVectorRef& b) const;

 private:
  Matrix evaluate(const ConstVectorRef& t, int derivative) const;
  void validate() const;

  Vector times_;
  Matrix positions_;
  Matrix velocities_;
  Matrix accelerations_;
};

// The curve moved by (1−t) δ_0 + t δ_1, so that it joins the ends exactly. Errors: std::invalid_argument for wrong
// sizes.
PULLBACK_EXPORT Curve joined(const Curve& curve, const ConstVectorRef& from, const ConstVectorRef& to);

// `count` values uniform over [0,1], ends included; count ≥ 2.
PULLBACK_EXPORT Vector uniform_times(int count);

// `pieces` + 1 points on a polyline at equal distances along it, its ends kept. points: n×(K+1).  chords: K, their
// lengths.
PULLBACK_EXPORT Matrix at_equal_distances(const ConstMatrixRef& points, const ConstVectorRef& chords, int pieces);

// The times at which the curve has covered the fractions 0, 1/pieces, …, 1 of its length (chords of a fine polyline).
// Cost: at least 256 values, and two a piece asked for; more where the scale of the chart changes by orders along the
// curve, so that no chord is much longer than the others.
PULLBACK_EXPORT Vector constant_speed_times(const Manifold& manifold, const Curve& curve, int pieces, Workspace& ws);

// The same path at constant speed, with nodes at equal distances.
PULLBACK_EXPORT Curve constant_speed(const Manifold& manifold, const Curve& curve, int pieces, Workspace& ws);

// The curve through the same nodes with geodesic accelerations a(c, ċ), which makes its pieces quintic. Returns the
// curve unchanged if the manifold has kinks, of which accelerations say nothing, or if one of them is not finite.
// Cost: one geodesic acceleration per node.
PULLBACK_EXPORT Curve with_geodesic_accelerations(const Manifold& manifold, const Curve& curve, Workspace& ws);

}  // namespace pullback
