#include "pullback/manifold/numerics/discrete_calculus.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/numerics/block_tridiagonal.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

constexpr int kMostIterations = 100;
// Steps of the differences, in units of the chord.
constexpr double kDifference = 0.05;
// An iteration ends at a correction of this share of the chord, or fails above the second one.
constexpr double kSettled = 1e-13;
constexpr double kFailed = 1e-8;
constexpr double kSmallestStep = 1.0 / 1024;
// A step that promises less than this of the energy is rounding.
constexpr double kRounding = 1e-15;

struct Balance {
  Vector gradient;  // whitened, n
  Matrix factor;    // R at the point in the middle
  double chord = 0;
};

// ∂₂W(a,p) + ∂₁W(p,b), whitened. The path a, p′, b, p″, a, … has a chord for every term and each point once.
Balance balance(const Manifold& manifold, const Vector& a, const Vector& p, const Vector& b, Workspace& ws) {
  const Eigen::Index n = p.size();
  Balance out{Vector(n), Matrix(n, n), 0};
  manifold.factor(p, out.factor, ws);
  floor_diagonal(out.factor);
  Vector sides(2);
  Matrix three(n, 3);
  three << a, p, b;
  manifold.chords(three, sides, ws);
  out.chord = sides.maxCoeff();
  const double h = kDifference * out.chord;
  constexpr std::array<double, 4> kPlaces{1, -1, 2, -2};
  constexpr std::array<double, 4> kWeights{8, -8, -1, 1};
  Matrix path(n, 8 * n + 1);
  for (Eigen::Index k = 0; k < 4 * n; ++k) {
    const Vector move = out.factor.triangularView<Eigen::Upper>().solve(Vector(Vector::Unit(n, k / 4)));
    path.col(2 * k) = k % 2 == 0 ? a : b;
    path.col(2 * k + 1) = p + h * kPlaces[static_cast<std::size_t>(k % 4)] * move;
  }
  path.col(8 * n) = a;
  Vector d(8 * n);
  manifold.chords(path, d, ws);
  out.gradient.setZero();
  for (Eigen::Index k = 0; k < 4 * n; ++k) {
    out.gradient(k / 4) += kWeights[static_cast<std::size_t>(k % 4)] * d.segment(2 * k, 2).squaredNorm() / (12 * h);
  }
  return out;
}

// Moves `unknown`, one of a path's three points, until the one in the middle is balanced: by R⁻¹g/`stiffness`, the
// second derivative of W's sum being that many times the metric to leading order.
template <class Move>
Vector balanced(const Manifold& manifold, Vector unknown, double stiffness, Workspace& ws, const Move& points) {
  double last = std::numeric_limits<double>::infinity();
  for (int iteration = 0; iteration < kMostIterations; ++iteration) {
    const Matrix at = points(unknown);
    const Balance now = balance(manifold, at.col(0), at.col(1), at.col(2), ws);
    if (!(now.chord > 0)) return unknown;
    const double correction = now.gradient.norm() / (std::abs(stiffness) * now.chord);
    if (!std::isfinite(correction)) break;
    // What no longer falls is rounding, or does not converge.
    if (correction >= last && correction <= kFailed) return unknown;
    unknown -= now.factor.triangularView<Eigen::Upper>().solve(now.gradient) / stiffness;
    if (correction <= kSettled) return unknown;
    last = correction;
  }
  return Vector::Constant(unknown.size(), std::numeric_limits<double>::quiet_NaN());
}

// The end of the parallelogram's side at c′ that was the side from c to `corner`.
Vector carried(const Manifold& manifold, const Vector& c, const Vector& corner, const Vector& next, Workspace& ws) {
  return discrete_extension(manifold, c, discrete_middle(manifold, corner, next, ws), ws);
}

// −H⁻¹g, or −G⁻¹g with the part G of H without second derivatives where H is indefinite.
Matrix descent_step(const Variation& variation) {
  const BlockTridiagonalFactor exact(variation.hessian);
  if (exact.positive_definite()) return -exact.solve(variation.chord_gradient);
  BlockTridiagonal first = variation.hessian;
  for (int i = 0; i < first.blocks(); ++i) {
    first.diagonal_block(i).setIdentity();
    first.diagonal_block(i) *= 2.0 * (first.blocks() + 1);
  }
  return -BlockTridiagonalFactor(first).solve(variation.chord_gradient);
}

}  // namespace

Vector discrete_extension(const Manifold& manifold, const ConstVectorRef& a, const ConstVectorRef& p, Workspace& ws) {
  // The mixed second derivative ∂₁∂₂W(p,b) is −2 M to leading order.
  return balanced(manifold, 2 * p - a, -2, ws, [&](const Vector& b) {
    Matrix points(p.size(), 3);
    points << a, p, b;
    return points;
  });
}

Vector discrete_middle(const Manifold& manifold, const ConstVectorRef& a, const ConstVectorRef& b, Workspace& ws) {
  return balanced(manifold, 0.5 * (a + b), 4, ws, [&](const Vector& p) {
    Matrix points(p.size(), 3);
    points << a, p, b;
    return points;
  });
}

Matrix discrete_exponential(const Manifold& manifold, const ConstVectorRef& z0, const ConstVectorRef& z1, int steps,
                            Workspace& ws) {
  if (steps < 1) throw std::invalid_argument("discrete_exponential: at least 1 step is needed");
  Matrix out(z0.size(), steps + 1);
  out.col(0) = z0;
  out.col(1) = z1;
  for (Eigen::Index k = 2; k <= steps; ++k) {
    out.col(k) = discrete_extension(manifold, out.col(k - 2), out.col(k - 1), ws);
  }
  return out;
}

Vector discrete_logarithm(const ConstMatrixRef& geodesic) {
  if (geodesic.cols() < 2) throw std::invalid_argument("discrete_logarithm: at least 2 nodes are needed");
  return static_cast<double>(geodesic.cols() - 1) * (geodesic.col(1) - geodesic.col(0));
}

Vector discrete_transport(const Manifold& manifold, const ConstMatrixRef& nodes, const ConstVectorRef& v,
                          Workspace& ws) {
  if (nodes.cols() < 2) throw std::invalid_argument("discrete_transport: at least 2 nodes are needed");
  Vector chords(nodes.cols() - 1);
  manifold.chords(nodes, chords, ws);
  const double size = manifold.norm(nodes.col(0), v);
  if (!(size > 0) || !(chords.maxCoeff() > 0)) return v;
  const double scale = chords.mean() / size;
  Vector side = scale * v;
  for (Eigen::Index k = 0; k + 1 < nodes.cols(); ++k) {
    const Vector ahead = carried(manifold, nodes.col(k), nodes.col(k) + side, nodes.col(k + 1), ws);
    const Vector behind = carried(manifold, nodes.col(k), nodes.col(k) - side, nodes.col(k + 1), ws);
    side = 0.5 * (ahead - behind);
  }
  return side / scale;
}

DiscreteGeodesic discrete_geodesic(const Manifold& manifold, Matrix nodes, const DiscreteGeodesicOptions& options,
                                   Workspace& ws) {
  DiscreteGeodesic out;
  out.nodes = std::move(nodes);
  for (; out.iterations < options.max_iterations; ++out.iterations) {
    if (options.should_stop && options.should_stop()) return out;
    Variation variation = manifold.variation(out.nodes, ws);
    floor_diagonal(variation.factor);
    out.energy = variation.energy;
    const Matrix step = descent_step(variation);
    const double promised = -0.5 * variation.chord_gradient.cwiseProduct(step).sum();
    if (!std::isfinite(promised)) return out;
    if (promised <= std::max(2 * options.tolerance, kRounding) * out.energy) {
      out.settled = true;
      return out;
    }
    double damping = 1;
    Matrix trial = moved_nodes(out.nodes, variation.factor, step, damping);
    while (!(chord_energy(manifold, trial, ws) < out.energy - 0.1 * damping * promised)) {
      damping /= 2;
      if (damping < kSmallestStep) return out;
      trial = moved_nodes(out.nodes, variation.factor, step, damping);
    }
    out.nodes = std::move(trial);
    if (options.keep) options.keep(out.nodes);
  }
  return out;
}

}  // namespace pullback
