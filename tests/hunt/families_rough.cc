// Maps that are not smooth.
#include "tests/hunt/make.h"

namespace pullback::hunt {
namespace {

constexpr TruthTraits kRough{.smooth = false};

// Folded along lines x = k, with slopes s between: flat, and the way across is as long as the folded paper.
Problem folded(Random& r, std::vector<double> at, std::vector<double> slopes) {
  const Vector from = point(r.uniform(-2, 2), r.uniform(-2, 2));
  const Vector to = point(r.uniform(-2, 2), r.uniform(-2, 2));
  const auto f = [=]<class T>(const T* z, T* x) {
    x[0] = z[0];
    x[1] = z[1];
    x[2] = slopes[0] * z[0];
    for (std::size_t i = 0; i < at.size(); ++i) x[2] += (slopes[i + 1] - slopes[i]) * max(z[0] - at[i], 0.0);
  };
  const auto unrolled = [&](Real x) {
    Real sum = x * std::hypot(1.0L, static_cast<Real>(slopes[0]));
    for (std::size_t i = 0; i < at.size(); ++i) {
      const Real change =
          std::hypot(1.0L, static_cast<Real>(slopes[i + 1])) - std::hypot(1.0L, static_cast<Real>(slopes[i]));
      sum += change * std::max<Real>(x - at[i], 0);
    }
    return sum;
  };
  const Real across = unrolled(to(0)) - unrolled(from(0));
  return map_problem(2, 3, f, from, to, only(std::hypot(across, static_cast<Real>(to(1)) - from(1))), kRough);
}

Problem relu_fold(Random& r) { return folded(r, {0}, {0, r.power(0, 3)}); }

Problem ridge(Random& r) {
  const double s = r.power(-1, 3);
  return folded(r, {r.uniform(-0.5, 0.5)}, {-s, s});
}

Problem zigzag(Random& r) {
  std::vector<double> at;
  std::vector<double> slopes{0};
  double x = -1.5;
  const int folds = r.integer(2, 8);
  for (int i = 0; i < folds; ++i) {
    x += r.uniform(0.05, 0.6);
    at.push_back(x);
    slopes.push_back(r.normal() * r.power(-1, 1));
  }
  return folded(r, at, slopes);
}

Problem pyramid(Random& r) {
  const double h = r.power(-1, 0.7);
  const auto f = [h]<class T>(const T* z, T* x) {
    x[0] = z[0];
    x[1] = z[1];
    x[2] = h * max(1.0 - abs(z[0]) - abs(z[1]), 0.0);
  };
  Vector from = r.normals(2);
  Vector to = r.normals(2);
  if (r.chance(0.3)) to = -from;
  return map_problem(2, 3, f, from, to, {}, kRough);
}

// A jump of height h at x = 0: no curve across it has the length of its pieces.
Problem step(Random& r) {
  const double h = r.power(-4, 1);
  const auto f = [h]<class T>(const T* z, T* x) {
    x[0] = z[0];
    x[1] = z[1];
    x[2] = z[0] > T(0.0) ? T(h) : T(0.0);
  };
  const Vector from = r.normals(2);
  const Vector to = r.normals(2);
  const Real straight = std::hypot(static_cast<Real>(to(0)) - from(0), static_cast<Real>(to(1)) - from(1));
  Known known = only(straight);
  if ((from(0) > 0) != (to(0) > 0)) known = none(straight + static_cast<Real>(h));
  return map_problem(2, 3, f, from, to, known, kRough);
}

// max(|z| − 1, 0) z/|z|
Problem collapsed_disc(Random& r) {
  const auto f = []<class T>(const T* z, T* x) {
    const T radius = hypot(z[0], z[1]);
    if (!(radius > T(1.0))) {
      x[0] = x[1] = 0.0;
      return;
    }
    const T scale = 1.0 - 1.0 / radius;
    x[0] = scale * z[0];
    x[1] = scale * z[1];
  };
  const Vector from = 2 * r.normals(2);
  const Vector to = 2 * r.normals(2);
  Problem out = map_problem(2, 2, f, from, to, {}, kRough);
  RealVector a;
  RealVector b;
  out.truth->image(RealVector(from.cast<Real>()).data(), a);
  out.truth->image(RealVector(to.cast<Real>()).data(), b);
  out.known = only((b - a).norm());
  return out;
}

// (x, y, s√(x² + y²)): a cone with its tip in the chart; the ways round it on either side.
Problem cone_tip(Random& r) {
  const double s = r.power(-1, 1);
  const auto f = [s]<class T>(const T* z, T* x) {
    x[0] = z[0];
    x[1] = z[1];
    x[2] = s * hypot(z[0], z[1]);
  };
  const double angle = r.uniform(-3, 3);
  const double apart = r.chance(0.3) ? std::numbers::pi - r.power(-6, -1) : r.uniform(0.1, 3.1);
  const auto polar = [](double radius, double phi) { return point(radius * std::cos(phi), radius * std::sin(phi)); };
  const Vector from = polar(r.power(-1, 0.5), angle);
  const Vector to = polar(r.power(-1, 0.5), angle + apart);
  const auto length = [](const Vector& z) { return std::hypot(static_cast<Real>(z(0)), static_cast<Real>(z(1))); };
  const Real stretch = std::hypot(1.0L, static_cast<Real>(s));
  const Real turn = std::abs(std::atan2(static_cast<Real>(from(0)) * to(1) - static_cast<Real>(from(1)) * to(0),
                                        static_cast<Real>(from(0)) * to(0) + static_cast<Real>(from(1)) * to(1)));
  Known known;
  // Rolled out flat, the cone is a sector of angle 2π/stretch: geodesics go round it as long as they stay below π.
  for (int round = 0; 2 * kPi * round < stretch * kPi + 2 * kPi; ++round) {
    for (const Real way : {turn + 2 * kPi * round, 2 * kPi * (round + 1) - turn}) {
      if (way / stretch < kPi)
        known.lengths.push_back(law_of_cosines(length(from) * stretch, length(to) * stretch, way / stretch));
    }
  }
  known.complete = true;
  known.infimum = *std::ranges::min_element(known.lengths);
  return map_problem(2, 3, f, from, to, known, kRough);
}

}  // namespace

void add_rough_families(std::vector<Family>& out) {
  out.push_back({"relu-fold", 1, relu_fold});
  out.push_back({"ridge", 1, ridge});
  out.push_back({"zigzag", 0.7, zigzag});
  out.push_back({"pyramid", 0.7, pyramid});
  out.push_back({"step", 1, step});
  out.push_back({"collapsed-disc", 1, collapsed_disc});
  out.push_back({"cone-tip", 1, cone_tip});
}

}  // namespace pullback::hunt
