// Building blocks of families: one functor for the solvers and the judge, and distances that are known.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "tests/hunt/families.h"

namespace pullback::hunt {

inline constexpr Real kPi = std::numbers::pi_v<Real>;

inline Vector point(double a, double b) { return Vector{{a, b}}; }

// One geodesic, of this length.
inline Known only(Real length) { return {.infimum = length, .complete = true, .lengths = {length}, .unique = true}; }
// No geodesic; lengths come as near to `infimum` as one likes.
inline Known none(Real infimum) { return {.infimum = infimum, .complete = true, .lengths = {}, .unique = true}; }
inline Known at_least(Real infimum) { return {.infimum = infimum}; }

// The pullback of `f(const T* z, T* x)`.
template <class F>
Problem map_problem(int n, int N, F f, Vector from, Vector to, Known known, TruthTraits traits = {}) {
  Problem out;
  out.geodesic.manifold =
      std::make_shared<PullbackManifold>(make_generator(n, N, f, {.name = "map", .smooth = traits.smooth}));
  out.geodesic.from = std::move(from);
  out.geodesic.to = std::move(to);
  out.truth = std::make_shared<MapTruth<F>>(n, N, std::move(f), traits);
  out.known = std::move(known);
  return out;
}

// The metric `m(const T* z, T* M)`, which fills n×n numbers.
template <class F>
Problem metric_problem(int n, F m, Vector from, Vector to, Known known, TruthTraits traits = {}) {
  Problem out;
  out.geodesic.manifold =
      std::make_shared<MetricManifold>(n, "metric", [n, m](const ConstMatrixRef& Z, MatrixRef M, Workspace&) {
        using T = Jet<0>;
        std::vector<T> z(n);
        std::vector<T> entries(static_cast<std::size_t>(n) * n);
        for (Eigen::Index k = 0; k < Z.cols(); ++k) {
          for (int i = 0; i < n; ++i) z[i] = Z(i, k);
          m(static_cast<const T*>(z.data()), entries.data());
          for (int i = 0; i < n * n; ++i) M(i % n, n * k + i / n) = entries[i].value;
        }
      });
  out.geodesic.from = std::move(from);
  out.geodesic.to = std::move(to);
  out.truth = std::make_shared<MetricTruth<F>>(n, std::move(m), traits);
  out.known = std::move(known);
  return out;
}

// √(a² + b² − 2ab cos γ) without cancellation.
inline Real law_of_cosines(Real a, Real b, Real angle) {
  const Real s = std::sin(angle / 2);
  return std::sqrt((a - b) * (a - b) + 4 * a * b * s * s);
}

// A cone or a plane in polar coordinates with the angle unrolled: a straight line, or none from half a turn on.
inline Known polar_known(Real r1, Real r2, Real angle) {
  if (std::abs(angle) < kPi) return only(law_of_cosines(r1, r2, angle));
  return none(r1 + r2);
}

// Great circles in the polar chart: none when the longitudes are half a turn apart or more.
inline Known sphere_known(Real theta1, Real theta2, Real dphi) {
  const Real over_pole = std::min(theta1 + theta2, 2 * kPi - theta1 - theta2);
  if (std::abs(dphi) >= kPi) return none(over_pole);
  const Real s = std::sin((theta1 - theta2) / 2);
  const Real t = std::sin(dphi / 2);
  const Real h = s * s + std::sin(theta1) * std::sin(theta2) * t * t;
  return only(2 * std::atan2(std::sqrt(h), std::sqrt(std::max(1 - h, 0.0L))));
}

// The hyperbolic half-plane.
inline Known half_plane_known(Real dx, Real y1, Real y2) {
  const Real dy = y1 - y2;
  return only(2 * std::asinh(std::sqrt(dx * dx + dy * dy) / (2 * std::sqrt(y1) * std::sqrt(y2))));
}

}  // namespace pullback::hunt
