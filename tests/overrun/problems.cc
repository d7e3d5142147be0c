#include "problems.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <random>
#include <thread>
#include <utility>

#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/formula/callback.h"
#include "pullback/generators/network/network.h"
#include "pullback/manifold/metrics/gaussian_process_manifold.h"
#include "pullback/manifold/metrics/metric_manifold.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback::overrun {
namespace {

Named named(std::string name, std::shared_ptr<const Manifold> manifold, Vector from, Vector to, double slowest = 0) {
  Named out;
  out.name = std::move(name);
  out.problem.manifold = std::move(manifold);
  out.problem.from = std::move(from);
  out.problem.to = std::move(to);
  out.slowest = slowest;
  return out;
}

Named opened(const GeneratorRegistry& generators, const std::string& name, Vector from, Vector to) {
  return named(name, expected_manifold(generators.open(name).generator), std::move(from), std::move(to));
}

// Corners of a cube of side 1 or so, the same for every dimension.
Vector corner(int dimension, double sign) {
  Vector out(dimension);
  for (int i = 0; i < dimension; ++i) out(i) = sign * (0.3 + 0.4 * std::sin(i + 1.0)) / std::sqrt(dimension / 2.0);
  return out;
}

Named between_codes(const GeneratorRegistry& generators, const std::string& name) {
  OpenedGenerator model = generators.open(name);
  Named out = named(name, expected_manifold(model.generator), model.codes.col(0), model.codes.rightCols(1));
  out.problem.points = std::move(model.codes);
  return out;
}

// Charts in which a straight line leads through or round a singular point.
std::vector<Named> singular_charts() {
  const auto polar = make_generator(2, 2, []<class T>(const Eigen::VectorX<T>& z) {
    using std::cos, std::sin;
    return Eigen::VectorX<T>{{z(0) * cos(z(1)), z(0) * sin(z(1))}};
  });
  const auto square = make_generator(
      2, 1, []<class T>(const Eigen::VectorX<T>& z) { return Eigen::VectorX<T>{{z(0) * z(0) + z(1) * z(1)}}; });
  const auto plane = std::make_shared<PullbackManifold>(polar);
  return {named("polar plane, 3.2", plane, Vector{{1.0, 0.0}}, Vector{{1.0, 3.2}}),
          named("polar plane, 2", plane, Vector{{1.0, 0.0}}, Vector{{1.0, 2.0}}),
          named("f = |z|^2", std::make_shared<PullbackManifold>(square), Vector{{1.0, 0.0}}, Vector{{0.0, 1.0}})};
}

std::shared_ptr<const Generator> hill(int dimension) {
  return make_generator(dimension, dimension + 1, [dimension]<class T>(const Eigen::VectorX<T>& z) {
    using std::exp;
    Eigen::VectorX<T> x(dimension + 1);
    T square = z(0) * z(0);
    for (int i = 1; i < dimension; ++i) square += z(i) * z(i);
    x << z, exp(-0.5 * square);
    return x;
  });
}

// Random weights, with moderate curvature.
std::shared_ptr<const Generator> network(int dimension) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  const auto weights = [&](int rows, int columns) {
    Matrix out(rows, columns);
    for (double& w : out.reshaped()) w = normal(random) / std::sqrt(columns);
    return out;
  };
  std::vector<Layer> layers;
  layers.push_back({weights(128, dimension), Vector::Zero(128), {ActivationKind::kTanh}});
  layers.push_back({weights(256, 128), Vector::Zero(256), {ActivationKind::kTanh}});
  layers.push_back({weights(784, 256), Vector::Zero(784), {ActivationKind::kIdentity}});
  return std::make_shared<Network>(std::move(layers), "network");
}

constexpr auto kPi = std::numbers::pi;

void sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

// The paraboloid over Rⁿ, point by point in the time given, with as many derivatives as are asked for.
struct Pace {
  double value = 0;
  double jacobian = -1;  // negative: none is given, and it is differenced
  double second = -1;
  double call = 0;  // of values, whatever the batch
};

Callbacks paraboloid(int n, const Pace& pace) {
  Callbacks out;
  out.value = [n, pace](const ConstMatrixRef& Z) {
    sleep(pace.call + pace.value * static_cast<double>(Z.cols()));
    Matrix X(n + 1, Z.cols());
    X << Z, Z.colwise().squaredNorm();
    return X;
  };
  if (pace.jacobian >= 0) {
    out.jacobian = [n, pace](const ConstMatrixRef& Z) {
      sleep(pace.jacobian * static_cast<double>(Z.cols()));
      Matrix J = Matrix::Zero(n + 1, n * Z.cols());
      for (Eigen::Index k = 0; k < Z.cols(); ++k) {
        J.block(0, n * k, n, n).setIdentity();
        J.block(n, n * k, 1, n) = 2 * Z.col(k).transpose();
      }
      return J;
    };
  }
  if (pace.second >= 0) {
    out.second_directional = [n, pace](const ConstMatrixRef& Z, const ConstMatrixRef& V) {
      sleep(pace.second * static_cast<double>(Z.cols()));
      Matrix D = Matrix::Zero(n + 1, Z.cols());
      D.bottomRows(1) = 2 * V.colwise().squaredNorm();
      return D;
    };
  }
  return out;
}

Named slow(std::string name, int n, const Pace& pace, double slowest) {
  auto generator = std::make_shared<CallbackGenerator>(n, n + 1, paraboloid(n, pace), GeneratorTraits{.name = name});
  return named(std::move(name), std::make_shared<PullbackManifold>(std::move(generator)), corner(n, 1), corner(n, -1),
               slowest);
}

}  // namespace

std::vector<Named> fast_problems(const GeneratorRegistry& generators) {
  std::vector<Named> out = singular_charts();
  const auto add = [&](const std::string& name, Vector from, Vector to) {
    out.push_back(opened(generators, name, std::move(from), std::move(to)));
  };
  add("sphere", Vector{{kPi / 3, 0.0}}, Vector{{2 * kPi / 3, 2.0}});
  add("sphere", Vector{{kPi / 2, 0.0}}, Vector{{kPi / 2, kPi - 1e-3}});
  add("sphere", Vector{{0.01, 0.0}}, Vector{{0.01, 3.0}});
  add("sheared-sphere:s=1000", Vector{{1.0, 0.0}}, Vector{{2.0, 1.0}});
  add("sphere-stereographic", Vector{{0.5, 0.0}}, Vector{{-2.0, 1.0}});
  add("torus:R=3,r=1", Vector{{0.0, 0.0}}, Vector{{0.5, 1.8}});
  add("paraboloid", Vector{{1.0, 0.0}}, Vector{{-0.4, 0.9}});
  add("bump:h=3,w=0.3", Vector{{-1.0, 0.01}}, Vector{{1.0, 0.0}});
  add("cusp", Vector{{-1.0, 0.0}}, Vector{{1.0, 1.0}});
  add("collapsed-disc", Vector{{-2.0, 0.1}}, Vector{{2.0, 0.2}});
  add("relu-fold:s=3", Vector{{-1.0, 0.0}}, Vector{{1.0, 1.0}});
  add("step", Vector{{-1.0, 0.0}}, Vector{{1.0, 1.0}});
  add("linear:k=8", Vector{{-1.0, 0.5}}, Vector{{1.0, -0.5}});
  add("rbf-variance", Vector{{1.0, 0.0}}, Vector{{0.1, 1.2}});
  add("swiss-roll", Vector{{4.0, 0.0}}, Vector{{12.0, 3.0}});
  add("pseudosphere", Vector{{0.5, 0.0}}, Vector{{0.7, 2.0}});
  add("helicoid", Vector{{-1.0, 0.0}}, Vector{{1.0, 3.0}});
  for (const int d : {8, 32, 128}) {
    out.push_back(named(fmt::format("hill of {} dimensions", d), std::make_shared<PullbackManifold>(hill(d)),
                        corner(d, 1), corner(d, -1)));
  }
  for (const int d : {2, 8, 16, 32, 64, 128}) {
    out.push_back(named(fmt::format("network of {} dimensions", d), std::make_shared<PullbackManifold>(network(d)),
                        corner(d, 1), corner(d, -1)));
  }
  out.push_back(named("half-plane", half_plane(), Vector{{0.0, 3e-5}}, Vector{{1.0, 3e-5}}));
  for (const char* model : {"mnist-vae", "mnist-gan", "mnist-vae-8d"}) out.push_back(between_codes(generators, model));
  return out;
}

std::vector<Named> slow_problems() {
  std::vector<Named> out{slow("5 ms a value", 2, {.value = 5e-3}, 5e-3),
                         slow("50 ms a value", 2, {.value = 0.05}, 0.05),
                         slow("30 ms a call", 2, {.call = 0.03}, 0.03),
                         slow("2 ms a value in 16 dimensions", 16, {.value = 2e-3}, 2e-3),
                         slow("20 ms a Jacobian", 2, {.jacobian = 0.02, .second = 0}, 0.02),
                         slow("20 ms a second derivative", 2, {.jacobian = 0, .second = 0.02}, 0.02)};
  const auto metric = [](const ConstMatrixRef& Z, MatrixRef M, Workspace& /*ws*/) {
    sleep(5e-3 * static_cast<double>(Z.cols()));
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      M.middleCols(2 * k, 2) = (1 + Z.col(k).squaredNorm()) * Matrix::Identity(2, 2);
    }
  };
  out.push_back(named("5 ms a metric", std::make_shared<MetricManifold>(2, "slow metric", metric), corner(2, 1),
                      corner(2, -1), 5e-3));
  return out;
}

}  // namespace pullback::overrun
