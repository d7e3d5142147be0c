#include "tests/hunt/descent.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace pullback::hunt {
namespace {

constexpr int kKnots = 64;  // at least; hats are as narrow as the distance between them
constexpr int kMostKnots = 384;
constexpr int kMostMoves = 12;
constexpr int kWaves = 3;
constexpr int kMostDirections = 3;

// A move of the curve, piecewise linear between knots at equal distances.
struct Field {
  RealMatrix values;  // n×(knots), zero at both ends
};

struct Node {
  Real weight;
  Real fraction;  // between the knots beside it
  Eigen::Index interval;
  Eigen::Index column;  // of z and v
};

// Gauss rules on [−1, 1].
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

class Mover {
 public:
  Mover(const Truth& truth, const Path& path, const Arc& arc)
      : truth_(truth), path_(path), arc_(arc), n_(path.dimension()), smooth_(truth.traits().smooth) {
    place_knots();
    place_nodes();
    total_.values = RealMatrix::Zero(n_, knots());
    base_ = length(total_);
    frames();
  }

  Descent run(Real wanted) {
    const Real enough = 1.5L * wanted * arc_.length;
    descend(enough);
    if (reached_ < base_ - enough || n_ == 1) return finish();
    waves(enough);
    return finish();
  }

 private:
  Eigen::Index knots() const { return static_cast<Eigen::Index>(times_.size()); }

  void place_knots() {
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

  void place_nodes() {
    const Rule& gauss = rule(arc_.panels.size());
    const auto count = static_cast<Eigen::Index>(arc_.panels.size() * gauss.nodes.size());
    z_.resize(n_, count);
    v_.resize(n_, count);
    nodes_.reserve(count);
    Eigen::Index interval = 0;
    for (const Panel& panel : arc_.panels) {
      while (interval + 2 < knots() && panel.begin >= times_[interval + 1]) ++interval;
      const Real half = (panel.end - panel.begin) / 2;
      for (std::size_t g = 0; g < gauss.nodes.size(); ++g) {
        const Real t = (panel.begin + panel.end) / 2 + half * gauss.nodes[g];
        const auto column = static_cast<Eigen::Index>(nodes_.size());
        const Real fraction = (t - times_[interval]) / (times_[interval + 1] - times_[interval]);
        nodes_.push_back({half * gauss.weights[g], fraction, interval, column});
        path_.at(t, z_.col(column).data(), v_.col(column).data());
      }
    }
  }

  // Whitening at every knot, and the direction of the curve in it.
  void frames() {
    whitening_.resize(knots());
    tangent_.setZero(n_, knots());
    RealVector z(n_);
    RealVector v(n_);
    for (Eigen::Index i = 0; i < knots(); ++i) {
      path_.at(times_[i], z.data(), v.data());
      RealMatrix R = truth_.factor(z.data());
      evaluations_ += n_;
      const Real floor = 1e-12L * R.diagonal().cwiseAbs().maxCoeff();
      for (int k = 0; k < n_; ++k) R(k, k) = std::max(R(k, k), floor);
      tangent_.col(i) = R * v;
      const Real speed = tangent_.col(i).norm();
      if (speed > 0) tangent_.col(i) /= speed;
      whitening_[i] = R.triangularView<Eigen::Upper>().solve(RealMatrix::Identity(n_, n_));
    }
  }

  void displaced(const Field& field, const Node& node, Real* z, Real* v) const {
    const Eigen::Index i = node.interval;
    const Real h = times_[i + 1] - times_[i];
    for (int k = 0; k < n_; ++k) {
      const Real a = field.values(k, i);
      const Real step = field.values(k, i + 1) - a;
      z[k] = z_(k, node.column) + a + node.fraction * step;
      v[k] = v_(k, node.column) + step / h;
    }
  }

  // The length of the moved path: by the nodes of the path's own panels where the map is smooth.
  Real length(const Field& field) {
    if (!smooth_) return exact(field).length;
    std::vector<Real> z(n_);
    std::vector<Real> v(n_);
    Real sum = 0;
    for (const Node& node : nodes_) {
      displaced(field, node, z.data(), v.data());
      sum += node.weight * truth_.speed(z.data(), v.data());
    }
    evaluations_ += static_cast<long>(nodes_.size());
    return sum;
  }

  // The same by adaptive quadrature.
  Arc exact(const Field& field) {
    std::vector<Real> z(n_);
    std::vector<Real> v(n_);
    std::vector<Real> breaks;
    std::merge(times_.begin(), times_.end(), path_.breaks().begin(), path_.breaks().end(), std::back_inserter(breaks));
    breaks.erase(std::unique(breaks.begin(), breaks.end()), breaks.end());
    Eigen::Index i = 0;
    const auto speed = [&](Real t) {
      i = std::upper_bound(times_.begin() + 1, times_.end() - 1, t) - times_.begin() - 1;
      const Real h = times_[i + 1] - times_[i];
      path_.at(t, z.data(), v.data());
      for (int k = 0; k < n_; ++k) {
        const Real step = field.values(k, i + 1) - field.values(k, i);
        z[k] += field.values(k, i) + (t - times_[i]) / h * step;
        v[k] += step / h;
      }
      return truth_.speed(z.data(), v.data());
    };
    ArcLimits limits;
    limits.evaluations = 40000;
    if (!smooth_) limits.agreement = 1e-9L;
    limits.least_panels = 1;
    Arc arc = integrate(speed, breaks, limits);
    evaluations_ += arc.evaluations;
    return arc;
  }

  // Derivative of the length by the whitened coordinates of every inner knot's hat, at the path moved by `field`.
  RealMatrix gradient(const Field& field) { return smooth_ ? gradient_by_slopes(field) : gradient_by_values(field); }

  RealMatrix gradient_by_slopes(const Field& field) {
    RealMatrix g = RealMatrix::Zero(n_, knots());
    RealVector z(n_);
    RealVector v(n_);
    RealVector p(n_);
    RealVector q(n_);
    for (const Node& node : nodes_) {
      displaced(field, node, z.data(), v.data());
      truth_.slopes(z.data(), v.data(), p.data(), q.data());
      const Eigen::Index i = node.interval;
      const Real h = times_[i + 1] - times_[i];
      g.col(i) += node.weight * (q * (1 - node.fraction) - p / h);
      g.col(i + 1) += node.weight * (q * node.fraction + p / h);
    }
    evaluations_ += 4L * n_ * static_cast<long>(nodes_.size());
    return whitened(g);
  }

  RealMatrix gradient_by_values(const Field& field) {
    RealMatrix g = RealMatrix::Zero(n_, knots());
    for (Eigen::Index i = 1; i + 1 < knots(); ++i) {
      const Real step = 1e-2L * std::min(distances_[i] - distances_[i - 1], distances_[i + 1] - distances_[i]);
      for (int a = 0; a < n_; ++a) {
        Field moved = field;
        moved.values.col(i) += step * whitening_[i].col(a);
        const Real plus = beside(moved, i);
        moved.values.col(i) = field.values.col(i) - step * whitening_[i].col(a);
        g(a, i) = (plus - beside(moved, i)) / (2 * step);
      }
    }
    return g;
  }

  // Length of the two intervals at knot i, by the nodes of the path's own panels.
  Real beside(const Field& field, Eigen::Index i) {
    if (first_node_.empty()) {
      first_node_.assign(knots(), 0);
      for (std::size_t k = nodes_.size(); k-- > 0;) first_node_[nodes_[k].interval] = k;
      first_node_.back() = nodes_.size();
    }
    std::vector<Real> z(n_);
    std::vector<Real> v(n_);
    Real sum = 0;
    for (std::size_t k = first_node_[i - 1]; k < first_node_[i + 1]; ++k) {
      displaced(field, nodes_[k], z.data(), v.data());
      sum += nodes_[k].weight * truth_.speed(z.data(), v.data());
      ++evaluations_;
    }
    return sum;
  }

  RealMatrix whitened(const RealMatrix& g) const {
    RealMatrix out = RealMatrix::Zero(n_, knots());
    for (Eigen::Index i = 1; i + 1 < knots(); ++i) out.col(i) = whitening_[i].transpose() * g.col(i);
    return out;
  }

  Field unwhitened(const RealMatrix& eta) const {
    Field out{RealMatrix::Zero(n_, knots())};
    for (Eigen::Index i = 1; i + 1 < knots(); ++i) out.values.col(i) = whitening_[i] * eta.col(i);
    return out;
  }

  // Solves the flat second variation ½ Σ |η_{i+1} − η_i|²/(s_{i+1} − s_i) for −g (Thomas' algorithm).
  RealMatrix flat_step(const RealMatrix& g) const {
    const Eigen::Index m = knots();
    RealMatrix eta = -g;
    RealVector pivot(m);
    for (Eigen::Index i = 1; i + 1 < m; ++i) {
      const Real left = 1 / spacing(i - 1);
      const Real right = 1 / spacing(i);
      pivot(i) = left + right;
      if (i == 1) continue;
      pivot(i) -= left * left / pivot(i - 1);
      eta.col(i) += left / pivot(i - 1) * eta.col(i - 1);
    }
    for (Eigen::Index i = m - 2; i >= 1; --i) {
      if (i + 2 < m) eta.col(i) += eta.col(i + 1) / spacing(i);
      eta.col(i) /= pivot(i);
    }
    return eta;
  }
  Real spacing(Eigen::Index i) const { return std::max(distances_[i + 1] - distances_[i], 1e-12L * arc_.length); }

  static Field sum(const Field& a, Real s, const Field& b) { return {a.values + s * b.values}; }

  // The best of a few steps along a direction, without going over a rise. Returns the length reached.
  Real search(const Field& direction, Real first, Real last, Field& best) {
    Real least = reached_or_base();
    const Field from = total_;
    for (Real s = first; s <= last * 1.0001L; s *= 2) {
      Field moved = sum(from, s, direction);
      const Real l = length(moved);
      if (!(l < least)) break;
      least = l;
      best = std::move(moved);
    }
    return least;
  }
  Real reached_or_base() const { return std::min(reached_, base_); }

  // Flat Newton steps while they shorten.
  void descend(Real enough) {
    reached_ = base_;
    for (int move = 0; move < kMostMoves; ++move) {
      const RealMatrix g = gradient(total_);
      if (!g.allFinite()) return;
      const RealMatrix eta = flat_step(g);
      const Real estimate = -0.5L * g.cwiseProduct(eta).sum();
      if (move == 0) out_.estimate = estimate / arc_.length;
      if (estimate < 0.03L * enough) return;
      const Real before = reached_;
      Field best = total_;
      reached_ = search(unwhitened(eta), 0.125L, 8, best);
      total_ = best;
      if (reached_ < base_ - enough || before - reached_ < 0.02L * enough) return;
    }
  }

  // Waves sin(kπs/L) across the curve.
  std::vector<RealMatrix> make_waves() const {
    std::vector<RealMatrix> out;
    const int directions = n_ == 2 ? 1 : std::min(n_, kMostDirections);
    for (int d = 0; d < directions; ++d) {
      RealVector u(n_);
      for (int k = 0; k < n_; ++k) u(k) = n_ <= kMostDirections ? (k == d) : std::sin(1.0L + 7 * d + 3 * k * (d + 1));
      for (int k = 1; k <= kWaves; ++k) {
        RealMatrix eta = RealMatrix::Zero(n_, knots());
        for (Eigen::Index i = 1; i + 1 < knots(); ++i) {
          RealVector w = u;
          if (n_ == 2) {
            w << -tangent_(1, i), tangent_(0, i);
          } else {
            w -= tangent_.col(i) * tangent_.col(i).dot(w);
          }
          eta.col(i) = w * std::sin(k * std::numbers::pi_v<Real> * distances_[i] / arc_.length);
        }
        out.push_back(std::move(eta));
      }
    }
    return out;
  }

  Real flat_energy(const RealMatrix& eta) const {
    Real sum = 0;
    for (Eigen::Index i = 0; i + 1 < knots(); ++i) sum += (eta.col(i + 1) - eta.col(i)).squaredNorm() / spacing(i);
    return sum;
  }

  void waves(Real enough) {
    std::vector<RealMatrix> modes = make_waves();
    std::erase_if(modes, [&](RealMatrix& eta) {
      const Real energy = flat_energy(eta);
      if (!(energy > 1e-6L / arc_.length)) return true;
      eta /= std::sqrt(energy);  // now of size √L
      return false;
    });
    if (modes.empty()) return;
    if (smooth_) {
      try_soft(modes, enough);
      return;
    }
    for (const RealMatrix& eta : modes) {
      if (try_both_ways(unwhitened(eta), enough)) return;
    }
  }

  // Second derivatives over the modes by values; the softest combination is tried.
  void try_soft(const std::vector<RealMatrix>& modes, Real enough) {
    const auto m = static_cast<Eigen::Index>(modes.size());
    const Real step = 1e-5L * std::sqrt(arc_.length);
    const auto second = [&](const RealMatrix& eta) {
      const Field move = unwhitened(eta);
      return (length(sum(total_, step, move)) + length(sum(total_, -step, move)) - 2 * reached_or_base()) /
             (step * step);
    };
    RealMatrix H(m, m);
    for (Eigen::Index i = 0; i < m; ++i) H(i, i) = second(modes[i]);
    for (Eigen::Index i = 0; i < m; ++i) {
      for (Eigen::Index j = 0; j < i; ++j) {
        H(i, j) = H(j, i) = (second(modes[i] + modes[j]) - H(i, i) - H(j, j)) / 2;
      }
    }
    if (!H.allFinite()) return;
    const Eigen::SelfAdjointEigenSolver<RealMatrix> eigen(H);
    out_.softest = eigen.eigenvalues()(0);
    if (out_.softest > 0.05L) return;
    RealMatrix eta = RealMatrix::Zero(n_, knots());
    for (Eigen::Index i = 0; i < m; ++i) eta += eigen.eigenvectors()(i, 0) * modes[i];
    try_both_ways(unwhitened(eta), enough);
  }

  bool try_both_ways(const Field& direction, Real enough) {
    const Real size = std::sqrt(arc_.length);
    for (const Real sign : {1.0L, -1.0L}) {
      Field best = total_;
      const Field signed_direction{sign * direction.values};
      const Real reached = search(signed_direction, 1e-3L * size, 0.3L * size, best);
      if (reached >= reached_or_base() - enough) continue;
      reached_ = reached;
      total_ = best;
      out_.by_waves = true;
      return true;
    }
    return false;
  }

  Descent finish() {
    if (reached_ < base_) {
      const Arc moved = exact(total_);
      if (moved.complete)
        out_.gain = (arc_.length - arc_.jumps - moved.length - moved.error - arc_.error) / arc_.length;
    }
    out_.evaluations = evaluations_;
    return out_;
  }

  const Truth& truth_;
  const Path& path_;
  const Arc& arc_;
  int n_;
  bool smooth_;
  std::vector<Real> times_;      // of the knots
  std::vector<Real> distances_;  // of the knots from the start
  std::vector<Node> nodes_;
  std::vector<std::size_t> first_node_;
  RealMatrix z_;
  RealMatrix v_;
  std::vector<RealMatrix> whitening_;
  RealMatrix tangent_;  // whitened, of unit length
  Real base_ = 0;
  Real reached_ = 0;
  Field total_;
  long evaluations_ = 0;
  Descent out_;
};

}  // namespace

Descent shorten(const Truth& truth, const Path& path, const Arc& arc, Real wanted) {
  if (!(arc.length > 0) || arc.panels.size() < 4 || !std::isfinite(arc.length)) return {};
  return Mover(truth, path, arc).run(wanted);
}

}  // namespace pullback::hunt
