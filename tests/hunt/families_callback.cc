// Maps given as plain functions: with values only, with a Jacobian, and with a Jacobian that is wrong.
#include "pullback/generators/formula/callback.h"
#include "tests/hunt/make.h"

namespace pullback::hunt {
namespace {

struct Stereographic {
  template <class T>
  void operator()(const T* z, T* x) const {
    const T scale = 1.0 / (1.0 + z[0] * z[0] + z[1] * z[1]);
    x[0] = (1.0 - z[0] * z[0] - z[1] * z[1]) * scale;
    x[1] = 2.0 * z[0] * scale;
    x[2] = 2.0 * z[1] * scale;
  }
};

struct Paraboloid {
  template <class T>
  void operator()(const T* z, T* x) const {
    x[0] = z[0];
    x[1] = z[1];
    x[2] = z[0] * z[0] + z[1] * z[1];
  }
};

// A plane in an odd chart, many wavelengths wide, shifted by an offset.
struct OddPlane {
  double w;
  double offset;
  template <class T>
  void operator()(const T* z, T* x) const {
    const T a = z[0] - offset;
    x[0] = a + 0.4 / w * sin(w * z[1]);
    x[1] = z[1] + 0.4 / w * sin(w * a);
    x[2] = 0.0;
  }
};

struct Sphere {
  template <class T>
  void operator()(const T* z, T* x) const {
    x[0] = sin(z[0]) * cos(z[1]);
    x[1] = sin(z[0]) * sin(z[1]);
    x[2] = cos(z[0]);
  }
};

using JacobianChange = std::function<void(Matrix& J)>;  // of one point, 3×2

template <class F>
Callbacks callbacks(const std::shared_ptr<const Generator>& exact, F f, bool jacobian, const JacobianChange& change) {
  Callbacks out;
  out.value = [f](const ConstMatrixRef& Z) {
    Matrix X(3, Z.cols());
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      const std::array<Jet<0>, 2> z{Z(0, k), Z(1, k)};
      std::array<Jet<0>, 3> x;
      f(z.data(), x.data());
      for (int m = 0; m < 3; ++m) X(m, k) = x[m].value;
    }
    return X;
  };
  if (!jacobian) return out;
  out.jacobian = [exact, change](const ConstMatrixRef& Z) {
    Matrix J = exact->jacobian(Z);
    for (Eigen::Index k = 0; k < Z.cols() && change; ++k) {
      Matrix one = J.middleCols(2 * k, 2);
      change(one);
      J.middleCols(2 * k, 2) = one;
    }
    return J;
  };
  return out;
}

template <class F>
Problem callback_problem(F f, const Vector& from, const Vector& to, const Known& known, bool jacobian,
                         const JacobianChange& change) {
  Problem out = map_problem(2, 3, f, from, to, known);
  out.geodesic.manifold = std::make_shared<PullbackManifold>(std::make_shared<CallbackGenerator>(
      2, 3, callbacks(out.geodesic.manifold->shared_generator(), f, jacobian, change)));
  return out;
}

Problem any_surface(Random& r, bool jacobian, const JacobianChange& change) {
  switch (r.integer(0, 3)) {
    case 0: {
      const Vector from = r.normals(2);
      const Vector to = 1.5 * r.normals(2);
      const RealVector a = from.cast<Real>();
      const RealVector b = to.cast<Real>();
      const Real dot = a.dot(b);
      const Real other = (1 + dot) * (1 + dot) + a.squaredNorm() * b.squaredNorm() - dot * dot;
      return callback_problem(Stereographic{}, from, to, only(2 * std::atan2((a - b).norm(), std::sqrt(other))),
                              jacobian, change);
    }
    case 1:
      return callback_problem(Paraboloid{}, r.normals(2), r.normals(2), {}, jacobian, change);
    case 2: {
      const OddPlane f{r.power(-0.5, 2.5), r.chance(0.3) ? r.power(1, 5) : 0.0};
      const Vector from = point(f.offset, 0) + r.normals(2);
      const Vector to = from + std::min(1.0, 10 / f.w) * r.normals(2);
      Problem out = callback_problem(f, from, to, {}, jacobian, change);
      RealVector a;
      RealVector b;
      out.truth->image(RealVector(from.cast<Real>()).data(), a);
      out.truth->image(RealVector(to.cast<Real>()).data(), b);
      out.known = only((b - a).norm());
      return out;
    }
    default: {
      const Vector from = point(r.uniform(0.05, 3), r.uniform(-3, 3));
      const Vector to = point(r.uniform(0.05, 3), from(1) + r.uniform(-3.1, 3.1));
      return callback_problem(Sphere{}, from, to, sphere_known(from(0), to(0), static_cast<Real>(to(1)) - from(1)),
                              jacobian, change);
    }
  }
}

// A mistake as people make them.
JacobianChange mistake(Random& r) {
  const int column = r.integer(0, 1);
  const int row = r.integer(0, 2);
  const double factor = 1 + r.sign() * r.power(-4, 0);
  switch (r.integer(0, 5)) {
    case 0:
      return [=](Matrix& J) { J.col(column) *= factor; };
    case 1:
      return [=](Matrix& J) { J.col(column).setZero(); };
    case 2:
      return [=](Matrix& J) { J(row, column) *= -1; };
    case 3:
      return [=](Matrix& J) { J(row, column) += factor - 1; };
    case 4:
      return [](Matrix& J) { J.col(0).swap(J.col(1)); };
    default:
      return [=](Matrix& J) { J *= factor; };
  }
}

}  // namespace

void add_callback_families(std::vector<Family>& out) {
  out.push_back({"callback-values", 1, [](Random& r) { return any_surface(r, false, {}); }});
  out.push_back({"callback-jacobian", 0.5, [](Random& r) { return any_surface(r, true, {}); }});
  out.push_back({"wrong-jacobian", 1, [](Random& r) {
                   const JacobianChange change = mistake(r);
                   return any_surface(r, true, change);
                 }});
}

}  // namespace pullback::hunt
