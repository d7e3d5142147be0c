#include "tests/hunt/path.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace pullback::hunt {
namespace {

// Nodes of the 15-point Kronrod rule on [0, 1) of the positive half, from the outside in; every second one is a node of
// the 7-point Gauss rule.
constexpr std::array<Real, 8> kNodes{0.991455371120812639206854697526329L, 0.949107912342758524526189684047851L,
                                     0.864864423359769072789712788640926L, 0.741531185599394439863864773280788L,
                                     0.586087235467691130294144691258747L, 0.405845151377397166906606412076961L,
                                     0.207784955007898467600689403773245L, 0.0L};
constexpr std::array<Real, 8> kKronrod{0.022935322010529224963732008058970L, 0.063092092629978553290700663189204L,
                                       0.104790010322250183839876322541518L, 0.140653259715525918745189590510238L,
                                       0.169004726639267902826583426598550L, 0.190350578064785409913256402421014L,
                                       0.204432940075298892414161999234649L, 0.209482141084727828012999174891714L};
constexpr std::array<Real, 4> kGauss{0.129484966168869693270611432679082L, 0.279705391489276667901467771423780L,
                                     0.381830050505118944950369775488975L, 0.417959183673469387755102040816327L};

constexpr Real kNarrowest = 1e-15L;  // of t: below it a panel is not halved

constexpr Real kLeastJump = 1e-10L;  // of the length

struct Estimate {
  Real gauss;
  Real kronrod;
  Real hidden = 0;  // what a kink between an end and the outermost node may add

  Real difference() const { return std::max(std::abs(kronrod - gauss), hidden); }
};

Estimate both_rules(const std::function<Real(Real)>& speed, Real a, Real b) {
  const Real middle = (a + b) / 2;
  const Real half = (b - a) / 2;
  const Real centre = speed(middle);
  Estimate e{kGauss[3] * centre, kKronrod[7] * centre};
  for (std::size_t i = 0; i < 7; ++i) {
    const Real sum = speed(middle - half * kNodes[i]) + speed(middle + half * kNodes[i]);
    e.kronrod += kKronrod[i] * sum;
    if (i % 2 == 1) e.gauss += kGauss[i / 2] * sum;
  }
  return {e.gauss * half, e.kronrod * half};
}

// A kink that close to an end is seen by no node, but the speed at that end is not the one to which the three outermost
// nodes go on.
Real hidden_at_ends(const std::function<Real(Real)>& speed, Real a, Real b) {
  constexpr Real kInside = 1e-10L;  // at the end itself the path may turn
  const Real half = (b - a) / 2;
  Real most = 0;
  for (const Real sign : {-1.0L, 1.0L}) {
    const auto at = [&](Real node) { return speed((a + b) / 2 + sign * half * node); };
    const Real end = 1 - kInside;
    Real onward = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      Real weight = 1;
      for (std::size_t j = 0; j < 3; ++j) {
        if (j != i) weight *= (end - kNodes[j]) / (kNodes[i] - kNodes[j]);
      }
      onward += weight * at(kNodes[i]);
    }
    most = std::max(most, std::abs(at(end) - onward) * half * (1 - kNodes[0]));
  }
  return most;
}

class Adaptive {
 public:
  Adaptive(const std::function<Real(Real)>& speed, const ArcLimits& limits) : speed_(speed), limits_(limits) {}

  Arc run(const std::vector<Real>& breaks) {
    std::vector<Estimate> first;
    for (std::size_t i = 0; i + 1 < breaks.size(); ++i) {
      first.push_back(estimate(breaks[i], breaks[i + 1]));
      total_ += first.back().kronrod;
    }
    for (std::size_t i = 0; i < first.size(); ++i) refine(breaks[i], breaks[i + 1], first[i]);
    return std::move(arc_);
  }

 private:
  Estimate estimate(Real a, Real b) {
    Estimate out = both_rules(speed_, a, b);
    if (limits_.kinks) out.hidden = hidden_at_ends(speed_, a, b);
    arc_.evaluations += limits_.kinks ? 23 : 15;
    return out;
  }

  void refine(Real a, Real b, const Estimate& e) {
    const Real difference = e.difference();
    const bool agrees = difference <= limits_.agreement * e.kronrod || difference <= 1e-4L * limits_.agreement * total_;
    const bool small = e.kronrod * limits_.least_panels <= total_ * 1.0001L;
    const bool halve = !(agrees && small) && b - a > kNarrowest && std::isfinite(total_);
    if (halve && arc_.evaluations < limits_.evaluations) {
      const Real middle = (a + b) / 2;
      const Estimate left = estimate(a, middle);
      const Estimate right = estimate(middle, b);
      total_ += left.kronrod + right.kronrod - e.kronrod;
      refine(a, middle, left);
      refine(middle, b, right);
      return;
    }
    if (halve) arc_.complete = false;
    arc_.panels.push_back({a, b, e.kronrod});
    arc_.length += e.kronrod;
    // The finer rule is of nearly twice the order.
    const Real relative = e.kronrod > 0 ? std::min(difference / e.kronrod, 1.0L) : 0;
    arc_.error += agrees ? e.kronrod * relative * std::sqrt(relative) : difference;
  }

  const std::function<Real(Real)>& speed_;
  const ArcLimits& limits_;
  Real total_ = 0;
  Arc arc_;
};

// Breaks so close that the path moves by at most a few features of the map from one to the next.
std::vector<Real> resolved_breaks(const Path& path, Real feature) {
  if (feature <= 0) return path.breaks();
  constexpr int kMost = 4096;
  const int n = path.dimension();
  RealVector z(n);
  RealVector last(n);
  RealVector v(n);
  std::vector<Real> out{0};
  for (std::size_t i = 0; i + 1 < path.breaks().size(); ++i) {
    const Real a = path.breaks()[i];
    const Real b = path.breaks()[i + 1];
    Real way = 0;
    path.at(a, last.data(), v.data());
    for (int k = 1; k <= 8; ++k) {
      path.at(a + (b - a) * k / 8, z.data(), v.data());
      way += (z - last).norm();
      last = z;
    }
    const Real wanted = std::ceil(way / (2 * feature));
    const int parts = static_cast<int>(std::clamp<Real>(wanted, 1, kMost));
    for (int k = 1; k <= parts; ++k) out.push_back(a + (b - a) * k / parts);
    out.back() = b;
  }
  return out;
}

// Finds what chords are longer than their arcs: a jump of the map is as long from however near.
class Jumps {
 public:
  Jumps(const Truth& truth, const Path& path, Real length)
      : truth_(truth), path_(path), length_(length), z_(path.dimension()), v_(path.dimension()) {}

  bool image(Real t, RealVector& x) {
    path_.at(t, z_.data(), v_.data());
    return truth_.image(z_.data(), x) && x.allFinite();
  }

  // Of the panel between a and b with the images x and y, halved until the jump stands alone.
  Real between(Real a, const RealVector& x, Real b, const RealVector& y, Real arc) {
    const Real chord = (y - x).norm();
    const Real noise = 1e-17L * (x.norm() + y.norm() + length_);
    if (!(chord > arc * (1 + 1e-6L) + noise)) return 0;
    if (b - a < 1e-12L || --halvings_left_ < 0) return chord - arc;
    const Real middle = (a + b) / 2;
    RealVector m;
    if (!image(middle, m)) return chord - arc;
    return between(a, x, middle, m, arc / 2) + between(middle, m, b, y, arc / 2);
  }

 private:
  const Truth& truth_;
  const Path& path_;
  Real length_;
  int halvings_left_ = 20000;  // of the whole curve: where the speed is rough, both halves look too short everywhere
  std::vector<Real> z_;
  std::vector<Real> v_;
};

void add_jumps(const Truth& truth, const Path& path, Arc& arc) {
  Jumps jumps(truth, path, arc.length);
  RealVector left;
  RealVector right;
  if (!jumps.image(0, left)) return;
  for (const Panel& panel : arc.panels) {
    if (!jumps.image(panel.end, right)) return;
    arc.jumps += jumps.between(panel.begin, left, panel.end, right, panel.arc);
    std::swap(left, right);
  }
  // Less is what a kink leaves of the last panel's arc.
  if (arc.jumps < kLeastJump * arc.length) arc.jumps = 0;
  arc.length += arc.jumps;
  if (!truth.traits().smooth && arc.complete) return;
  // A smooth map has none: quadrature has missed a part.
  arc.error += arc.jumps;
  arc.complete = arc.complete && arc.jumps == 0;
  arc.jumps = 0;
}

}  // namespace

Path::Path(const Curve& curve)
    : times_(curve.times().data(), curve.times().data() + curve.times().size()),
      nodes_(curve.positions().cast<Real>()),
      velocities_(curve.velocities().cast<Real>()),
      accelerations_(curve.accelerations().cast<Real>()) {}

void Path::at(Real t, Real* z, Real* v) const {
  const auto upper = std::upper_bound(times_.begin() + 1, times_.end() - 1, t);
  const auto i = static_cast<Eigen::Index>(upper - times_.begin()) - 1;
  const Real h = times_[i + 1] - times_[i];
  const Real u = (t - times_[i]) / h;
  const Real w = 1 - u;
  for (Eigen::Index k = 0; k < nodes_.rows(); ++k) {
    const Real a = nodes_(k, i);
    const Real step = nodes_(k, i + 1) - a;
    const Real d0 = h * velocities_(k, i);
    const Real d1 = h * velocities_(k, i + 1);
    // Newton's form of Hermite interpolation: powers of u, then of u(1 − u) or so.
    if (accelerations_.size() == 0) {
      const Real c2 = step - d0;
      const Real c3 = d1 - step - c2;
      z[k] = a + u * (d0 + u * (c2 - w * c3));
      v[k] = (d0 + 2 * u * c2 + c3 * u * (u - 2 * w)) / h;
    } else {
      const Real s0 = h * h * accelerations_(k, i) / 2;
      const Real s1 = h * h * accelerations_(k, i + 1) / 2;
      const Real r0 = step - d0 - s0;    // what is left at u = 1 of the value,
      const Real r1 = d1 - d0 - 2 * s0;  // of the slope
      const Real r2 = s1 - s0;           // and of half the second derivative
      const Real e3 = 10 * r0 - 4 * r1 + r2;
      const Real e4 = -15 * r0 + 7 * r1 - 2 * r2;
      const Real e5 = 6 * r0 - 3 * r1 + r2;
      z[k] = a + u * (d0 + u * (s0 + u * (e3 + u * (e4 + u * e5))));
      v[k] = (d0 + u * (2 * s0 + u * (3 * e3 + u * (4 * e4 + u * 5 * e5)))) / h;
    }
  }
}

Arc integrate(const std::function<Real(Real)>& speed, const std::vector<Real>& breaks, const ArcLimits& limits) {
  return Adaptive(speed, limits).run(breaks);
}

Arc measure_path(const Truth& truth, const Path& path, ArcLimits limits) {
  limits.kinks = !truth.traits().smooth;
  std::vector<Real> z(path.dimension());
  std::vector<Real> v(path.dimension());
  const auto speed = [&](Real t) {
    path.at(t, z.data(), v.data());
    return truth.speed(z.data(), v.data());
  };
  Arc arc = integrate(speed, resolved_breaks(path, truth.traits().feature), limits);
  arc.error += truth.traits().rounding * arc.length;
  if (std::isfinite(arc.length)) add_jumps(truth, path, arc);
  return arc;
}

}  // namespace pullback::hunt
