#include "pullback/manifold/curves/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/manifold/manifold.h"

namespace pullback {
namespace {

// The polyline that constant_speed_times measures has at least this many chords.
constexpr int kArcLengthChords = 256;
// Of that polyline no chord is longer than this many times the mean, down to steps in t of this size.
constexpr double kLongestChord = 8;
constexpr double kShortestStep = 1e-14;
constexpr int kMostHalvings = 60;

// Values of the Hermite basis, or of its derivatives, at u ∈ [0,1] of a piece of length h: weights of p0, p1, v0, v1
// and, for quintic pieces, a0, a1.
struct HermiteWeights {
  double p0, p1, v0, v1, a0, a1;
};

// d-th derivative of Σ c_k u^k.
double polynomial(std::initializer_list<double> coefficients, double u, int derivative) {
  double sum = 0;
  double power = 1;
  int k = 0;
  for (const double c : coefficients) {
    if (k >= derivative) {
      double factor = 1;
      for (int j = 0; j < derivative; ++j) factor *= k - j;
      sum += c * factor * power;
      power *= u;
    }
    ++k;
  }
  return sum;
}

HermiteWeights cubic_weights(double u, double h, int d) {
  return {polynomial({1, 0, -3, 2}, u, d),
          polynomial({0, 0, 3, -2}, u, d),
          h * polynomial({0, 1, -2, 1}, u, d),
          h * polynomial({0, 0, -1, 1}, u, d),
          0,
          0};
}

HermiteWeights quintic_weights(double u, double h, int d) {
  return {polynomial({1, 0, 0, -10, 15, -6}, u, d),
          polynomial({0, 0, 0, 10, -15, 6}, u, d),
          h * polynomial({0, 1, 0, -6, 8, -3}, u, d),
          h * polynomial({0, 0, 0, -4, 7, -3}, u, d),
          h * h * polynomial({0, 0, 0.5, -1.5, 1.5, -0.5}, u, d),
          h * h * polynomial({0, 0, 0, 0.5, -1, 0.5}, u, d)};
}

// Chords of a curve between increasing times.
struct Polyline {
  std::vector<double> times;
  std::vector<double> chords;  // one fewer
};

// Equal steps in every piece.
Polyline uniform_polyline(const Manifold& manifold, const Curve& curve, int wanted, Workspace& ws) {
  const int per_piece = (wanted + curve.pieces() - 1) / curve.pieces();
  Polyline line;
  for (int i = 0; i < curve.pieces(); ++i) {
    const double h = (curve.times()(i + 1) - curve.times()(i)) / per_piece;
    for (int j = 0; j < per_piece; ++j) line.times.push_back(curve.times()(i) + j * h);
  }
  line.times.push_back(1);
  line.chords.resize(line.times.size() - 1);
  const Eigen::Map<const Vector> t(line.times.data(), static_cast<Eigen::Index>(line.times.size()));
  Eigen::Map<Vector> d(line.chords.data(), static_cast<Eigen::Index>(line.chords.size()));
  manifold.chords(curve.position(t), d, ws);
  return line;
}

// Halves every chord that is longer than `longest`. Returns how many.
int halve_long_chords(const Manifold& manifold, const Curve& curve, double longest, Polyline& line, Workspace& ws) {
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < line.chords.size(); ++i) {
    const bool divisible = line.times[i + 1] - line.times[i] > kShortestStep;
    if (divisible && line.chords[i] > longest) which.push_back(i);
  }
  if (which.empty()) return 0;
  Vector t(3 * static_cast<Eigen::Index>(which.size()));
  for (std::size_t k = 0; k < which.size(); ++k) {
    const double from = line.times[which[k]];
    const double to = line.times[which[k] + 1];
    t.segment<3>(3 * static_cast<Eigen::Index>(k)) << from, 0.5 * (from + to), to;
  }
  Vector d(t.size() - 1);
  manifold.chords(curve.position(t), d, ws);
  Polyline out;
  for (std::size_t i = 0, k = 0; i < line.chords.size(); ++i) {
    out.times.push_back(line.times[i]);
    if (k < which.size() && which[k] == i) {
      const auto at = 3 * static_cast<Eigen::Index>(k++);
      out.chords.push_back(d(at));
      out.times.push_back(t(at + 1));
      out.chords.push_back(d(at + 1));
    } else {
      out.chords.push_back(line.chords[i]);
    }
  }
  out.times.push_back(line.times.back());
  line = std::move(out);
  return static_cast<int>(which.size());
}

// The same, with chords halved until none is much longer than the mean of those wanted: in a chart whose scale changes
// by many orders, equal steps pass over all of the length at once.
Polyline balanced_polyline(const Manifold& manifold, const Curve& curve, int wanted, Workspace& ws) {
  Polyline line = uniform_polyline(manifold, curve, wanted, ws);
  for (int round = 0; round < kMostHalvings; ++round) {
    const double total = std::accumulate(line.chords.begin(), line.chords.end(), 0.0);
    if (!std::isfinite(total) || static_cast<int>(line.chords.size()) > 4 * wanted) break;
    if (halve_long_chords(manifold, curve, kLongestChord * total / wanted, line, ws) == 0) break;
  }
  return line;
}

// Velocities at uniform nodes by differences of fourth order.
Matrix difference_velocities(const ConstMatrixRef& x) {
  const Eigen::Index m = x.cols() - 1;
  const auto scale = static_cast<double>(m);
  Matrix v(x.rows(), m + 1);
  if (m < 4) {
    for (Eigen::Index i = 0; i <= m; ++i) {
      const Eigen::Index a = std::max<Eigen::Index>(i - 1, 0);
      const Eigen::Index b = std::min(i + 1, m);
      v.col(i) = (x.col(b) - x.col(a)) * (scale / static_cast<double>(b - a));
    }
    return v;
  }
  const double c = scale / 12;
  for (Eigen::Index i = 2; i <= m - 2; ++i) {
    v.col(i) = c * (x.col(i - 2) - x.col(i + 2) + 8 * (x.col(i + 1) - x.col(i - 1)));
  }
  v.col(0) = c * (-25 * x.col(0) + 48 * x.col(1) - 36 * x.col(2) + 16 * x.col(3) - 3 * x.col(4));
  v.col(1) = c * (-3 * x.col(0) - 10 * x.col(1) + 18 * x.col(2) - 6 * x.col(3) + x.col(4));
  v.col(m) = c * (25 * x.col(m) - 48 * x.col(m - 1) + 36 * x.col(m - 2) - 16 * x.col(m - 3) + 3 * x.col(m - 4));
  v.col(m - 1) = c * (3 * x.col(m) + 10 * x.col(m - 1) - 18 * x.col(m - 2) + 6 * x.col(m - 3) - x.col(m - 4));
  return v;
}

}  // namespace

Curve::Curve(Vector times, Matrix positions, Matrix velocities)
    : times_(std::move(times)), positions_(std::move(positions)), velocities_(std::move(velocities)) {
  validate();
}

Curve::Curve(Vector times, Matrix positions, Matrix velocities, Matrix accelerations)
    : times_(std::move(times)),
      positions_(std::move(positions)),
      velocities_(std::move(velocities)),
      accelerations_(std::move(accelerations)) {
  if (accelerations_.rows() != positions_.rows() || accelerations_.cols() != positions_.cols()) {
    throw std::invalid_argument("Curve: accelerations must have the shape of the positions");
  }
  validate();
}

void Curve::validate() const {
  const Eigen::Index nodes = times_.size();
  if (nodes < 2) throw std::invalid_argument(fmt::format("Curve: at least 2 nodes are needed, got {}", nodes));
  if (positions_.cols() != nodes || velocities_.cols() != nodes || velocities_.rows() != positions_.rows() ||
      positions_.rows() < 1) {
    throw std::invalid_argument(fmt::format("Curve: positions and velocities must be n×{}, got {}×{} and {}×{}", nodes,
                                            positions_.rows(), positions_.cols(), velocities_.rows(),
                                            velocities_.cols()));
  }
  bool increasing = times_(0) == 0 && times_(nodes - 1) == 1;
  for (Eigen::Index i = 1; i < nodes; ++i) increasing = increasing && times_(i) > times_(i - 1);
  if (!increasing) throw std::invalid_argument("Curve: times must increase from 0 to 1");
}

Curve Curve::straight(const ConstVectorRef& from, const ConstVectorRef& to) {
  if (from.size() != to.size()) throw std::invalid_argument("Curve::straight: the ends differ in dimension");
  Matrix nodes(from.size(), 2);
  nodes << from, to;
  return through(nodes);
}

Curve Curve::through(const ConstMatrixRef& nodes) {
  if (nodes.cols() < 2) {
    throw std::invalid_argument(fmt::format("Curve::through: at least 2 nodes are needed, got {}", nodes.cols()));
  }
  return {uniform_times(static_cast<int>(nodes.cols())), nodes, difference_velocities(nodes)};
}

Matrix Curve::evaluate(const ConstVectorRef& t, int derivative) const {
  Matrix out(positions_.rows(), t.size());
  const double* begin = times_.data();
  for (Eigen::Index k = 0; k < t.size(); ++k) {
    const double time = std::clamp(t(k), 0.0, 1.0);
    const auto* upper = std::upper_bound(begin + 1, begin + times_.size() - 1, time);
    const Eigen::Index i = upper - begin - 1;
    const double h = times_(i + 1) - times_(i);
    const double u = (time - times_(i)) / h;
    const HermiteWeights w = quintic() ? quintic_weights(u, h, derivative) : cubic_weights(u, h, derivative);
    if (derivative == 0) {
      out.col(k) = w.p0 * positions_.col(i) + w.p1 * positions_.col(i + 1);
    } else {
      // The weights of both positions are opposite: the difference of near positions is exact, that of products is not.
      out.col(k) = w.p1 * (positions_.col(i + 1) - positions_.col(i));
    }
    out.col(k) += w.v0 * velocities_.col(i) + w.v1 * velocities_.col(i + 1);
    if (quintic()) out.col(k) += w.a0 * accelerations_.col(i) + w.a1 * accelerations_.col(i + 1);
    out.col(k) /= std::pow(h, derivative);
  }
  return out;
}

Matrix Curve::position(const ConstVectorRef& t) const { return evaluate(t, 0); }
Matrix Curve::velocity(const ConstVectorRef& t) const { return evaluate(t, 1); }
Matrix Curve::acceleration(const ConstVectorRef& t) const { return evaluate(t, 2); }

Curve Curve::reversed() const {
  if (empty()) return {};
  Curve out;
  out.times_ = (1 - times_.array()).matrix().reverse();
  out.positions_ = positions_.rowwise().reverse();
  out.velocities_ = -velocities_.rowwise().reverse();
  if (quintic()) out.accelerations_ = accelerations_.rowwise().reverse();
  return out;
}

Curve Curve::transformed(const ConstMatrixRef& A, const ConstVectorRef& b) const {
  if (empty()) return {};
  if (A.cols() != dimension() || b.size() != A.rows()) {
    throw std::invalid_argument(fmt::format("Curve::transformed: A must be m×{} and b of size m, got {}×{} and {}",
                                            dimension(), A.rows(), A.cols(), b.size()));
  }
  Curve out;
  out.times_ = times_;
  out.positions_ = (A * positions_).colwise() + Vector(b);
  out.velocities_ = A * velocities_;
  if (quintic()) out.accelerations_ = A * accelerations_;
  return out;
}

Curve joined(const Curve& curve, const ConstVectorRef& from, const ConstVectorRef& to) {
  if (from.size() != curve.dimension() || to.size() != curve.dimension()) {
    throw std::invalid_argument(fmt::format("joined: the ends must have dimension {}, got {} and {}", curve.dimension(),
                                            from.size(), to.size()));
  }
  const Vector miss_from = from - curve.positions().col(0);
  const Vector miss_to = to - curve.positions().rightCols(1);
  if (miss_from.isZero(0) && miss_to.isZero(0)) return curve;
  const Vector& t = curve.times();
  Matrix positions = curve.positions() + miss_from * (1 - t.array()).matrix().transpose() + miss_to * t.transpose();
  positions.col(0) = from;
  positions.rightCols(1) = to;
  Matrix velocities = curve.velocities().colwise() + (miss_to - miss_from);
  if (!curve.quintic()) return Curve(t, std::move(positions), std::move(velocities));
  return Curve(t, std::move(positions), std::move(velocities), curve.accelerations());
}

Vector uniform_times(int count) {
  Vector t(count);
  for (int i = 0; i < count; ++i) t(i) = static_cast<double>(i) / (count - 1);
  return t;
}

Matrix at_equal_distances(const ConstMatrixRef& points, const ConstVectorRef& chords, int pieces) {
  const double total = chords.sum();
  Matrix out(points.rows(), pieces + 1);
  Eigen::Index i = 0;
  double before = 0;
  for (int k = 0; k <= pieces; ++k) {
    const double target = total * k / pieces;
    while (i + 1 < chords.size() && before + chords(i) < target) before += chords(i++);
    const double t = chords(i) > 0 ? std::clamp((target - before) / chords(i), 0.0, 1.0) : 0;
    out.col(k) = (1 - t) * points.col(i) + t * points.col(i + 1);
  }
  out.col(0) = points.col(0);
  out.rightCols(1) = points.rightCols(1);
  return out;
}

Vector constant_speed_times(const Manifold& manifold, const Curve& curve, int pieces, Workspace& ws) {
  const Polyline line = balanced_polyline(manifold, curve, std::max(kArcLengthChords, 2 * pieces), ws);
  const auto chords = static_cast<int>(line.chords.size());
  const double total = std::accumulate(line.chords.begin(), line.chords.end(), 0.0);
  if (!(total > 0) || !std::isfinite(total)) return uniform_times(pieces + 1);
  Vector out(pieces + 1);
  out(0) = 0;
  out(pieces) = 1;
  int i = 0;
  double before = 0;
  const auto chord = [&line](int k) { return line.chords[static_cast<std::size_t>(k)]; };
  const auto time = [&line](int k) { return line.times[static_cast<std::size_t>(k)]; };
  for (int k = 1; k < pieces; ++k) {
    const double target = total * (static_cast<double>(k) / pieces);
    while (i + 1 < chords && before + chord(i) < target) before += chord(i++);
    const double fraction = chord(i) > 0 ? std::clamp((target - before) / chord(i), 0.0, 1.0) : 0;
    out(k) = time(i) + fraction * (time(i + 1) - time(i));
  }
  return out;
}

Curve constant_speed(const Manifold& manifold, const Curve& curve, int pieces, Workspace& ws) {
  const Vector t = constant_speed_times(manifold, curve, pieces, ws);
  Matrix nodes = curve.position(t);
  nodes.col(0) = curve.positions().leftCols(1);
  nodes.rightCols(1) = curve.positions().rightCols(1);
  return Curve::through(nodes);
}

Curve with_geodesic_accelerations(const Manifold& manifold, const Curve& curve, Workspace& ws) {
  if (!manifold.smooth()) return curve;
  Matrix A(curve.dimension(), curve.times().size());
  manifold.acceleration(curve.positions(), curve.velocities(), A, ws);
  if (!A.allFinite()) return curve;
  return {curve.times(), curve.positions(), curve.velocities(), std::move(A)};
}

}  // namespace pullback
