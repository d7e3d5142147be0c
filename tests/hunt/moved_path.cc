#include "tests/hunt/moved_path.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace pullback::hunt {
namespace {

constexpr int kKnots = 64;  // at least; hats are as narrow as the distance between them
constexpr int kMostKnots = 384;
constexpr Real kSingular = 1e-12L;        // a diagonal of R below this share of the largest is raised to it
constexpr Real kValueStep = 1e-2L;        // of the distance between knots, for differences of lengths
constexpr long kMostEvaluations = 40000;  // of one adaptive length

// Gauss rules on [−1, 1]: of three points where there are many panels, else of five.
struct Rule {
  std::vector<Real> nodes;
  std::vector<Real> weights;
};
const Rule& rule(std::size_t panels) {
  static const Rule three{{-0.774596669241483377035853079956L, 0, 0.774596669241483377035853079956L},
                          {5.0L / 9, 8.0L / 9, 5.0L / 9}};
  static const Rule five{
      {-0.906179845938663992797626878299L, -0.538469310105683091036314420700L, 0, 0.538469310105683091036314420700L,
       0.906179845938663992797626878299L},
      {0.236926885056189087514264040720L, 0.478628670499366468041291514836L, 0.568888888888888888888888888889L,
       0.478628670499366468041291514836L, 0.236926885056189087514264040720L}};
  return panels > 160 ? three : five;
}

}  // namespace

MovedPath::MovedPath(const Truth& truth, const Path& path, const Arc& arc)
    : truth_(truth), path_(path), arc_(arc), n_(path.dimension()), smooth_(truth.traits().smooth) {
  place_knots();
  place_nodes();
  place_frames();
}

Real MovedPath::spacing(Eigen::Index i) const {
  return std::max(distances_[i + 1] - distances_[i], 1e-12L * arc_.length);
}

void MovedPath::place_knots() {
  times_ = {0};
  distances_ = {0};
  const auto panels = static_cast<Real>(arc_.panels.size());
  const Real spacing = arc_.length / std::clamp<Real>(smooth_ ? panels : 0, kKnots, kMostKnots);
  Real way = 0;
  for (std::size_t i = 0; i < arc_.panels.size(); ++i) {
    way += arc_.panels[i].arc;
    const bool last = i + 1 == arc_.panels.size();
    if (!last && (way - distances_.back() < 0.75L * spacing || arc_.length - way < 0.5L * spacing)) continue;
    times_.push_back(arc_.panels[i].end);
    distances_.push_back(way);
  }
}

void MovedPath::place_nodes() {
  const Rule& gauss = rule(arc_.panels.size());
  const auto count = static_cast<Eigen::Index>(arc_.panels.size() * gauss.nodes.size());
  z_.resize(n_, count);
  v_.resize(n_, count);
  nodes_.reserve(count);
  first_node_.assign(1, 0);
  Eigen::Index interval = 0;
  for (const Panel& panel : arc_.panels) {
    while (interval + 2 < knots() && panel.begin >= times_[interval + 1]) {
      ++interval;
      first_node_.push_back(nodes_.size());
    }
    const Real half = (panel.end - panel.begin) / 2;
    for (std::size_t g = 0; g < gauss.nodes.size(); ++g) {
      const Real t = (panel.begin + panel.end) / 2 + half * gauss.nodes[g];
      const auto column = static_cast<Eigen::Index>(nodes_.size());
      const Real fraction = (t - times_[interval]) / (times_[interval + 1] - times_[interval]);
      nodes_.push_back({half * gauss.weights[g], fraction, interval, column});
      path_.at(t, z_.col(column).data(), v_.col(column).data());
    }
  }
  first_node_.resize(knots(), nodes_.size());
}

void MovedPath::place_frames() {
  whitening_.resize(knots());
  tangent_.setZero(n_, knots());
  RealVector z(n_);
  RealVector v(n_);
  for (Eigen::Index i = 0; i < knots(); ++i) {
    path_.at(times_[i], z.data(), v.data());
    RealMatrix R = truth_.factor(z.data());
    evaluations_ += n_;
    const Real floor = kSingular * R.diagonal().cwiseAbs().maxCoeff();
    for (int k = 0; k < n_; ++k) R(k, k) = std::max(R(k, k), floor);
    tangent_.col(i) = R * v;
    const Real speed = tangent_.col(i).norm();
    if (speed > 0) tangent_.col(i) /= speed;
    whitening_[i] = R.triangularView<Eigen::Upper>().solve(RealMatrix::Identity(n_, n_));
  }
}

void MovedPath::displaced(const Field& move, const Node& node, Real* z, Real* v) const {
  const Eigen::Index i = node.interval;
  const Real h = times_[i + 1] - times_[i];
  for (int k = 0; k < n_; ++k) {
    const Real a = move(k, i);
    const Real step = move(k, i + 1) - a;
    z[k] = z_(k, node.column) + a + node.fraction * step;
    v[k] = v_(k, node.column) + step / h;
  }
}

Real MovedPath::length(const Field& move) {
  if (!smooth_) return exact(move).length;
  std::vector<Real> z(n_);
  std::vector<Real> v(n_);
  Real sum = 0;
  for (const Node& node : nodes_) {
    displaced(move, node, z.data(), v.data());
    sum += node.weight * truth_.speed(z.data(), v.data());
  }
  evaluations_ += static_cast<long>(nodes_.size());
  return sum;
}

Arc MovedPath::exact(const Field& move) {
  std::vector<Real> z(n_);
  std::vector<Real> v(n_);
  std::vector<Real> breaks;
  std::merge(times_.begin(), times_.end(), path_.breaks().begin(), path_.breaks().end(), std::back_inserter(breaks));
  breaks.erase(std::unique(breaks.begin(), breaks.end()), breaks.end());
  const auto speed = [&](Real t) {
    const Eigen::Index i = std::upper_bound(times_.begin() + 1, times_.end() - 1, t) - times_.begin() - 1;
    const Real h = times_[i + 1] - times_[i];
    path_.at(t, z.data(), v.data());
    for (int k = 0; k < n_; ++k) {
      const Real step = move(k, i + 1) - move(k, i);
      z[k] += move(k, i) + (t - times_[i]) / h * step;
      v[k] += step / h;
    }
    return truth_.speed(z.data(), v.data());
  };
  ArcLimits limits;
  limits.evaluations = kMostEvaluations;
  if (!smooth_) limits.agreement = 1e-9L;
  limits.kinks = !smooth_;
  limits.least_panels = 1;
  Arc arc = integrate(speed, breaks, limits);
  evaluations_ += arc.evaluations;
  return arc;
}

RealMatrix MovedPath::gradient(const Field& move) {
  return smooth_ ? gradient_by_slopes(move) : gradient_by_values(move);
}

RealMatrix MovedPath::gradient_by_slopes(const Field& move) {
  RealMatrix g = RealMatrix::Zero(n_, knots());
  RealVector z(n_);
  RealVector v(n_);
  RealVector p(n_);
  RealVector q(n_);
  for (const Node& node : nodes_) {
    displaced(move, node, z.data(), v.data());
    truth_.slopes(z.data(), v.data(), p.data(), q.data());
    const Eigen::Index i = node.interval;
    const Real h = times_[i + 1] - times_[i];
    g.col(i) += node.weight * (q * (1 - node.fraction) - p / h);
    g.col(i + 1) += node.weight * (q * node.fraction + p / h);
  }
  evaluations_ += 4L * n_ * static_cast<long>(nodes_.size());
  RealMatrix out = RealMatrix::Zero(n_, knots());
  for (Eigen::Index i = 1; i + 1 < knots(); ++i) out.col(i) = whitening_[i].transpose() * g.col(i);
  return out;
}

RealMatrix MovedPath::gradient_by_values(const Field& move) {
  RealMatrix g = RealMatrix::Zero(n_, knots());
  Field moved = move;
  for (Eigen::Index i = 1; i + 1 < knots(); ++i) {
    const Real step = kValueStep * std::min(spacing(i - 1), spacing(i));
    for (int a = 0; a < n_; ++a) {
      moved.col(i) = move.col(i) + step * whitening_[i].col(a);
      const Real plus = beside(moved, i);
      moved.col(i) = move.col(i) - step * whitening_[i].col(a);
      g(a, i) = (plus - beside(moved, i)) / (2 * step);
    }
    moved.col(i) = move.col(i);
  }
  return g;
}

Real MovedPath::beside(const Field& move, Eigen::Index i) {
  std::vector<Real> z(n_);
  std::vector<Real> v(n_);
  Real sum = 0;
  for (std::size_t k = first_node_[i - 1]; k < first_node_[i + 1]; ++k) {
    displaced(move, nodes_[k], z.data(), v.data());
    sum += nodes_[k].weight * truth_.speed(z.data(), v.data());
    ++evaluations_;
  }
  return sum;
}

Field MovedPath::unwhitened(const RealMatrix& eta) const {
  Field out = Field::Zero(n_, knots());
  for (Eigen::Index i = 1; i + 1 < knots(); ++i) out.col(i) = whitening_[i] * eta.col(i);
  return out;
}

}  // namespace pullback::hunt
