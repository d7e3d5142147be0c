// Metrics given directly, most of them hyperbolic; and the pseudosphere.
#include "tests/hunt/make.h"

namespace pullback::hunt {
namespace {

// (a² dx² + b² dy²)/y² in the chart (x, y), y > 0: the half-plane for a = b = 1.
struct HalfPlane {
  double a = 1;
  double b = 1;
  template <class T>
  void operator()(const T* z, T* M) const {
    const T scale = 1.0 / (z[1] * z[1]);
    M[0] = a * a * scale;
    M[1] = M[2] = 0.0;
    M[3] = b * b * scale;
  }
};

Problem half_plane(const HalfPlane& metric, const Vector& from, const Vector& to) {
  // x/b·a and y: b times the half-plane.
  const Real stretch = static_cast<Real>(metric.a) / metric.b;
  const Real dx = stretch * (static_cast<Real>(to(0)) - from(0));
  Known known = half_plane_known(dx, from(1), to(1));
  return metric_problem(2, metric, from, to, only(*known.infimum * metric.b));
}

Problem half_plane_near(Random& r) {
  return half_plane({}, point(r.uniform(-2, 2), r.power(-1, 1)), point(r.uniform(-2, 2), r.power(-1, 1)));
}

// From 1e-150 to 1e150, ends some units of y apart.
Problem half_plane_scales(Random& r) {
  const double y = r.power(-150, 150);
  return half_plane({}, point(y * r.normal(), y), point(y * r.power(-3, 2) * r.normal(), y * r.power(-2, 2)));
}

// Steep ways: ends of very different heights.
Problem half_plane_steep(Random& r) {
  const double y = r.power(-30, 30);
  return half_plane({}, point(0, y), point(r.chance(0.5) ? 0 : y * r.normal(), y * r.power(-12, 12)));
}

Problem half_plane_shifted(Random& r) {
  const double y = r.power(-5, 2);
  const double x = r.sign() * r.power(0, 6);
  return half_plane({}, point(x, y), point(x + y * 3 * r.normal(), y * r.power(-1, 1)));
}

Problem half_plane_chart(Random& r) {
  const HalfPlane metric{r.power(-4, 4), r.power(-1, 1)};
  const double y = r.power(-3, 3);
  const double unit = y * metric.b / metric.a;  // of x
  return half_plane(metric, point(unit * r.normal(), y), point(2 * unit * r.normal(), y * r.power(-1, 1)));
}

// The information metric of normal distributions, (dμ² + 2dσ²)/σ².
Problem fisher_normal(Random& r) {
  const HalfPlane metric{1, std::sqrt(2.0)};
  const double sigma = r.power(-4, 3);
  const double mean = r.chance(0.5) ? 0 : r.normal() * r.power(-2, 4);
  return half_plane(metric, point(mean, sigma), point(mean + sigma * 3 * r.normal(), sigma * r.power(-1, 1)));
}

// |dz|²/z_n² in n dimensions.
Problem half_space(Random& r) {
  const int n = r.integer(3, 6);
  const double y = r.power(-3, 3);
  Vector from = y * r.normals(n);
  Vector to = y * r.normals(n);
  from(n - 1) = y * r.power(-1, 1);
  to(n - 1) = y * r.power(-1, 1);
  const auto metric = [n]<class T>(const T* z, T* M) {
    const T scale = 1.0 / (z[n - 1] * z[n - 1]);
    for (int i = 0; i < n * n; ++i) M[i] = i % (n + 1) == 0 ? scale : T(0.0);
  };
  const RealVector d = (to.cast<Real>() - from.cast<Real>()).head(n - 1);
  return metric_problem(n, metric, from, to, half_plane_known(d.norm(), from(n - 1), to(n - 1)));
}

Vector in_ball(Random& r, int n) {
  Vector z = r.normals(n);
  z /= z.norm();
  return z * (r.chance(0.3) ? 1 - r.power(-6, -1) : r.uniform(0, 0.95));
}

// 4|dz|²/(1 − |z|²)² in the unit ball, ends up to 1e-6 of its boundary.
Problem poincare(Random& r) {
  const int n = r.integer(2, 4);
  const Vector from = in_ball(r, n);
  const Vector to = in_ball(r, n);
  const auto metric = [n]<class T>(const T* z, T* M) {
    T square = 0.0;
    for (int i = 0; i < n; ++i) square += z[i] * z[i];
    const T scale = 2.0 / (1.0 - square);
    for (int i = 0; i < n * n; ++i) M[i] = i % (n + 1) == 0 ? scale * scale : T(0.0);
  };
  const RealVector a = from.cast<Real>();
  const RealVector b = to.cast<Real>();
  const Real d = (a - b).norm() / std::sqrt((1 - a.squaredNorm()) * (1 - b.squaredNorm()));
  return metric_problem(n, metric, from, to, only(2 * std::asinh(d)));
}

// JᵀJ of z + a sin(W z), as numbers: a plane in an odd chart.
Problem flat_metric(Random& r) {
  const double a = r.uniform(0.1, 0.6);
  const double w = r.power(-0.5, 1);
  const auto metric = [a, w]<class T>(const T* z, T* M) {  // (x + (a/w) sin wy, y + (a/w) sin wx)
    const T p = a * cos(w * z[1]);
    const T q = a * cos(w * z[0]);
    M[0] = 1.0 + q * q;
    M[1] = M[2] = p + q;
    M[3] = 1.0 + p * p;
  };
  const Vector from = r.normals(2);
  const Vector to = from + r.power(-2, 0.7) * r.normals(2);
  const auto image = [&](const Vector& z) {
    const Real x = z(0);
    const Real y = z(1);
    const Real s = static_cast<Real>(a) / w;
    return RealVector{{x + s * std::sin(w * y), y + s * std::sin(w * x)}};
  };
  return metric_problem(2, metric, from, to, only((image(to) - image(from)).norm()));
}

// e^{2cx}|dz|², a plane in logarithmic polar coordinates.
Problem conformal_exponential(Random& r) {
  const double c = r.power(-1, 1);
  const auto metric = [c]<class T>(const T* z, T* M) {
    M[0] = M[3] = exp(2.0 * c * z[0]);
    M[1] = M[2] = 0.0;
  };
  const Vector from = point(r.uniform(-2, 2) / c, r.uniform(-2, 2));
  const Vector to = point(from(0) + r.uniform(-2, 2) / c, from(1) + r.uniform(-4.5, 4.5) / c);
  const Real k = c;
  const Known known =
      polar_known(std::exp(k * from(0)) / k, std::exp(k * to(0)) / k, k * (static_cast<Real>(to(1)) - from(1)));
  return metric_problem(2, metric, from, to, known);
}

// e^{2u}|dz|², u a sum of Gaussians of either sign.
Problem conformal_bumps(Random& r) {
  constexpr int kBumps = 3;
  const Vector height = r.uniforms(kBumps, -1.5, 1.5);
  const double width = r.power(-1, 0.3);
  const Matrix centre = 1.5 * r.normal_matrix(2, kBumps);
  const auto metric = [=]<class T>(const T* z, T* M) {
    T u = 0.0;
    for (int k = 0; k < kBumps; ++k) {
      const T x = z[0] - centre(0, k);
      const T y = z[1] - centre(1, k);
      u += height(k) * exp((x * x + y * y) * (-0.5 / (width * width)));
    }
    M[0] = M[3] = exp(2.0 * u);
    M[1] = M[2] = 0.0;
  };
  return metric_problem(2, metric, 2 * r.normals(2), 2 * r.normals(2), {}, {.feature = static_cast<Real>(width)});
}

// (sech u cos v, sech u sin v, u − tanh u): y = cosh u, x = v is the half-plane above y = 1.
Problem pseudosphere(Random& r) {
  const Vector from = point(r.uniform(0.05, 4), r.uniform(-3, 3));
  const Vector to = point(r.uniform(0.05, 4), from(1) + r.normal() * r.power(-1, 1));
  const auto f = []<class T>(const T* z, T* x) {
    const T radius = 1.0 / cosh(z[0]);
    x[0] = radius * cos(z[1]);
    x[1] = radius * sin(z[1]);
    x[2] = z[0] - tanh(z[0]);
  };
  const Real y1 = std::cosh(static_cast<Real>(from(0)));
  const Real y2 = std::cosh(static_cast<Real>(to(0)));
  const Real dx = static_cast<Real>(to(1)) - from(1);
  Known known = half_plane_known(dx, y1, y2);
  // cosh a − cosh b = 2 sinh((a+b)/2) sinh((a−b)/2), where the ends are near one another.
  const Real dy =
      2 * std::sinh((static_cast<Real>(from(0)) + to(0)) / 2) * std::sinh((static_cast<Real>(from(0)) - to(0)) / 2);
  known = only(2 * std::asinh(std::hypot(dx, dy) / (2 * std::sqrt(y1 * y2))));
  return map_problem(2, 3, f, from, to, known);
}

}  // namespace

void add_hyperbolic_families(std::vector<Family>& out) {
  out.push_back({"half-plane", 1, half_plane_near});
  out.push_back({"half-plane-scales", 1, half_plane_scales});
  out.push_back({"half-plane-steep", 1, half_plane_steep});
  out.push_back({"half-plane-shifted", 1, half_plane_shifted});
  out.push_back({"half-plane-chart", 1, half_plane_chart});
  out.push_back({"fisher-normal", 1, fisher_normal});
  out.push_back({"half-space", 0.3, half_space});
  out.push_back({"poincare", 0.6, poincare});
  out.push_back({"flat-metric", 1, flat_metric});
  out.push_back({"conformal-exponential", 1, conformal_exponential});
  out.push_back({"conformal-bumps", 0.6, conformal_bumps});
  out.push_back({"pseudosphere", 1, pseudosphere});
}

}  // namespace pullback::hunt
