// Flat spaces in charts that hide it: every geodesic is a straight line somewhere.
#include <Eigen/QR>

#include "tests/hunt/make.h"

namespace pullback::hunt {
namespace {

// Ends equal, or any distance from the smallest numbers to 1e9 apart.
Problem plane_ends(Random& r) {
  const Vector from = r.chance(0.5) ? Vector(Vector::Zero(2)) : Vector(r.power(-3, 6) * r.normals(2));
  const double apart = r.chance(0.05) ? 0 : r.power(-300, 9);
  const Vector to = from + apart * r.normals(2);
  const Real dx = static_cast<Real>(to(0)) - from(0);
  const Real dy = static_cast<Real>(to(1)) - from(1);
  const auto f = []<class T>(const T* z, T* x) { x[0] = z[0], x[1] = z[1], x[2] = 0.0; };
  return map_problem(2, 3, f, from, to, only(std::hypot(dx, dy)));
}

Matrix rotation(Random& r, int n) {
  const Eigen::HouseholderQR<Matrix> qr(r.normal_matrix(n, n));
  return qr.householderQ();
}

// A z with condition numbers up to 1e10.
Problem linear(Random& r) {
  const int n = r.integer(1, 6);
  const int N = n + r.integer(0, 2);
  Vector scales(n);
  for (int i = 0; i < n; ++i) scales(i) = r.power(-r.uniform(0, 10), 0);
  const Matrix A = rotation(r, N).leftCols(n) * scales.asDiagonal() * rotation(r, n);
  const Vector from = r.normals(n);
  const Vector to = from + r.power(-6, 3) * r.normals(n);
  const auto f = [A, n, N]<class T>(const T* z, T* x) {
    for (int m = 0; m < N; ++m) {
      x[m] = 0.0;
      for (int i = 0; i < n; ++i) x[m] += A(m, i) * z[i];
    }
  };
  const RealVector d = A.cast<Real>() * (to.cast<Real>() - from.cast<Real>());
  return map_problem(n, N, f, from, to, only(d.norm()));
}

// z + a sin(W z + b) with |a||W| < 1, which is one to one: a plane in an odd chart.
Problem odd_chart(Random& r, int n) {
  Matrix W = r.normal_matrix(n, n);
  W *= r.power(-1, 1) / W.norm();
  Matrix A = r.normal_matrix(n, n);
  A *= r.uniform(0.1, 0.9) / (A.norm() * W.norm());
  const Vector b = r.normals(n);
  const auto f = [A, W, b, n]<class T>(const T* z, T* x) {
    for (int m = 0; m < n; ++m) x[m] = z[m];
    for (int k = 0; k < n; ++k) {
      T s = b(k);
      for (int i = 0; i < n; ++i) s += W(k, i) * z[i];
      s = sin(s);
      for (int m = 0; m < n; ++m) x[m] += A(m, k) * s;
    }
  };
  const Vector from = r.normals(n);
  const Vector to = from + r.power(-2, 1.3) * r.normals(n);
  Problem out = map_problem(n, n, f, from, to, {});
  RealVector a;
  RealVector c;
  out.truth->image(RealVector(from.cast<Real>()).data(), a);
  out.truth->image(RealVector(to.cast<Real>()).data(), c);
  out.known = only((c - a).norm());
  return out;
}

double odd_angle(Random& r) {
  if (r.chance(0.3)) return r.sign() * (std::numbers::pi + r.sign() * r.power(-6, -0.5));  // beside half a turn
  if (r.chance(0.2)) return r.sign() * r.uniform(3.2, 20);
  return r.sign() * r.uniform(0, 3.1);
}

// (r^p cos φ, r^p sin φ)
Problem polar(Random& r, double p) {
  const double r1 = r.power(-2, 0.5);
  const double r2 = r1 * (r.chance(0.3) ? 1 : r.power(-1, 1));
  const double phi = r.uniform(-3, 3);
  const Vector from = point(r1, phi);
  const Vector to = point(r2, phi + odd_angle(r));
  const auto f = [p]<class T>(const T* z, T* x) {
    const T radius = p == 1 ? z[0] : pow(z[0], p);
    x[0] = radius * cos(z[1]);
    x[1] = radius * sin(z[1]);
  };
  const Real angle = static_cast<Real>(to(1)) - from(1);
  return map_problem(2, 2, f, from, to,
                     polar_known(std::pow(static_cast<Real>(r1), p), std::pow(static_cast<Real>(r2), p), angle));
}

Problem log_polar(Random& r) {
  const Vector from = point(r.uniform(-5, 3), r.uniform(-3, 3));
  const Vector to = point(from(0) + r.uniform(-2, 2), from(1) + odd_angle(r));
  const auto f = []<class T>(const T* z, T* x) {
    const T radius = exp(z[0]);
    x[0] = radius * cos(z[1]);
    x[1] = radius * sin(z[1]);
  };
  return map_problem(2, 2, f, from, to,
                     polar_known(std::exp(static_cast<Real>(from(0))), std::exp(static_cast<Real>(to(0))),
                                 static_cast<Real>(to(1)) - from(1)));
}

// (r sin α cos φ, r sin α sin φ, r cos α): flat, with the angle φ sin α.
Problem cone(Random& r) {
  const double s = r.uniform(0.1, 0.95);
  const double c = std::sqrt(1 - s * s);
  const Vector from = point(r.power(-1, 1), r.uniform(-3, 3));
  const Vector to = point(r.power(-1, 1), from(1) + odd_angle(r) / (r.chance(0.5) ? s : 1));
  const auto f = [s, c]<class T>(const T* z, T* x) {
    x[0] = s * z[0] * cos(z[1]);
    x[1] = s * z[0] * sin(z[1]);
    x[2] = c * z[0];
  };
  const Real stretch = std::hypot(static_cast<Real>(s), static_cast<Real>(c));  // 1 but for rounding
  return map_problem(
      2, 3, f, from, to,
      polar_known(from(0) * stretch, to(0) * stretch, (static_cast<Real>(to(1)) - from(1)) * s / stretch));
}

// Circles side by side: flat, with thousands of periods.
Problem flat_torus(Random& r, int n) {
  Vector radius = Vector::Constant(n, std::sqrt(1.0 / n));
  if (r.chance(0.5)) radius = r.uniforms(n, 0.1, 2);
  const auto f = [radius, n]<class T>(const T* z, T* x) {
    for (int i = 0; i < n; ++i) {
      x[2 * i] = radius(i) * cos(z[i]);
      x[2 * i + 1] = radius(i) * sin(z[i]);
    }
  };
  const Vector from = r.uniforms(n, -4, 4);
  Vector to = from + r.power(-2, 4) * r.normals(n);
  if (r.chance(0.2)) to = from + Vector(r.uniforms(n, -3, 3));
  if (r.chance(0.2)) to(0) = from(0) + 2 * std::numbers::pi * r.integer(1, 1024);  // whole periods
  Real square = 0;
  for (int i = 0; i < n; ++i) {
    const Real d = static_cast<Real>(radius(i)) * (static_cast<Real>(to(i)) - from(i));
    square += d * d;
  }
  return map_problem(n, 2 * n, f, from, to, only(std::sqrt(square)));
}

// ∫ √(1 + (a k cos kx)²) dx by Gauss quadrature on short pieces.
Real wave_arc(Real a, Real k, Real from, Real to) {
  const int pieces = 1 + static_cast<int>(std::abs(to - from) * k * 8);
  const Real h = (to - from) / pieces;
  constexpr Real kNodes[]{-0.906179845938663992797626878299L, -0.538469310105683091036314420700L, 0,
                          0.538469310105683091036314420700L, 0.906179845938663992797626878299L};
  constexpr Real kWeights[]{0.236926885056189087514264040720L, 0.478628670499366468041291514836L,
                            0.568888888888888888888888888889L, 0.478628670499366468041291514836L,
                            0.236926885056189087514264040720L};
  Real sum = 0;
  for (int i = 0; i < pieces; ++i) {
    for (int g = 0; g < 5; ++g) {
      const Real slope = a * k * std::cos(k * (from + h * (i + (1 + kNodes[g]) / 2)));
      sum += kWeights[g] * h / 2 * std::sqrt(1 + slope * slope);
    }
  }
  return sum;
}

// (x, y, a sin kx): a corrugated sheet.
Problem corrugated(Random& r) {
  const double k = r.power(0, 1.8);
  const double a = r.power(-1, 0.5) / k;
  const auto f = [k, a]<class T>(const T* z, T* x) {
    x[0] = z[0];
    x[1] = z[1];
    x[2] = a * sin(k * z[0]);
  };
  const Vector from = r.uniforms(2, -2, 2);
  const Vector to = r.uniforms(2, -2, 2);
  return map_problem(2, 3, f, from, to,
                     only(std::hypot(wave_arc(a, k, from(0), to(0)), static_cast<Real>(to(1)) - from(1))),
                     {.feature = static_cast<Real>(1 / k)});
}

Real spiral_arc(Real t) { return (t * std::sqrt(1 + t * t) + std::asinh(t)) / 2; }

Problem swiss_roll(Random& r) {
  const Vector from = point(r.uniform(0.5, 15), r.uniform(-5, 5));
  const Vector to = point(r.chance(0.2) ? r.uniform(15, 300) : r.uniform(0.5, 15), r.uniform(-5, 5));
  const auto f = []<class T>(const T* z, T* x) {
    x[0] = z[0] * cos(z[0]);
    x[1] = z[1];
    x[2] = z[0] * sin(z[0]);
  };
  return map_problem(2, 3, f, from, to,
                     only(std::hypot(spiral_arc(to(0)) - spiral_arc(from(0)), static_cast<Real>(to(1)) - from(1))));
}

Real cusp_arc(Real t) {
  const Real q = 4 + 9 * t * t;
  return (t < 0 ? -1 : 1) * (q * std::sqrt(q) - 8) / 27;
}

// (t², t³, v): flat, with a metric that vanishes in one direction at t = 0.
Problem cusp(Random& r) {
  const Vector from = point(r.uniform(-1.5, 1.5), r.uniform(-2, 2));
  const Vector to = point(r.uniform(-1.5, 1.5), r.uniform(-2, 2));
  const auto f = []<class T>(const T* z, T* x) {
    x[0] = z[0] * z[0];
    x[1] = z[0] * z[0] * z[0];
    x[2] = z[1];
  };
  return map_problem(2, 3, f, from, to,
                     only(std::hypot(cusp_arc(to(0)) - cusp_arc(from(0)), static_cast<Real>(to(1)) - from(1))));
}

// A closed curve in one dimension: the only way is along it, however often round.
Problem circle(Random& r) {
  const double k = r.power(-1, 1);
  const double a = r.chance(0.5) ? 0 : r.uniform(0, 0.4);
  const auto f = [k, a]<class T>(const T* z, T* x) {
    x[0] = cos(k * z[0]) + a * cos(2 * k * z[0]);
    x[1] = sin(k * z[0]) - a * sin(2 * k * z[0]);
  };
  const Vector from = Vector::Constant(1, r.uniform(-3, 3));
  const Vector to = from + Vector::Constant(1, r.sign() * (r.chance(0.3) ? r.power(0, 3.8) : r.uniform(0, 10)));
  Known known{.unique = true};
  if (a == 0) known = only(std::abs(static_cast<Real>(to(0)) - from(0)) * k);
  return map_problem(1, 2, f, from, to, known);
}

}  // namespace

void add_flat_families(std::vector<Family>& out) {
  out.push_back({"plane-ends", 2, plane_ends});
  out.push_back({"linear", 2, linear});
  out.push_back({"odd-chart", 2, [](Random& r) { return odd_chart(r, r.integer(2, 4)); }});
  out.push_back({"odd-chart-high", 0.1, [](Random& r) { return odd_chart(r, r.integer(8, 50)); }});
  out.push_back({"polar-plane", 2, [](Random& r) { return polar(r, 1); }});
  out.push_back(
      {"polar-power", 1, [](Random& r) { return polar(r, r.chance(0.5) ? r.uniform(0.4, 0.9) : r.uniform(1.1, 4)); }});
  out.push_back({"log-polar", 2, log_polar});
  out.push_back({"cone", 1, cone});
  out.push_back({"clifford-torus", 2, [](Random& r) { return flat_torus(r, 2); }});
  out.push_back({"flat-torus", 1, [](Random& r) { return flat_torus(r, r.integer(3, 8)); }});
  out.push_back({"corrugated", 1, corrugated});
  out.push_back({"swiss-roll", 1, swiss_roll});
  out.push_back({"cusp", 1, cusp});
  out.push_back({"circle", 2, circle});
}

}  // namespace pullback::hunt
