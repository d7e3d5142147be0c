#include "pullback/generators/surfaces/surfaces.h"

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <cmath>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <utility>
#include <vector>

#include "pullback/generators/combine/compose.h"
#include "pullback/generators/combine/stack.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/surfaces/stereographic.h"

namespace pullback {
namespace {

using GeneratorPointer = std::shared_ptr<const Generator>;

// The bandwidth-one RBF network of the rbf-variance surface keeps this much precision far from its centre.
constexpr double kPrecisionFloor = 0.01;

// The value of a parameter, which must be above `lower`.
double above(const ParameterValues& values, const char* name, double lower) {
  const double value = values.find(name)->second;
  if (value > lower) return value;
  throw std::invalid_argument(fmt::format("parameter {} must be above {}, got {}", name, lower, value));
}

int dimension(const ParameterValues& values, const char* name) {
  constexpr int kMost = 10000;  // beyond it a Jacobian no longer fits into memory
  const double value = values.find(name)->second;
  if (value >= 1 && value <= kMost && value == std::floor(value)) return static_cast<int>(value);
  throw std::invalid_argument(
      fmt::format("parameter {} must be a whole number from 1 to {}, got {}", name, kMost, value));
}

GeneratorPointer sphere() {
  return make_generator(2, 3,
                        []<class T>(const T* z, T* x) {
                          const T radius = sin(z[0]);
                          x[0] = radius * cos(z[1]);
                          x[1] = radius * sin(z[1]);
                          x[2] = cos(z[0]);
                        },
                        {.name = "sphere"});
}

GeneratorPointer sphere_scaled(const ParameterValues& values) {
  const Eigen::Vector2d scale(above(values, "epsilon", 0), 1);
  return std::make_shared<AffineInput>(sphere(), Matrix(scale.asDiagonal()), Eigen::Vector2d(std::numbers::pi / 2, 0),
                                       "sphere-scaled");
}

GeneratorPointer sheared_sphere(const ParameterValues& values) {
  Matrix shear = Matrix::Identity(2, 2);
  shear(0, 1) = values.find("s")->second;
  return std::make_shared<AffineInput>(sphere(), shear, Vector::Zero(2), "sheared-sphere");
}

GeneratorPointer sphere_stereographic(const ParameterValues& values) {
  return std::make_shared<StereographicSphere>(dimension(values, "d"));
}

// A graph (x, y, height(x, y)).
template <class Height>
GeneratorPointer graph(const char* name, bool smooth, Height height) {
  return make_generator(2, 3,
                        [height]<class T>(const T* z, T* x) {
                          x[0] = z[0];
                          x[1] = z[1];
                          x[2] = height(z[0], z[1]);
                        },
                        {.name = name, .smooth = smooth});
}

GeneratorPointer plane(const ParameterValues& /*values*/) {
  return graph("plane", true, []<class T>(const T& /*x*/, const T& /*y*/) { return T(0); });
}

GeneratorPointer paraboloid(const ParameterValues& /*values*/) {
  return graph("paraboloid", true, [](const auto& x, const auto& y) { return x * x + y * y; });
}

GeneratorPointer bump(const ParameterValues& values) {
  const double h = values.find("h")->second;
  const double w = above(values, "w", 0);
  return graph("bump", true, [h, w](const auto& x, const auto& y) { return h * exp((x * x + y * y) / (-2 * w * w)); });
}

GeneratorPointer relu_fold(const ParameterValues& values) {
  const double s = values.find("s")->second;
  return graph("relu-fold", false, [s](const auto& x, const auto& /*y*/) { return s * max(x, 0); });
}

GeneratorPointer pyramid(const ParameterValues& /*values*/) {
  return graph("pyramid", false, [](const auto& x, const auto& y) { return max(0, 1 - abs(x) - abs(y)); });
}

GeneratorPointer step(const ParameterValues& values) {
  const double h = values.find("h")->second;
  return graph("step", false, [h]<class T>(const T& x, const T& /*y*/) { return x > 0 ? T(h) : T(0); });
}

GeneratorPointer torus(const ParameterValues& values) {
  const double r = above(values, "r", 0);
  const double R = above(values, "R", r);
  return make_generator(2, 3,
                        [R, r]<class T>(const T* z, T* x) {
                          const T radius = R + r * cos(z[0]);
                          x[0] = radius * cos(z[1]);
                          x[1] = radius * sin(z[1]);
                          x[2] = r * sin(z[0]);
                        },
                        {.name = "torus"});
}

GeneratorPointer catenoid(const ParameterValues& /*values*/) {
  return make_generator(2, 3,
                        []<class T>(const T* z, T* x) {
                          const T radius = cosh(z[0]);
                          x[0] = radius * cos(z[1]);
                          x[1] = radius * sin(z[1]);
                          x[2] = z[0];
                        },
                        {.name = "catenoid"});
}

GeneratorPointer helicoid(const ParameterValues& /*values*/) {
  return make_generator(2, 3,
                        []<class T>(const T* z, T* x) {
                          const T radius = sinh(z[0]);
                          x[0] = radius * cos(z[1]);
                          x[1] = radius * sin(z[1]);
                          x[2] = z[1];
                        },
                        {.name = "helicoid"});
}

GeneratorPointer pseudosphere(const ParameterValues& /*values*/) {
  return make_generator(2, 3,
                        []<class T>(const T* z, T* x) {
                          const T radius = 1 / cosh(z[0]);
                          x[0] = radius * cos(z[1]);
                          x[1] = radius * sin(z[1]);
                          x[2] = z[0] - tanh(z[0]);
                        },
                        {.name = "pseudosphere"});
}

GeneratorPointer clifford_torus(const ParameterValues& /*values*/) {
  return make_generator(2, 4,
                        []<class T>(const T* z, T* x) {
                          const double radius = std::numbers::sqrt2 / 2;
                          x[0] = radius * cos(z[0]);
                          x[1] = radius * sin(z[0]);
                          x[2] = radius * cos(z[1]);
                          x[3] = radius * sin(z[1]);
                        },
                        {.name = "clifford-torus"});
}

GeneratorPointer swiss_roll(const ParameterValues& /*values*/) {
  return make_generator(2, 3,
                        []<class T>(const T* z, T* x) {
                          x[0] = z[0] * cos(z[0]);
                          x[1] = z[1];
                          x[2] = z[0] * sin(z[0]);
                        },
                        {.name = "swiss-roll"});
}

GeneratorPointer rbf_variance(const ParameterValues& /*values*/) {
  auto mean = make_generator(2, 2,
                             []<class T>(const T* z, T* x) {
                               x[0] = z[0];
                               x[1] = z[1];
                             },
                             {.name = "mean"});
  auto deviation = make_generator(2, 4,
                                  []<class T>(const T* z, T* x) {
                                    const T precision = exp(-(z[0] * z[0] + z[1] * z[1])) + kPrecisionFloor;
                                    x[0] = x[1] = x[2] = x[3] = 1 / sqrt(precision);
                                  },
                                  {.name = "deviation"});
  return std::make_shared<Stacked>(std::vector<GeneratorPointer>{mean, deviation}, true, "rbf-variance");
}

GeneratorPointer linear(const ParameterValues& values) {
  const auto rotation = [&](const char* angle) {
    return Eigen::Rotation2Dd(values.find(angle)->second).toRotationMatrix();
  };
  const Eigen::Vector2d singular_values(1, std::pow(10, -values.find("k")->second));
  const Eigen::Matrix2d A = rotation("u") * singular_values.asDiagonal() * rotation("v").transpose();
  return make_generator(2, 2,
                        [A]<class T>(const T* z, T* x) {
                          x[0] = A(0, 0) * z[0] + A(0, 1) * z[1];
                          x[1] = A(1, 0) * z[0] + A(1, 1) * z[1];
                        },
                        {.name = "linear"});
}

GeneratorPointer cusp(const ParameterValues& /*values*/) {
  return make_generator(2, 3,
                        []<class T>(const T* z, T* x) {
                          x[0] = z[0] * z[0];
                          x[1] = z[0] * z[0] * z[0];
                          x[2] = z[1];
                        },
                        {.name = "cusp"});
}

GeneratorPointer collapsed_disc(const ParameterValues& /*values*/) {
  return make_generator(2, 2,
                        []<class T>(const T* z, T* x) {
                          const T radius = hypot(z[0], z[1]);
                          if (radius <= 1) {  // 0/0 at the centre otherwise
                            x[0] = x[1] = 0;
                            return;
                          }
                          const T scale = 1 - 1 / radius;
                          x[0] = scale * z[0];
                          x[1] = scale * z[1];
                        },
                        {.name = "collapsed-disc", .smooth = false});
}

}  // namespace

void register_surfaces(GeneratorRegistry& registry) {
  const auto add = [&](const char* name, const char* description, std::vector<Parameter> parameters,
                       GeneratorRegistry::Factory factory) {
    registry.add_named(name, description, std::move(parameters), std::move(factory), DerivativeCheckAt::kBefore);
  };
  add("sphere", "unit sphere, polar chart (θ, φ)", {}, [](const ParameterValues&) { return sphere(); });
  add("sphere-scaled", "unit sphere, chart (a, φ) with θ = π/2 + εa",
      {{"epsilon", 1e-4, "scale ε of the first coordinate, above 0"}}, sphere_scaled);
  add("sheared-sphere", "unit sphere, polar chart sheared: (θ, φ) = (z1 + s z2, z2)", {{"s", 1e3, "shear"}},
      sheared_sphere);
  add("sphere-stereographic", "unit sphere, stereographic chart", {{"d", 2, "dimension, a whole number"}},
      sphere_stereographic);
  add("plane", "flat plane (x, y, 0)", {}, plane);
  add("paraboloid", "paraboloid (x, y, x² + y²)", {}, paraboloid);
  add("bump", "Gaussian bump (x, y, h exp(−(x² + y²)/2w²))", {{"h", 1, "height"}, {"w", 1, "width, above 0"}}, bump);
  add("torus", "torus, chart (angle of the tube t, angle round the axis p)",
      {{"R", 3, "radius of the centre circle, above r"}, {"r", 1, "radius of the tube, above 0"}}, torus);
  add("catenoid", "catenoid (cosh u cos v, cosh u sin v, u)", {}, catenoid);
  add("helicoid", "helicoid (sinh u cos v, sinh u sin v, v), isometric to the catenoid", {}, helicoid);
  add("pseudosphere", "pseudosphere, curvature −1, of rank 1 at u = 0", {}, pseudosphere);
  add("clifford-torus", "Clifford torus in R⁴, flat", {}, clifford_torus);
  add("swiss-roll", "Swiss roll (t cos t, h, t sin t), flat", {}, swiss_roll);
  add("rbf-variance", "stochastic generator: mean z, standard deviation growing away from the origin", {},
      rbf_variance);
  add("linear", "linear map U diag(1, 10^−k) Vᵀ of the plane",
      {{"k", 2, "logarithm of the condition number"},
       {"u", 0.5, "angle of U in radians"},
       {"v", 0.3, "angle of V in radians"}},
      linear);
  add("cusp", "cuspidal edge (t², t³, v), of rank 1 at t = 0", {}, cusp);
  add("collapsed-disc", "plane with the unit disc collapsed to a point; not smooth", {}, collapsed_disc);
  add("relu-fold", "plane folded along x = 0; not smooth", {{"s", 3, "slope of the right half"}}, relu_fold);
  add("pyramid", "square pyramid on a plane; not smooth", {}, pyramid);
  add("step", "plane with a jump at x = 0; not continuous", {{"h", 1, "height of the jump"}}, step);
}

}  // namespace pullback
