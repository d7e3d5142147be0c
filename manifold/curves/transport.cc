#include "pullback/manifold/curves/transport.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "pullback/manifold/numerics/discrete_calculus.h"

namespace pullback {
namespace {

constexpr int kLeastSteps = 16;  // of the whole curve
constexpr int kMostTransforms = 1 << 16;
constexpr int kLeastChords = 64;  // of Schild's ladder
constexpr int kMostChords = 1024;

// −Γ(velocity, w).
Vector derivative(const Manifold& manifold, const Matrix& z, const Vector& velocity, const Vector& w, Workspace& ws) {
  Matrix Z(z.rows(), 2);
  Z << z, z;
  Matrix V(z.rows(), 2);
  V << velocity + w, velocity - w;
  Matrix A(z.rows(), 2);
  manifold.acceleration(Z, V, A, ws);
  return 0.25 * (A.col(0) - A.col(1));
}

// `parts` Runge–Kutta steps in each piece.
Vector stepped(const Manifold& manifold, const Curve& curve, Vector w, int parts, Workspace& ws) {
  for (int i = 0; i < curve.pieces(); ++i) {
    const double start = curve.times()(i);
    const double h = (curve.times()(i + 1) - start) / parts;
    for (int j = 0; j < parts; ++j) {
      const double t = start + j * h;
      // Inside of the piece, so that a corner at a node is not seen from the other side.
      const Vector times{{t + 1e-12 * h, t + 0.5 * h, t + (1 - 1e-12) * h}};
      const Matrix z = curve.position(times);
      const Matrix v = curve.velocity(times);
      const Vector k1 = derivative(manifold, z.col(0), v.col(0), w, ws);
      const Vector k2 = derivative(manifold, z.col(1), v.col(1), w + 0.5 * h * k1, ws);
      const Vector k3 = derivative(manifold, z.col(1), v.col(1), w + 0.5 * h * k2, ws);
      const Vector k4 = derivative(manifold, z.col(2), v.col(2), w + h * k3, ws);
      w += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
  }
  return w;
}

Vector by_ladder(const Manifold& manifold, const Curve& curve, const Vector& v, int chords, Workspace& ws) {
  return discrete_transport(manifold, constant_speed(manifold, curve, chords, ws).positions(), v, ws);
}

// Γ sees w beside the curve's velocity: of about its length neither drowns in the other, and what is transported keeps
// its length.
double scale_beside(const Manifold& manifold, const Curve& curve, const ConstVectorRef& v) {
  const Vector middle = Vector::Constant(1, 0.5);
  const double speed = manifold.norm(curve.position(middle), curve.velocity(middle));
  const double size = manifold.norm(curve.positions().col(0), v);
  return speed > 0 && size > 0 ? speed / size : 1;
}

void require_sizes(const Manifold& manifold, const Curve& curve, const ConstVectorRef& v) {
  const int n = manifold.dimension();
  if (!curve.empty() && curve.dimension() == n && v.size() == n) return;
  throw std::invalid_argument(
      fmt::format("parallel transport: expected a curve and a vector of dimension {}, got {} and {}", n,
                  curve.empty() ? std::string("no curve") : fmt::format("a curve of {}", curve.dimension()), v.size()));
}

}  // namespace

Transported parallel_transport(const Manifold& manifold, const Curve& curve, const ConstVectorRef& v, Workspace& ws,
                               double tolerance) {
  require_sizes(manifold, curve, v);
  const bool smooth = manifold.smooth();
  const int order = smooth ? 4 : 2;
  int parts = smooth ? std::max(2, (kLeastSteps + curve.pieces() - 1) / curve.pieces()) : kLeastChords;
  const int most = smooth ? std::max(4 * parts, kMostTransforms / curve.pieces()) : kMostChords;
  const double scale = smooth ? scale_beside(manifold, curve, v) : 1;
  const auto at = [&](int count) {
    return smooth ? Vector(stepped(manifold, curve, scale * v, count, ws) / scale)
                  : by_ladder(manifold, curve, v, count, ws);
  };
  const Vector end = curve.position(Vector::Constant(1, 1.0));
  const double gain = std::pow(2.0, order) - 1;
  Vector coarse = at(parts);
  for (;;) {
    parts *= 2;
    const Vector fine = at(parts);
    const Vector change = (fine - coarse) / gain;
    const double size = manifold.norm(end, fine);
    const double error = size == 0 ? 0 : manifold.norm(end, change) / size;
    if (!std::isfinite(error)) return {fine, std::numeric_limits<double>::infinity()};
    // The extrapolated vector is better than its error says.
    if (error <= tolerance || 2 * parts > most) return {fine + change, error};
    coarse = fine;
  }
}

}  // namespace pullback
