#include "pullback/manifold/curves/bump_moves.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "pullback/manifold/curves/arc_length.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

constexpr int kWidths = 7;
constexpr Eigen::Index kMostDirections = 8;
// Height of a bump of width w: this times √(w L), so that a flat metric resists each with the same fraction of L.
constexpr double kHeight = 1e-3;
// A bend of less than this fraction of the length, a tenth of what a flat metric gives both sides of a bump, is taken
// for so much: the drop of the parabola would be that of noise.
constexpr double kLeastBend = 0.1 * 2.4 * kHeight * kHeight;
// Lengths of a bump's span are refined to this fraction of the whole.
constexpr double kAccuracy = 1e-8;
constexpr int kArcsOfWhole = 128;
constexpr int kLeastArcs = 4;

struct Bump {
  double middle;
  double width;
};

// φ and its derivative at t.
std::pair<double, double> bump_at(const Bump& bump, double t) {
  const double s = (t - bump.middle) / bump.width;
  const double r = 1 - std::abs(s);
  if (!(r > 0)) return {0, 0};
  return {r * r * (3 - 2 * r), (s > 0 ? -1 : 1) * 6 * r * (1 - r) / bump.width};
}

// The part of a curve of cubic pieces under a bump, with the bump times `move` added, in times that run from 0 to 1.
Curve moved_part(const Curve& curve, const Bump& bump, const Vector& move) {
  const double from = bump.middle - bump.width;
  const double span = 2 * bump.width;
  std::vector<double> inner{from, bump.middle, from + span};
  for (Eigen::Index i = 0; i < curve.times().size(); ++i) {
    const double t = curve.times()(i);
    const bool apart = std::ranges::all_of(inner, [&](double knot) { return std::abs(t - knot) > 1e-9 * span; });
    if (t > from && t < from + span && apart) inner.push_back(t);
  }
  std::ranges::sort(inner);
  const Eigen::Map<const Vector> times(inner.data(), static_cast<Eigen::Index>(inner.size()));
  Matrix positions = curve.position(times);
  Matrix velocities = curve.velocity(times);
  Vector scaled = (times.array() - from) / span;
  for (Eigen::Index i = 0; i < times.size(); ++i) {
    const auto [height, slope] = bump_at(bump, times(i));
    positions.col(i) += height * move;
    velocities.col(i) += slope * move;
  }
  scaled(0) = 0;
  scaled(scaled.size() - 1) = 1;
  return {std::move(scaled), std::move(positions), span * velocities};
}

class Mover {
 public:
  Mover(const Manifold& manifold, const Curve& curve, double length, Workspace& ws)
      : manifold_(manifold), curve_(curve.times(), curve.positions(), curve.velocities()), length_(length), ws_(ws) {}

  // What all bumps of one width gain together, a length.
  double gain(int halvings) {
    const double width = std::ldexp(1.0, -halvings);
    double sum = 0;
    for (int i = 1; i < (1 << halvings); ++i) sum += gain(Bump{i * width, width}, arcs_of(width));
    return sum;
  }

 private:
  static int arcs_of(double width) { return std::max(kLeastArcs, static_cast<int>(2 * width * kArcsOfWhole)); }

  double length_of(const Bump& bump, const Vector& move, int arcs) {
    ArcOptions options;
    options.least = options.most_at_first = arcs;
    options.tolerance = kAccuracy * length_;
    double sum = 0;
    for (const Arc& arc : measure_arcs(manifold_, moved_part(curve_, bump, move), ws_, options).parts)
      sum += arc.chords;
    return sum;
  }

  double gain(const Bump& bump, int arcs) {
    const double here = length_of(bump, Vector::Zero(manifold_.dimension()), arcs);
    const Matrix directions = orthonormal_directions(curve_.position(Vector::Constant(1, bump.middle)));
    const double height = kHeight * std::sqrt(bump.width) * length_;
    double sum = 0;
    for (Eigen::Index j = 0; j < directions.cols(); ++j) {
      const double up = length_of(bump, height * directions.col(j), arcs) - here;
      const double down = length_of(bump, -height * directions.col(j), arcs) - here;
      if (!std::isfinite(up) || !std::isfinite(down)) return std::numeric_limits<double>::infinity();
      // The parabola through (−1, down), (0, 0), (1, up).
      const double slope = 0.5 * (up - down);
      const double bend = up + down;
      const double vertex = 0.5 * slope * slope / std::max(bend, kLeastBend * length_);
      sum += std::max({0.0, -up, -down, vertex});
    }
    return sum;
  }

  // Columns e with eᵀMe = 1.
  Matrix orthonormal_directions(const Matrix& z) {
    const Eigen::Index n = z.rows();
    Matrix R(n, n);
    manifold_.factor(z, R, ws_);
    floor_diagonal(R);
    Matrix basis = Matrix::Identity(n, n);
    if (n > kMostDirections) {
      std::normal_distribution<double> normal;
      const Matrix random = Matrix::NullaryExpr(n, kMostDirections, [&] { return normal(random_); });
      basis = Eigen::HouseholderQR<Matrix>(random).householderQ() * Matrix::Identity(n, kMostDirections);
    }
    return R.triangularView<Eigen::Upper>().solve(basis);
  }

  const Manifold& manifold_;
  const Curve curve_;  // without accelerations, so that bumps can be added to its pieces
  const double length_;
  Workspace& ws_;
  std::mt19937_64 random_{1};  // the same directions whenever a curve is measured
};

}  // namespace

double internal::shortening_by_bumps(const Manifold& manifold, const Curve& curve, double length, Workspace& ws) {
  if (!(length > 0)) return 0;
  Mover mover(manifold, curve, length, ws);
  double most = 0;
  for (int halvings = 1; halvings <= kWidths; ++halvings) most = std::max(most, mover.gain(halvings));
  return most / length;
}

}  // namespace pullback
