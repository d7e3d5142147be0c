#include "pullback/generators/surfaces/curved_maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "pullback/base/random.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/network/network.h"

namespace pullback {

namespace {

using GeneratorPointer = std::shared_ptr<const Generator>;

constexpr double kValleyWidth = 0.25;  // half as wide as the way that a pair's curve has on each side of it

double from(const ParameterValues& values, const char* name, double lowest) {
  const double value = values.find(name)->second;
  if (value >= lowest) return value;
  throw std::invalid_argument(fmt::format("parameter {} must be at least {}, got {}", name, lowest, value));
}

int whole(const ParameterValues& values, const char* name, int lowest, int highest) {
  const double value = values.find(name)->second;
  if (value >= lowest && value <= highest && value == std::floor(value)) return static_cast<int>(value);
  throw std::invalid_argument(
      fmt::format("parameter {} must be a whole number from {} to {}, got {}", name, lowest, highest, value));
}

constexpr int kMostDimensions = 1000;

GeneratorPointer hill(const ParameterValues& values) {
  const int d = whole(values, "d", 1, kMostDimensions);
  const double h = values.find("h")->second;
  const double w = from(values, "w", 1e-6);
  return make_generator(d, d + 1,
                        [d, h, w]<class T>(const T* z, T* x) {
                          T square = 0;
                          for (int i = 0; i < d; ++i) {
                            x[i] = z[i];
                            square += z[i] * z[i];
                          }
                          x[d] = h * exp(square / (-2 * w * w));
                        },
                        {.name = "hill"});
}

// Weights whose sums of inputs of size one have this size: curved, and not yet saturated.
constexpr double kGain = 1.2;

GeneratorPointer random_network(const ParameterValues& values) {
  const int d = whole(values, "d", 1, kMostDimensions);
  Random random(static_cast<std::uint64_t>(whole(values, "seed", 0, 1'000'000'000)));
  const int hidden = std::max(16, 3 * d);
  const int outputs = std::max(8, 2 * d);
  const auto weights = [&](int rows, int columns, double size) {
    return Matrix(random.normal_matrix(rows, columns) * size);
  };
  // Inputs have the norm of about one whatever their number, outputs come from sums of `hidden` terms.
  Layer first{weights(hidden, d, kGain), weights(hidden, 1, 0.5), {ActivationKind::kTanh}};
  Layer second{weights(outputs, hidden, 1 / std::sqrt(static_cast<double>(hidden))), Vector::Zero(outputs), {}};
  return std::make_shared<Network>(std::vector<Layer>{first, second}, "random-network");
}

GeneratorPointer valley(const ParameterValues& values) {
  const int d = whole(values, "d", 2, kMostDimensions);
  const double depth = std::log(from(values, "kappa", 1));
  return make_generator(d, d + 1,
                        [d, depth]<class T>(const T* z, T* x) {
                          const T middle = exp(z[0] * z[0] / (-2 * kValleyWidth * kValleyWidth));
                          x[0] = z[0];
                          T square = z[0] * z[0];
                          for (int i = 1; i < d; ++i) {
                            x[i] = exp((-depth * i / (d - 1)) * middle) * z[i];
                            square += x[i] * x[i];
                          }
                          x[d] = exp(square / -2.0);
                        },
                        {.name = "valley"});
}

// log s_i(x), and its derivative.
struct Scale {
  Scale(double x, Eigen::Index i, Eigen::Index d, double kappa) {
    const double share = static_cast<double>(i) / static_cast<double>(d - 1);
    logarithm = -std::log(kappa) * share * std::exp(-x * x / (2 * kValleyWidth * kValleyWidth));
    slope = -x / (kValleyWidth * kValleyWidth) * logarithm;
  }
  double logarithm;
  double slope;
};

}  // namespace

Matrix valley_to_base(const Matrix& points, double kappa) {
  Matrix out = points;
  for (Eigen::Index k = 0; k < points.cols(); ++k) {
    for (Eigen::Index i = 1; i < points.rows(); ++i) {
      out(i, k) *= std::exp(Scale(points(0, k), i, points.rows(), kappa).logarithm);
    }
  }
  return out;
}

Matrix valley_from_base(const Matrix& points, double kappa) { return valley_to_base(points, 1 / kappa); }

Matrix valley_push(const Matrix& points, const Matrix& velocities, double kappa) {
  Matrix out = velocities;
  for (Eigen::Index k = 0; k < points.cols(); ++k) {
    for (Eigen::Index i = 1; i < points.rows(); ++i) {
      const Scale scale(points(0, k), i, points.rows(), kappa);
      out(i, k) = std::exp(scale.logarithm) * (velocities(i, k) + scale.slope * velocities(0, k) * points(i, k));
    }
  }
  return out;
}

void register_curved_maps(GeneratorRegistry& registry) {
  const auto add = [&](const char* name, const char* description, std::vector<Parameter> parameters,
                       GeneratorRegistry::Factory factory) {
    registry.add_named(name, description, std::move(parameters), std::move(factory), DerivativeCheckAt::kBefore);
  };
  const Parameter dimension{"d", 2, "dimension, a whole number"};
  add("hill", "Gaussian hill over R^d (z, h exp(−|z|²/2w²))",
      {dimension, {"h", 1, "height"}, {"w", 1, "width, above 0"}}, hill);
  add("random-network", "random smooth network with moderate curvature",
      {dimension, {"seed", 1, "chooses the weights, a whole number"}}, random_network);
  add("valley", "hill in a chart that is ill-conditioned in its middle",
      {dimension, {"kappa", 1e3, "condition number in the middle, from 1"}}, valley);
}

}  // namespace pullback
