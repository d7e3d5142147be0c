// Curved surfaces whose geodesics have no closed form: a claim must survive being moved, and agree with the others
// where there is one geodesic only.
#include <Eigen/LU>

#include "tests/hunt/make.h"

namespace pullback::hunt {
namespace {

constexpr bool kOneGeodesic = true;  // negatively curved and complete

template <class Height>
Problem graph(Vector from, Vector to, Known known, Height height, TruthTraits traits = {}) {
  const auto f = [height]<class T>(const T* z, T* x) {
    x[0] = z[0];
    x[1] = z[1];
    x[2] = height(z[0], z[1]);
  };
  return map_problem(2, 3, f, std::move(from), std::move(to), std::move(known), traits);
}

Problem catenoid(Random& r) {
  const auto f = []<class T>(const T* z, T* x) {
    const T radius = cosh(z[0]);
    x[0] = radius * cos(z[1]);
    x[1] = radius * sin(z[1]);
    x[2] = z[0];
  };
  const double turns = r.chance(0.3) ? 20 : 3;
  return map_problem(2, 3, f, point(r.uniform(-2, 2), 0), point(r.uniform(-2, 2), r.uniform(-turns, turns)),
                     {.unique = kOneGeodesic});
}

Problem helicoid(Random& r) {
  const auto f = []<class T>(const T* z, T* x) {
    const T radius = sinh(z[0]);
    x[0] = radius * cos(z[1]);
    x[1] = radius * sin(z[1]);
    x[2] = z[1];
  };
  const double turns = r.chance(0.3) ? 20 : 3;
  return map_problem(2, 3, f, point(r.uniform(-2, 2), 0), point(r.uniform(-2, 2), r.uniform(-turns, turns)),
                     {.unique = kOneGeodesic});
}

Problem saddle_graph(Random& r) {
  const double a = r.power(-1, 1);
  return graph(r.normals(2), 2 * r.normals(2), {.unique = kOneGeodesic},
               [a](const auto& x, const auto& y) { return a * (x * x - y * y); });
}

Problem torus(Random& r) {
  const double R = r.uniform(1.1, 4);
  const double tube = r.uniform(0.2, 1);
  const auto f = [R, tube]<class T>(const T* z, T* x) {
    const T radius = R + tube * cos(z[0]);
    x[0] = radius * cos(z[1]);
    x[1] = radius * sin(z[1]);
    x[2] = tube * sin(z[0]);
  };
  Vector from = point(r.uniform(-3, 3), r.uniform(-3, 3));
  Vector to = from + r.power(-1, 0.8) * r.normals(2);
  if (r.chance(0.2)) from(0) = to(0) = 0;  // along the outer equator
  return map_problem(2, 3, f, from, to, {});
}

Problem paraboloid(Random& r) {
  const double a = r.power(-1, 1.5);
  Vector from = r.normals(2);
  Vector to = r.normals(2);
  if (r.chance(0.2)) to = -from * r.power(-0.5, 0.5);  // over the vertex
  return graph(from, to, {}, [a](const auto& x, const auto& y) { return a * (x * x + y * y); });
}

Problem bump(Random& r) {
  const double h = r.power(-1, 0.7);
  const double w = r.power(-0.7, 0.3);
  Vector from = r.normals(2);
  Vector to = r.normals(2);
  if (r.chance(0.2)) to = -from;
  return graph(from, to, {},
               [h, w](const auto& x, const auto& y) { return h * exp((x * x + y * y) * (-0.5 / (w * w))); },
               {.feature = static_cast<Real>(w)});
}

// A bump so narrow that sampling may step over it, on the straight way or beside it.
Problem needle(Random& r) {
  const double w = r.power(-3.3, -1.3);
  const double h = w * r.power(-0.5, 2);
  const Vector from = r.normals(2);
  const Vector to = r.normals(2);
  const double along = r.uniform(0.1, 0.9);
  const Vector centre = from + along * (to - from) + w * r.uniform(0, 2) * r.normals(2);
  return graph(from, to, {},
               [=](const auto& x, const auto& y) {
                 const auto a = x - centre(0);
                 const auto b = y - centre(1);
                 return h * exp((a * a + b * b) * (-0.5 / (w * w)));
               },
               {.feature = static_cast<Real>(w)});
}

Problem ripples(Random& r) {
  const double k = r.power(0, 1.5);
  const double a = r.power(-1.5, 0) / k;
  return graph(r.normals(2), r.normals(2), {},
               [k, a](const auto& x, const auto& y) { return a * sin(k * x) * sin(k * y); },
               {.feature = static_cast<Real>(1 / k)});
}

// A bump in a chart rotated and squeezed to condition numbers up to 1e10.
Problem squeezed_bump(Random& r) {
  const double angle = r.uniform(0, 3);
  const double kappa = r.power(0, 10);
  Matrix S(2, 2);
  S << std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle);
  S = S * point(1, 1 / kappa).asDiagonal() * S.transpose();
  const double h = r.power(-1, 0.2);
  const auto f = [S, h]<class T>(const T* z, T* x) {
    x[0] = S(0, 0) * z[0] + S(0, 1) * z[1];
    x[1] = S(1, 0) * z[0] + S(1, 1) * z[1];
    x[2] = h * exp((x[0] * x[0] + x[1] * x[1]) * -0.5);
  };
  const Matrix inverse = S.inverse();
  return map_problem(2, 3, f, inverse * (1.5 * r.normals(2)), inverse * (1.5 * r.normals(2)), {});
}

Problem ellipsoid(Random& r) {
  const Vector axes = r.uniforms(3, 0.3, 3);
  const auto f = [axes]<class T>(const T* z, T* x) {
    const T radius = sin(z[0]);
    x[0] = axes(0) * radius * cos(z[1]);
    x[1] = axes(1) * radius * sin(z[1]);
    x[2] = axes(2) * cos(z[0]);
  };
  return map_problem(2, 3, f, point(r.uniform(0.2, 2.9), 0), point(r.uniform(0.2, 2.9), r.uniform(-4, 4)), {});
}

// ((2 + sin ku) cos v, (2 + sin ku) sin v, u)
Problem vase(Random& r) {
  const double k = r.uniform(0.5, 4);
  const auto f = [k]<class T>(const T* z, T* x) {
    const T radius = 2.0 + sin(k * z[0]);
    x[0] = radius * cos(z[1]);
    x[1] = radius * sin(z[1]);
    x[2] = z[0];
  };
  return map_problem(2, 3, f, point(r.uniform(-3, 3), 0), point(r.uniform(-3, 3), r.uniform(-6, 6)), {});
}

// A curve in space, by random waves: in one dimension there is one way only, along it.
Problem space_curve(Random& r) {
  const Matrix amplitude = r.normal_matrix(3, 3);
  const double speed = r.chance(0.3) ? 0 : r.normal();
  const auto f = [amplitude, speed]<class T>(const T* z, T* x) {
    for (int m = 0; m < 3; ++m) {
      x[m] = speed * z[0];
      for (int k = 0; k < 3; ++k) x[m] += amplitude(m, k) / (k + 1) * sin((k + 1.0) * z[0] + 0.7 * m);
    }
  };
  return map_problem(1, 3, f, Vector::Constant(1, r.uniform(-3, 3)), Vector::Constant(1, r.power(-2, 2) * r.normal()),
                     {.unique = true});
}

// Random waves from Rⁿ to Rᴺ, with or without z itself among the outputs.
Problem waves(Random& r) {
  const int n = r.integer(2, 5);
  const int N = r.integer(n, 12);
  const Matrix W = r.power(-0.5, 0.5) * r.normal_matrix(N, n) / std::sqrt(n);
  const Vector b = 3 * r.normals(N);
  const bool embedded = r.chance(0.6);
  const auto f = [=]<class T>(const T* z, T* x) {
    for (int m = 0; m < N; ++m) {
      T s = b(m);
      for (int i = 0; i < n; ++i) s += W(m, i) * z[i];
      x[m] = sin(s);
    }
    for (int i = 0; i < n && embedded; ++i) x[N + i] = z[i];
  };
  return map_problem(n, embedded ? N + n : N, f, r.normals(n), 1.5 * r.normals(n), {});
}

// (z, σ, …), σ² = 1/(Σ w exp(−|z − c|²/2) + floor): a decoder that knows what it does not know.
Problem rbf_variance(Random& r) {
  const int centres = r.integer(1, 4);
  const Matrix c = r.normal_matrix(2, centres);
  const double floor = r.power(-4, -1);
  const int outputs = r.integer(1, 6);
  const auto f = [=]<class T>(const T* z, T* x) {
    T precision = floor;
    for (int k = 0; k < centres; ++k) {
      const T a = z[0] - c(0, k);
      const T b = z[1] - c(1, k);
      precision += exp((a * a + b * b) * -1.0);
    }
    x[0] = z[0];
    x[1] = z[1];
    x[2] = std::sqrt(static_cast<double>(outputs)) / sqrt(precision);
  };
  Vector from = 1.5 * r.normals(2);
  Vector to = 1.5 * r.normals(2);
  if (r.chance(0.2)) to = -from;
  return map_problem(2, 3, f, from, to, {});
}

// Angles of a robot's arm with two joints out of the plane: (elbow and hand in space).
Problem arm(Random& r) {
  const Vector l = r.uniforms(3, 0.3, 1.5);
  const int n = r.integer(2, 3);
  const auto f = [l, n]<class T>(const T* z, T* x) {
    const T reach = l(0) * cos(z[1]) + (n == 3 ? l(1) * cos(z[1] + z[2]) : T(l(1)));
    x[0] = reach * cos(z[0]);
    x[1] = reach * sin(z[0]);
    x[2] = l(0) * sin(z[1]) + (n == 3 ? l(1) * sin(z[1] + z[2]) : T(0.0));
    x[3] = n == 3 ? l(2) * z[2] : T(0.0);
  };
  return map_problem(n, 4, f, r.normals(n), r.normals(n), {});
}

}  // namespace

void add_curved_families(std::vector<Family>& out) {
  out.push_back({"catenoid", 1, catenoid});
  out.push_back({"helicoid", 1, helicoid});
  out.push_back({"saddle-graph", 1, saddle_graph});
  out.push_back({"torus", 1, torus});
  out.push_back({"paraboloid", 1, paraboloid});
  out.push_back({"bump", 1, bump});
  out.push_back({"needle", 1, needle});
  out.push_back({"ripples", 1, ripples});
  out.push_back({"squeezed-bump", 1, squeezed_bump});
  out.push_back({"ellipsoid", 1, ellipsoid});
  out.push_back({"vase", 1, vase});
  out.push_back({"space-curve", 1, space_curve});
  out.push_back({"waves", 0.7, waves});
  out.push_back({"rbf-variance", 1, rbf_variance});
  out.push_back({"arm", 0.7, arm});
}

}  // namespace pullback::hunt
