#include "pullback/manifold/metrics/curvature.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <typeinfo>

#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

// Steps of differences in units of length; three of them, each half of the one before, are extrapolated.
constexpr double kStep = 0.02;

// e_1, e_2 of the plane, orthonormal in the metric, so that the determinant is 1.
Matrix orthonormal_plane(const Matrix& R, const ConstVectorRef& u, const ConstVectorRef& v) {
  Matrix plane(u.size(), 2);
  plane << u / u.stableNorm(), v / v.stableNorm();
  const Matrix seen = R * plane;
  const double a = seen.col(0).stableNorm();
  const double along = seen.col(0).dot(seen.col(1)) / a;
  const double across = (seen.col(1) - along / a * seen.col(0)).stableNorm();
  Matrix out(u.size(), 2);
  out.col(0) = plane.col(0) / a;
  out.col(1) = (plane.col(1) - along * out.col(0)) / across;
  return out;
}

// II(e_1,e_1), II(e_2,e_2), II(e_1,e_2) by polarisation.
Curvature by_gauss(const Generator& f, const Matrix& z, const Matrix& e, Workspace& ws) {
  const Eigen::Index n = z.rows();
  Matrix Z(n, 4);
  Z << z, z, z, z;
  Matrix V(n, 4);
  V << e, e.col(0) + e.col(1), e.col(0) - e.col(1);
  Matrix D(f.ambient_dimension(), 4);
  f.second_directional(Z, V, D, ws);
  Matrix x(f.ambient_dimension(), 1);
  Matrix Q(f.ambient_dimension(), n);
  f.value_and_jacobian(z, x, Q, ws);
  Matrix R(n, n);
  orthonormalise(Q, static_cast<int>(n), R);
  D -= Q * (Q.transpose() * D).eval();
  const Vector mixed = 0.25 * (D.col(2) - D.col(3));
  const bool exact = f.traits().first == Derivative::kExact && f.traits().second == Derivative::kExact;
  return {D.col(0).dot(D.col(1)) - mixed.squaredNorm(), exact ? 0 : std::numeric_limits<double>::quiet_NaN()};
}

// Γ(u, w) of pairs of columns.
Matrix christoffel(const Manifold& manifold, const Matrix& z, const Matrix& U, const Matrix& W, Workspace& ws) {
  const Eigen::Index m = U.cols();
  Matrix V(z.rows(), 2 * m);
  V << U - W, U + W;
  Matrix A(z.rows(), 2 * m);
  manifold.acceleration(z.replicate(1, 2 * m), V, A, ws);
  return 0.25 * (A.leftCols(m) - A.rightCols(m));
}

Curvature by_metric(const MetricManifold& manifold, const Matrix& z, const Matrix& R, const Matrix& e, Workspace& ws) {
  Matrix directions = e;
  // yᵀ d²M[e_a, e_b] y for four y.
  const auto seen_by = [&](const Vector& y) {
    Matrix C(2, 2);
    manifold.field()->second(z, directions, y, C, ws);
    return C;
  };
  const double mixed =
      0.25 * (seen_by(e.col(0) + e.col(1))(0, 1) - seen_by(e.col(0) - e.col(1))(0, 1));  // d²M_12[e_1,e_2]
  const double first = seen_by(e.col(0))(1, 1);                                          // d²M_11[e_2,e_2]
  const double second = seen_by(e.col(1))(0, 0);
  Matrix U(z.rows(), 3);
  U << e, e.col(0);
  Matrix W(z.rows(), 3);
  W << e, e.col(1);
  const Matrix G = R * christoffel(manifold, z, U, W, ws);
  const double value = mixed - 0.5 * (first + second) + G.col(2).squaredNorm() - G.col(0).dot(G.col(1));
  return {value, 0};
}

Curvature by_differences(const Manifold& manifold, const Matrix& z, const Matrix& R, const Matrix& e, Workspace& ws) {
  const Vector a = e.col(0);
  const Vector b = e.col(1);
  const Vector bb = christoffel(manifold, z, b, b, ws);
  const Vector ab = christoffel(manifold, z, a, b, ws);
  const Vector products = christoffel(manifold, z, a, bb, ws) - christoffel(manifold, z, b, ab, ws);
  const auto at_step = [&](double h) {
    const Vector changes = (christoffel(manifold, z + h * a, b, b, ws) - christoffel(manifold, z - h * a, b, b, ws) -
                            christoffel(manifold, z + h * b, a, b, ws) + christoffel(manifold, z - h * b, a, b, ws)) /
                           (2 * h);
    return (R * (changes + products)).dot(R * a);
  };
  const std::array<double, 3> k{at_step(kStep), at_step(kStep / 2), at_step(kStep / 4)};
  const double coarse = k[1] + (k[1] - k[0]) / 3;
  const double fine = k[2] + (k[2] - k[1]) / 3;
  const double value = fine + (fine - coarse) / 15;
  return {value, std::abs(value - fine) + 1e-9 * (std::abs(value) + 1)};
}

void require(const Manifold& manifold, const ConstVectorRef& z, const ConstVectorRef& u, const ConstVectorRef& v) {
  const int n = manifold.dimension();
  if (z.size() != n || u.size() != n || v.size() != n) {
    throw std::invalid_argument(fmt::format("curvature: expected a point and two vectors of {}, got {}, {} and {}", n,
                                            z.size(), u.size(), v.size()));
  }
  if (!manifold.smooth()) {
    throw std::invalid_argument(fmt::format("curvature: {} has kinks, where there is none", manifold.name()));
  }
  Matrix plane(n, 2);
  plane << u.stableNormalized(), v.stableNormalized();
  const double across = (plane.col(1) - plane.col(0) * plane.col(0).dot(plane.col(1))).norm();
  if (!(across > 1e-12)) throw std::invalid_argument("curvature: the two vectors span no plane");
}

}  // namespace

Curvature sectional_curvature(const Manifold& manifold, const ConstVectorRef& z, const ConstVectorRef& u,
                              const ConstVectorRef& v, Workspace& ws) {
  require(manifold, z, u, v);
  const Matrix point = z;
  Matrix R(z.size(), z.size());
  manifold.factor(point, R, ws);
  const Matrix e = orthonormal_plane(R, u, v);
  if (!e.allFinite()) return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()};
  const auto* given = dynamic_cast<const MetricManifold*>(&manifold);
  if (given != nullptr && given->field()->derivatives() == Derivative::kExact) {
    return by_metric(*given, point, R, e, ws);
  }
  if (typeid(manifold) == typeid(PullbackManifold)) return by_gauss(*manifold.generator(), point, e, ws);
  return by_differences(manifold, point, R, e, ws);
}

}  // namespace pullback
