// Spheres in many charts.
#include <Eigen/LU>

#include "tests/hunt/make.h"

namespace pullback::hunt {
namespace {

template <class T>
void polar_sphere(const T& theta, const T& phi, T* x) {
  const T radius = sin(theta);
  x[0] = radius * cos(phi);
  x[1] = radius * sin(phi);
  x[2] = cos(theta);
}

Problem polar_chart(const Vector& from, const Vector& to) {
  const auto f = []<class T>(const T* z, T* x) { polar_sphere(z[0], z[1], x); };
  return map_problem(2, 3, f, from, to, sphere_known(from(0), to(0), static_cast<Real>(to(1)) - from(1)));
}

Problem sphere(Random& r) {
  const Vector from = point(r.uniform(0.1, 3), r.uniform(-3, 3));
  return polar_chart(from, point(r.uniform(0.1, 3), from(1) + r.uniform(-3.1, 3.1)));
}

// Both ends, or one of them, from 1e-7 to 0.1 of a pole.
Problem sphere_pole(Random& r) {
  const bool south = r.chance(0.3);
  const auto colatitude = [&](bool near) {
    const double theta = near ? r.power(-7, -1) : r.uniform(0.1, 3);
    return south && near ? std::numbers::pi - theta : theta;
  };
  const double phi = r.uniform(-3, 3);
  const Vector from = point(colatitude(true), phi);
  return polar_chart(from, point(colatitude(r.chance(0.6)), phi + r.sign() * r.uniform(0, 3.13)));
}

Problem sphere_antipodal(Random& r) {
  const Vector from = point(r.uniform(0.2, 2.9), r.uniform(-3, 3));
  const double off = r.power(-8, -0.7);
  const double side = r.sign();
  return polar_chart(from, point(std::numbers::pi - from(0) + off * r.normal(),
                                 from(1) + side * (std::numbers::pi - off * std::abs(r.normal()))));
}

// Longitudes half a turn or more apart.
Problem sphere_beyond(Random& r) {
  const Vector from = point(r.uniform(0.1, 3), r.uniform(-3, 3));
  const double turn = r.chance(0.5) ? r.uniform(3.1416, 6.2) : r.uniform(6.2, 30);
  return polar_chart(from, point(r.uniform(0.1, 3), from(1) + r.sign() * turn));
}

Problem sphere_tiny(Random& r) {
  const Vector from = point(r.uniform(0.1, 3), r.uniform(-3, 3));
  return polar_chart(from, from + r.power(-15, -2) * r.normals(2));
}

// The polar chart behind (θ, φ) = S z + c.
Problem affine_sphere(Random& r, const Matrix& S, const Vector& c) {
  const Vector polar_from = point(r.uniform(0.3, 2.8), r.uniform(-2, 2));
  const Vector polar_to = point(r.uniform(0.3, 2.8), polar_from(1) + r.sign() * r.uniform(0.1, 3));
  const Matrix inverse = S.inverse();
  const Vector from = inverse * (polar_from - c);
  const Vector to = inverse * (polar_to - c);
  const auto f = [S, c]<class T>(const T* z, T* x) {
    const T theta = S(0, 0) * z[0] + S(0, 1) * z[1] + c(0);
    const T phi = S(1, 0) * z[0] + S(1, 1) * z[1] + c(1);
    polar_sphere(theta, phi, x);
  };
  const RealMatrix SL = S.cast<Real>();
  const RealVector a = SL * from.cast<Real>() + c.cast<Real>();
  const RealVector b = SL * to.cast<Real>() + c.cast<Real>();
  return map_problem(2, 3, f, from, to, sphere_known(a(0), b(0), b(1) - a(1)));
}

Problem sphere_scaled(Random& r) {
  const Matrix S = point(r.power(-8, 3), r.power(-3, 3)).asDiagonal();
  return affine_sphere(r, S, point(std::numbers::pi / 2, 0));
}

Problem sphere_sheared(Random& r) {
  Matrix S = Matrix::Identity(2, 2);
  S(0, 1) = r.sign() * r.power(-1, 6);
  if (r.chance(0.3)) S = S.transpose().eval();
  return affine_sphere(r, S, Vector::Zero(2));
}

Known stereographic_known(const Vector& from, const Vector& to) {
  const RealVector a = from.cast<Real>();
  const RealVector b = to.cast<Real>();
  if (a.size() == 1) return only(2 * std::abs(std::atan(b(0)) - std::atan(a(0))));
  const Real dot = a.dot(b);
  const Real chord = (a - b).norm();
  const Real other = (1 + dot) * (1 + dot) + a.squaredNorm() * b.squaredNorm() - dot * dot;
  return only(2 * std::atan2(chord, std::sqrt(other)));
}

Problem stereographic(const Vector& from, const Vector& to) {
  const auto d = static_cast<int>(from.size());
  const auto f = [d]<class T>(const T* z, T* x) {
    T square = 0.0;
    for (int i = 0; i < d; ++i) square += z[i] * z[i];
    const T scale = 1.0 / (1.0 + square);
    x[0] = (1.0 - square) * scale;
    for (int i = 0; i < d; ++i) x[i + 1] = 2.0 * z[i] * scale;
  };
  return map_problem(d, d + 1, f, from, to, stereographic_known(from, to));
}

Problem stereographic_near(Random& r, int d) {
  const double scale = 1 / std::sqrt(static_cast<double>(d));
  const Vector from = r.power(-1, 0.3) * scale * r.normals(d);
  if (r.chance(0.15)) return stereographic(from, from + r.power(-12, -2) * scale * r.normals(d));
  return stereographic(from, r.power(-1, 0.3) * scale * r.normals(d));
}

Problem stereographic_far(Random& r) {
  const int d = r.integer(1, 3);
  const Vector from = r.power(-2, 9) * r.normals(d);
  return stereographic(from, r.power(-2, 9) * r.normals(d));
}

// S² × S² × … or S² × R, in polar charts.
Problem sphere_product(Random& r) {
  const int factors = r.integer(1, 3);
  const bool line = factors == 1 || r.chance(0.5);
  const int n = 2 * factors + (line ? 1 : 0);
  const auto f = [factors, line]<class T>(const T* z, T* x) {
    for (int i = 0; i < factors; ++i) polar_sphere(z[2 * i], z[2 * i + 1], x + 3 * i);
    if (line) x[3 * factors] = z[2 * factors];
  };
  Vector from(n);
  Vector to(n);
  Real square = 0;
  for (int i = 0; i < factors; ++i) {
    from.segment(2 * i, 2) << r.uniform(0.5, 2.6), r.uniform(-3, 3);
    to.segment(2 * i, 2) << r.uniform(0.5, 2.6), from(2 * i + 1) + r.uniform(-2.9, 2.9);
    const Known known = sphere_known(from(2 * i), to(2 * i), static_cast<Real>(to(2 * i + 1)) - from(2 * i + 1));
    square += *known.infimum * *known.infimum;
  }
  if (line) {
    from(n - 1) = r.uniform(-1, 1);
    to(n - 1) = r.uniform(-3, 3);
    const Real d = static_cast<Real>(to(n - 1)) - from(n - 1);
    square += d * d;
  }
  return map_problem(n, 3 * factors + (line ? 1 : 0), f, from, to, only(std::sqrt(square)));
}

// 2√p of a softmax p: the information metric of a categorical distribution, a part of a sphere of radius 2.
Problem softmax(Random& r) {
  const int n = r.chance(0.8) ? r.integer(1, 5) : r.integer(6, 20);
  const auto f = [n]<class T>(const T* z, T* x) {
    T sum = 1.0;
    for (int i = 0; i < n; ++i) sum += exp(z[i]);
    const T scale = 2.0 / sqrt(sum);
    x[n] = scale;
    for (int i = 0; i < n; ++i) x[i] = scale * exp(0.5 * z[i]);
  };
  const double spread = r.power(-1, 0.8);
  const Vector from = spread * r.normals(n);
  const Vector to = spread * r.normals(n);
  Problem out = map_problem(n, n + 1, f, from, to, {});
  RealVector a;
  RealVector b;
  out.truth->image(RealVector(from.cast<Real>()).data(), a);
  out.truth->image(RealVector(to.cast<Real>()).data(), b);
  out.known = only(4 * std::atan2((a - b).norm(), (a + b).norm()));
  return out;
}

}  // namespace

void add_sphere_families(std::vector<Family>& out) {
  out.push_back({"sphere", 2, sphere});
  out.push_back({"sphere-pole", 2, sphere_pole});
  out.push_back({"sphere-antipodal", 2, sphere_antipodal});
  out.push_back({"sphere-beyond", 2, sphere_beyond});
  out.push_back({"sphere-tiny", 2, sphere_tiny});
  out.push_back({"sphere-scaled", 2, sphere_scaled});
  out.push_back({"sphere-sheared", 2, sphere_sheared});
  out.push_back({"stereographic", 2, [](Random& r) { return stereographic_near(r, r.integer(2, 5)); }});
  out.push_back({"stereographic-high", 0.2, [](Random& r) { return stereographic_near(r, r.integer(6, 50)); }});
  out.push_back({"stereographic-far", 2, stereographic_far});
  out.push_back({"sphere-product", 0.5, sphere_product});
  out.push_back({"softmax", 0.7, softmax});
}

}  // namespace pullback::hunt
