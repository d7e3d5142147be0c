#include "cases.h"

#include <cmath>
#include <utility>

#include "pullback/generators/combine/stack.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/generators/uncertain/gaussian_process.h"
#include "pullback/generators/uncertain/radial_network.h"
#include "pullback/manifold/metrics/gaussian_process_manifold.h"
#include "pullback/manifold/metrics/named_metrics.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback::testing {
namespace {

Vector point(double a, double b) { return Vector{{a, b}}; }
Vector polar(double r, double angle) { return point(r * std::cos(angle), r * std::sin(angle)); }

// The sphere's three problems in a chart θ = π/2 + εa.
void add_scaled_spheres(std::vector<Case>& cases) {
  for (int k = 0; k <= 8; ++k) {
    const double epsilon = std::pow(10.0, -k);
    const auto chart = [&](double theta, double phi) { return point((theta - M_PI / 2) / epsilon, phi); };
    const std::string number = std::to_string(k);
    cases.push_back({"SphereScaled" + number, "sphere-scaled:epsilon=1e-" + number, chart(M_PI / 3, 0),
                     chart(2 * M_PI / 3, 2), 2.167731273475, CaseKind::kSmooth});
  }
}

void add_sheared_spheres(std::vector<Case>& cases) {
  int i = 0;
  for (const auto& [shear, text] : {std::pair(1.0, "1"), std::pair(1e3, "1000"), std::pair(1e6, "1e+06")}) {
    const double s = shear;
    const auto chart = [&](double theta, double phi) { return point(theta - s * phi, phi); };
    cases.push_back({"ShearedSphere" + std::to_string(i++), std::string("sheared-sphere:s=") + text, chart(M_PI / 3, 0),
                     chart(2 * M_PI / 3, 2), 2.167731273475, CaseKind::kSmooth});
  }
}

// A = U diag(1, 10⁻ᵏ) Vᵀ, Δz = V (1,2).
void add_linear(std::vector<Case>& cases) {
  const double angle = 0.5;
  const Vector delta = point(std::cos(angle) - 2 * std::sin(angle), std::sin(angle) + 2 * std::cos(angle));
  for (int k = 0; k <= 8; ++k) {
    const std::string number = std::to_string(k);
    cases.push_back({"Linear" + number, "linear:k=" + number + ",v=0.5", point(0.3, -0.2), point(0.3, -0.2) + delta,
                     std::sqrt(1 + 4 * std::pow(10.0, -2 * k)), CaseKind::kSmooth});
  }
}

void add_stereographic(std::vector<Case>& cases) {
  cases.push_back({"Stereographic", "sphere-stereographic:d=2", point(0.1, 0.1), point(0.3, 0.7), 1.043036880983,
                   CaseKind::kSmooth});
  for (const int d : {2, 5, 20}) {
    const Vector from = -Vector::LinSpaced(d, 0, 1);
    const Vector to = Vector::Constant(d, 0.5);
    const double length =
        2 * std::asin((from - to).norm() / std::sqrt((1 + from.squaredNorm()) * (1 + to.squaredNorm())));
    cases.push_back({"Stereographic" + std::to_string(d) + "d", "sphere-stereographic:d=" + std::to_string(d), from, to,
                     length, CaseKind::kSmooth});
  }
}

// Where claims of convergence were false: a chord jumped over a period or a pole, a difference was taken with a step
// too long, a number under- or overflowed.
void add_treacherous(std::vector<Case>& cases) {
  using enum CaseKind;
  const double many = 2048 * M_PI;  // periods, at which nodes at equal distances fall onto each other
  cases.push_back({"SphereBeyondPi", "sphere", point(1.9, 0), point(1.2, 3.15), 0, kNoGeodesic});
  cases.push_back({"PolarPlaneBeyondPi", "polar-plane", point(1, 0), point(1, 3.15), 0, kNoGeodesic});
  cases.push_back({"SphereNextToPole", "sphere", point(1e-7, 0), point(1e-5, 2.89), 1.0096882406389e-5, kHard});
  cases.push_back({"CliffordTorusManyPeriods", "clifford-torus", point(0, 0), point(many, 1),
                   std::sqrt((many * many + 1) / 2), kHard});
  cases.push_back(
      {"HalfPlaneNearBoundary", "half-plane", point(0, 3e-5), point(3e-5, 3e-5), 0.962423650119207, kSmooth});
  cases.push_back({"HalfPlaneShifted", "half-plane", point(3333, 1), point(3334, 1), 0.962423650119207, kSmooth});
  cases.push_back({"HalfPlaneAcrossScales", "half-plane", point(0, 1), point(0, 1e-6), 13.8155105579643, kHard});
  cases.push_back(
      {"StereographicFar", "sphere-stereographic:d=1", Vector{{0.0}}, Vector{{1e9}}, 3.1415926515897932, kHard});
  cases.push_back({"SteepFold", "relu-fold:s=1000", point(-1, 0), point(1, 2),
                   std::sqrt(std::pow(1 + std::sqrt(1 + 1e6), 2) + 4), kKink});
  cases.push_back({"TinyPlane", "plane", point(0, 0), point(1e-200, 0), 1e-200, kHard});
}

std::shared_ptr<const Manifold> polar_plane() {
  return std::make_shared<PullbackManifold>(make_generator(
      2, 2, []<class T>(const Eigen::VectorX<T>& z) { return Eigen::Vector2<T>(z(0) * cos(z(1)), z(0) * sin(z(1))); },
      GeneratorTraits{.name = "polar-plane"}));
}

}  // namespace

std::vector<Case> known_cases() {
  using enum CaseKind;
  std::vector<Case> cases{
      {"Sphere", "sphere", point(M_PI / 3, 0), point(2 * M_PI / 3, 2), 2.167731273475, kSmooth},
      {"SphereNearPole", "sphere", point(0.01, 0), point(0.01, 3), 0.01994989806828, kHard},
      {"SphereCutLocus", "sphere", point(M_PI / 2, 0), point(M_PI / 2, M_PI), M_PI, kHard},
      {"Paraboloid", "paraboloid", polar(1, 0), polar(1, 2.0), 1.929194426596, kSmooth},
      {"ParaboloidSaddle", "paraboloid", point(1, 0), point(-1, 0), 2.829043600, kSaddle},
      {"TorusSaddle", "torus:R=3,r=1", point(0, 0), point(0, 1.8), 7.072436648904, kSaddle},
      {"Catenoid", "catenoid", point(-1, 0), point(1, 1.5), 2.924383491321, kSmooth},
      {"Helicoid", "helicoid", point(-1, 0), point(1, 1.5), 2.924383491321, kSmooth},
      {"Pseudosphere", "pseudosphere", point(1, 0), point(2, 3), 1.425046814894, kSmooth},
      {"HalfPlane", "half-plane", point(0, 1), point(3, 2), 1.924847300238, kSmooth},
      {"HalfSpace", "half-space:n=3", Vector{{0.0, 0.0, 1.0}}, Vector{{1.0, 2.0, 2.0}},
       2 * std::asinh(std::sqrt(6.0 / 8)), kSmooth},
      // √2 times the half-plane's distance of (μ/√2, σ).
      {"FisherNormal", "fisher-normal", point(0, 1), point(1, 0.5),
       2 * std::sqrt(2.0) * std::asinh(std::sqrt(0.75 / 2)), kSmooth},
      {"CliffordTorus", "clifford-torus", point(0, 0), point(2, 1), 1.581138830084, kSmooth},
      {"SwissRoll", "swiss-roll", point(1.5 * M_PI, 0), point(4.5 * M_PI, 10), 89.93098594184, kSmooth},
      {"RbfVariance", "rbf-variance", polar(1, 0), polar(1.2, 1.5), 1.825160348273, kSmooth},
      {"RbfVarianceSaddle", "rbf-variance", point(2, 0), point(-2, 0), 6.272271880626, kSaddle},
      {"RadialNetwork", "radial-network", polar(1, 0), polar(1.2, 1.5), 1.825160348273, kSmooth},
      {"RadialNetworkSaddle", "radial-network", point(2, 0), point(-2, 0), 6.272271880626, kSaddle},
      // Shot by a classical Runge-Kutta method from the closed form of the Christoffel symbols.
      {"GaussianProcess", "gaussian-process", point(-0.3, 0.2), point(1.6, 1.1), 2.73958444224, kSmooth},
      {"Cusp", "cusp", point(-1, 0), point(1, 1), 3.048123697938, kHard},
      {"CollapsedDisc", "collapsed-disc", point(-2, 0), point(0, 2), std::sqrt(2.0), kDegenerate},
      {"ReluFold", "relu-fold", point(-1, 0), point(1, 2), 4.617851807966, kKink},
      {"Pyramid", "pyramid", point(-1, 0), point(1, 0), std::sqrt(6.0), kKink},
      {"Step", "step:h=1", point(-1, 0), point(1, 0.5), 0, kJump},
  };
  add_scaled_spheres(cases);
  add_sheared_spheres(cases);
  add_linear(cases);
  add_stereographic(cases);
  add_treacherous(cases);
  return cases;
}

std::shared_ptr<const Generator> one_centre_deviation() {
  // The surface rbf-variance as a network: β = exp(−|z|²) + 0.01 in four outputs below the mean z.
  GeneratorRegistry registry;
  register_surfaces(registry);
  const auto mean = registry.open("linear:k=0,u=0,v=0").generator;
  const auto deviation =
      std::make_shared<RadialNetwork>(RadialBasis{Vector::Zero(2), Vector::Ones(2)}, Matrix::Ones(4, 1),
                                      Vector::Constant(4, 0.01), RadialOutput::kInverseRoot);
  return std::make_shared<Stacked>(std::vector<std::shared_ptr<const Generator>>{mean, deviation}, true);
}

std::shared_ptr<const GaussianProcess> known_process() {
  return std::make_shared<GaussianProcess>(GaussianProcessData{.inputs = Matrix{{0, 1, 0, 1}, {0, 0, 1, 1}},
                                                               .outputs = Matrix{{0, 1, -0.5, 0.8}, {0, 0.5, 1, 1.2}},
                                                               .lengths = Vector::Ones(2),
                                                               .noise_variance = 0.01});
}

std::shared_ptr<const Manifold> case_manifold(const Case& c) {
  if (auto metric = open_named_metric(c.manifold)) return metric;
  if (c.manifold == "polar-plane") return polar_plane();
  if (c.manifold == "radial-network") return std::make_shared<PullbackManifold>(one_centre_deviation());
  if (c.manifold == "gaussian-process") return std::make_shared<GaussianProcessManifold>(known_process());
  GeneratorRegistry registry;
  register_surfaces(registry);
  return std::make_shared<PullbackManifold>(registry.open(c.manifold).generator);
}

}  // namespace pullback::testing
