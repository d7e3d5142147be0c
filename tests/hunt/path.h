// Curves as the judge evaluates them, and the length of a path by adaptive quadrature.
#pragma once

#include <functional>
#include <vector>

#include "pullback/manifold/curves/curve.h"
#include "tests/hunt/truth.h"

namespace pullback::hunt {

// The interpolant through the nodes of a curve, in extended precision and by its own formulas.
class Path {
 public:
  explicit Path(const Curve& curve);

  int dimension() const { return static_cast<int>(nodes_.rows()); }
  const std::vector<Real>& breaks() const { return times_; }
  // Position z and velocity v (n each) at time t.
  void at(Real t, Real* z, Real* v) const;

 private:
  std::vector<Real> times_;
  RealMatrix nodes_;
  RealMatrix velocities_;
  RealMatrix accelerations_;  // empty: cubic pieces
};

// A part of a path on which quadrature agrees with itself.
struct Panel {
  Real begin;
  Real end;
  Real arc;  // ∫ of the speed
};

struct Arc {
  Real length = 0;
  Real error = 0;             // estimate, of quadrature and of rounding
  Real jumps = 0;             // part of the length that lies in jumps of the map
  std::vector<Panel> panels;  // in order
  bool complete = true;       // false: the work allowed ran out
  long evaluations = 0;
};

struct ArcLimits {
  Real agreement = 1e-10L;  // between the 7 and the 15 points of a panel, relative
  int least_panels = 64;    // no panel is longer than this share of the whole
  long evaluations = 300000;
  bool kinks = false;  // look for kinks beside the ends of panels
};

// Gauss–Kronrod quadrature (7, 15 points) of `speed` over the intervals between breaks, halved until they agree.
Arc integrate(const std::function<Real(Real)>& speed, const std::vector<Real>& breaks, const ArcLimits& limits);

// The length of a path: the integral of its speed, and the jumps of the map where a chord is longer than its arc.
Arc measure_path(const Truth& truth, const Path& path, ArcLimits limits = {});

}  // namespace pullback::hunt
