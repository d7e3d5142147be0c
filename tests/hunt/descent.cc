#include "tests/hunt/descent.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "tests/hunt/moved_path.h"

namespace pullback::hunt {
namespace {

constexpr int kMostMoves = 12;
constexpr int kWaves = 3;
constexpr int kMostDirections = 2;  // of waves, where there are more than two dimensions
constexpr Real kWaveStep = 1e-5L;   // of second differences, in lengths of the curve
constexpr Real kSoft = 0.3L;        // waves softer than this share of the flat ones are looked at together
constexpr Real kSoftest = 0.05L;    // and those softer than this are followed

// Looks for shorter curves from one that is claimed to be a local minimum.
class Search {
 public:
  Search(const Truth& truth, const Path& path, const Arc& arc)
      : arc_(arc), path_(truth, path, arc), move_(Field::Zero(path.dimension(), path_.knots())) {
    base_ = reached_ = path_.length(move_);
  }

  Descent run(Real wanted) {
    const Real enough = 1.5L * wanted * arc_.length;
    descend(enough);
    if (reached_ >= base_ - enough && path_.dimension() > 1) waves(enough);
    if (reached_ < base_) {
      const Arc moved = path_.exact(move_);
      const Real own = arc_.length - arc_.jumps;
      if (moved.complete) out_.gain = (own - moved.length - moved.error - arc_.error) / arc_.length;
    }
    out_.evaluations = path_.evaluations();
    return out_;
  }

 private:
  // Follows a direction while it shortens, by steps that double. Returns the length reached.
  Real follow(const Field& direction, Real first, Real last, Field& best) {
    Real least = reached_;
    for (Real s = first; s <= last * 1.0001L; s *= 2) {
      Field moved = move_ + s * direction;
      const Real l = path_.length(moved);
      if (!(l < least)) break;
      least = l;
      best = std::move(moved);
    }
    return least;
  }

  // Solves the flat second variation ½ Σ |η_{i+1} − η_i|²/(s_{i+1} − s_i) for −g (Thomas' algorithm).
  RealMatrix flat_step(const RealMatrix& g) const {
    const Eigen::Index m = path_.knots();
    RealMatrix eta = -g;
    RealVector pivot(m);
    for (Eigen::Index i = 1; i + 1 < m; ++i) {
      const Real left = 1 / path_.spacing(i - 1);
      pivot(i) = left + 1 / path_.spacing(i);
      if (i == 1) continue;
      eta.col(i) += left / pivot(i - 1) * eta.col(i - 1);
      pivot(i) -= left * left / pivot(i - 1);
    }
    for (Eigen::Index i = m - 2; i >= 1; --i) {
      if (i + 2 < m) eta.col(i) += eta.col(i + 1) / path_.spacing(i);
      eta.col(i) /= pivot(i);
    }
    return eta;
  }

  // Flat Newton steps while they shorten.
  void descend(Real enough) {
    for (int move = 0; move < kMostMoves; ++move) {
      const RealMatrix g = path_.gradient(move_);
      if (!g.allFinite()) return;
      const RealMatrix eta = flat_step(g);
      const Real estimate = -0.5L * g.cwiseProduct(eta).sum();
      if (move == 0) out_.estimate = estimate / arc_.length;
      if (estimate < 0.03L * enough) return;
      Field best = move_;
      const Real length = follow(path_.unwhitened(eta), 1 / 32.0L, 8, best);
      const Real gained = reached_ - length;
      reached_ = length;
      move_ = std::move(best);
      if (reached_ < base_ - enough || gained < 0.02L * enough) return;
    }
  }

  // Directions across the curve, whitened: the normal in two dimensions, else fixed ones less what lies along.
  RealVector across(int direction, Eigen::Index knot) const {
    const int n = path_.dimension();
    const RealVector along = path_.tangents().col(knot);
    if (n == 2) return RealVector{{-along(1), along(0)}};
    RealVector u(n);
    for (int k = 0; k < n; ++k) u(k) = std::sin(1.0L + 7 * direction + 3 * k * (direction + 1));
    u -= along * along.dot(u);
    return u;
  }

  // Waves sin(kπs/L) across the curve, of unit flat energy.
  std::vector<RealMatrix> make_waves() const {
    std::vector<RealMatrix> out;
    for (int d = 0; d < (path_.dimension() == 2 ? 1 : kMostDirections); ++d) {
      for (int k = 1; k <= kWaves; ++k) {
        RealMatrix eta = RealMatrix::Zero(path_.dimension(), path_.knots());
        for (Eigen::Index i = 1; i + 1 < path_.knots(); ++i) {
          eta.col(i) = across(d, i) * std::sin(k * std::numbers::pi_v<Real> * path_.distance(i) / arc_.length);
        }
        const Real energy = flat_energy(eta);
        if (energy > 1e-6L / arc_.length) out.push_back(eta / std::sqrt(energy));
      }
    }
    return out;
  }

  Real flat_energy(const RealMatrix& eta) const {
    Real sum = 0;
    for (Eigen::Index i = 0; i + 1 < path_.knots(); ++i) {
      sum += (eta.col(i + 1) - eta.col(i)).squaredNorm() / path_.spacing(i);
    }
    return sum;
  }

  void waves(Real enough) {
    const std::vector<RealMatrix> modes = make_waves();
    if (path_.smooth()) {
      follow_softest(modes, enough);
      return;
    }
    for (const RealMatrix& eta : modes) {
      if (follow_both_ways(path_.unwhitened(eta), enough)) return;
    }
  }

  Real second_derivative(const RealMatrix& eta) {
    const Real step = kWaveStep * std::sqrt(arc_.length);
    const Field move = path_.unwhitened(eta);
    return (path_.length(move_ + step * move) + path_.length(move_ - step * move) - 2 * reached_) / (step * step);
  }

  // The softest combination of the waves, in units of the flat second variation, is followed if it is soft enough.
  void follow_softest(const std::vector<RealMatrix>& modes, Real enough) {
    const auto m = static_cast<Eigen::Index>(modes.size());
    if (m == 0) return;
    RealMatrix H(m, m);
    for (Eigen::Index i = 0; i < m; ++i) H(i, i) = second_derivative(modes[i]);
    out_.softest = H.diagonal().minCoeff();
    if (!(out_.softest < kSoft)) return;
    for (Eigen::Index i = 0; i < m; ++i) {
      for (Eigen::Index j = 0; j < i; ++j) {
        H(i, j) = H(j, i) = (second_derivative(modes[i] + modes[j]) - H(i, i) - H(j, j)) / 2;
      }
    }
    if (!H.allFinite()) return;
    const Eigen::SelfAdjointEigenSolver<RealMatrix> eigen(H);
    out_.softest = eigen.eigenvalues()(0);
    if (out_.softest > kSoftest) return;
    RealMatrix eta = RealMatrix::Zero(path_.dimension(), path_.knots());
    for (Eigen::Index i = 0; i < m; ++i) eta += eigen.eigenvectors()(i, 0) * modes[i];
    follow_both_ways(path_.unwhitened(eta), enough);
  }

  bool follow_both_ways(const Field& direction, Real enough) {
    const Real size = std::sqrt(arc_.length);
    for (const Real sign : {1.0L, -1.0L}) {
      Field best = move_;
      const Real length = follow(sign * direction, 1e-3L * size, 0.3L * size, best);
      if (length >= reached_ - enough) continue;
      reached_ = length;
      move_ = std::move(best);
      out_.by_waves = true;
      return true;
    }
    return false;
  }

  const Arc& arc_;
  MovedPath path_;
  Field move_;
  Real base_;
  Real reached_;
  Descent out_;
};

}  // namespace

Descent shorten(const Truth& truth, const Path& path, const Arc& arc, Real wanted) {
  if (!(arc.length > 0) || arc.panels.size() < 4 || !std::isfinite(arc.length)) return {};
  return Search(truth, path, arc).run(wanted);
}

}  // namespace pullback::hunt
