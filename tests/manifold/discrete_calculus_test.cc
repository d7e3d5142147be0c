#include "pullback/manifold/numerics/discrete_calculus.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/curves/exponential.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback {
namespace {

std::shared_ptr<const Manifold> sphere() {
  return std::make_shared<PullbackManifold>(make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) {
    return Eigen::Vector3<T>(sin(z(0)) * cos(z(1)), sin(z(0)) * sin(z(1)), cos(z(0)));
  }));
}

std::shared_ptr<const Manifold> paraboloid() {
  return std::make_shared<PullbackManifold>(make_generator(2, 3, []<class T>(const Eigen::VectorX<T>& z) {
    return Eigen::Vector3<T>(z(0), z(1), z(0) * z(0) + z(1) * z(1));
  }));
}

struct Start {
  std::shared_ptr<const Manifold> manifold;
  Vector z, v;
};

std::vector<Start> starts() {
  return {{sphere(), Vector{{1.0, 0.2}}, Vector{{0.5, 1.2}}},
          {paraboloid(), Vector{{0.8, -0.3}}, Vector{{-0.7, 0.9}}},
          {half_plane(), Vector{{0.0, 1.0}}, Vector{{1.0, 0.5}}}};
}

// Order of convergence between K and 2K chords.
template <class Error>
double order(const Error& error, int K) {
  return std::log2(error(K) / error(2 * K));
}

TEST(DiscreteCalculus, ExponentialIsOfFirstOrder) {
  Workspace ws;
  for (const Start& s : starts()) {
    const Vector exact = exponential_map(*s.manifold, s.z, s.v);
    const auto error = [&](int K) {
      return (discrete_exponential(*s.manifold, s.z, s.z + s.v / K, K, ws).rightCols(1) - exact).norm();
    };
    EXPECT_GE(order(error, 32), 0.9) << s.manifold->name();
    EXPECT_LE(error(64), 0.1);
  }
}

TEST(DiscreteCalculus, ExponentialFromAnExactChordIsOfSecondOrder) {
  Workspace ws;
  for (const Start& s : starts()) {
    const Vector exact = exponential_map(*s.manifold, s.z, s.v);
    const auto error = [&](int K) {
      const Vector z1 = exponential_map(*s.manifold, s.z, s.v / K);
      return (discrete_exponential(*s.manifold, s.z, z1, K, ws).rightCols(1) - exact).norm();
    };
    // On a sphere equal arcs balance one another exactly, but for the differences.
    EXPECT_TRUE(error(16) <= 1e-6 || order(error, 16) >= 1.8) << s.manifold->name() << ": " << error(16);
  }
}

TEST(DiscreteCalculus, LogarithmIsOfFirstOrderAndInvertsTheExponential) {
  Workspace ws;
  for (const Start& s : starts()) {
    const Vector end = exponential_map(*s.manifold, s.z, s.v);
    const auto geodesic = [&](int K) {
      const Matrix line = Curve::straight(s.z, end).position(uniform_times(K + 1));
      const DiscreteGeodesic found = discrete_geodesic(*s.manifold, line, {}, ws);
      EXPECT_TRUE(found.settled) << s.manifold->name();
      return found.nodes;
    };
    const auto error = [&](int K) { return (discrete_logarithm(geodesic(K)) - s.v).norm(); };
    EXPECT_GE(order(error, 16), 0.9) << s.manifold->name();
    // The minimiser's nodes balance one another, so that the exponential of its first chord goes through them all. The
    // differences are good to about 1e-7 of a chord, which a geodesic multiplies with its steps.
    const Matrix nodes = geodesic(12);
    const Matrix again = discrete_exponential(*s.manifold, nodes.col(0), nodes.col(1), 12, ws);
    EXPECT_LE((again - nodes).cwiseAbs().maxCoeff(), 1e-5) << s.manifold->name();
  }
}

// Round the circle of colatitude π/3 a vector turns by π.
TEST(DiscreteCalculus, TransportHasTheHolonomyOfTheSphere) {
  Workspace ws;
  const auto error = [&](int K) {
    Matrix circle(2, K + 1);
    for (int i = 0; i <= K; ++i) circle.col(i) << std::numbers::pi / 3, 2 * std::numbers::pi * i / K;
    const Vector v{{1.0, 0.5}};
    return (discrete_transport(*sphere(), circle, v, ws) + v).norm();
  };
  EXPECT_GE(order(error, 32), 1.8);
  EXPECT_LE(error(64), 0.02);
}

TEST(DiscreteCalculus, MiddleAndExtensionUndoOneAnother) {
  Workspace ws;
  for (const Start& s : starts()) {
    const Vector b = s.z + 0.1 * s.v;
    const Vector p = discrete_middle(*s.manifold, s.z, b, ws);
    EXPECT_LE((discrete_extension(*s.manifold, s.z, p, ws) - b).norm(), 1e-10) << s.manifold->name();
  }
}

TEST(DiscreteCalculus, IsNotANumberWhereTheMetricIsNot) {
  Workspace ws;
  const Matrix path = discrete_exponential(*half_plane(), Vector{{0.0, 1.0}}, Vector{{0.0, 0.1}}, 4, ws);
  EXPECT_FALSE(path.allFinite());
  EXPECT_THROW(discrete_exponential(*half_plane(), Vector{{0.0, 1.0}}, Vector{{0.0, 0.5}}, 0, ws),
               std::invalid_argument);
}

}  // namespace
}  // namespace pullback
