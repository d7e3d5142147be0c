// A class of generators of one's own: its derivatives checked, opened by name, and a geodesic on it.
#include <cmath>
#include <cstdio>
#include <memory>

#include "pullback/generators/check_derivatives.h"
#include "pullback/generators/generator_registry.h"
#include "pullback/pullback.h"

using pullback::ConstMatrixRef, pullback::MatrixRef, pullback::Workspace;

// Elbow and hand of an arm with two joints: (a, b) ↦ (e, e + s (cos(a + b), sin(a + b))), e = (cos a, sin a).
class PlanarArm final : public pullback::Generator {
 public:
  explicit PlanarArm(double forearm) : Generator(2, 4, {.name = "planar-arm"}), s_(forearm) {}

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& /*ws*/) const override {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      const double a = Z(0, k), c = a + Z(1, k);
      X.col(k) << std::cos(a), std::sin(a), std::cos(a) + s_ * std::cos(c), std::sin(a) + s_ * std::sin(c);
    }
  }
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override {
    do_value(Z, X, ws);
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      const double sin_c = s_ * std::sin(Z(0, k) + Z(1, k)), cos_c = s_ * std::cos(Z(0, k) + Z(1, k));
      J.middleCols(2 * k, 2) << -X(1, k), 0, X(0, k), 0, -X(1, k) - sin_c, -sin_c, X(0, k) + cos_c, cos_c;
    }
  }
  void do_second_directional(const ConstMatrixRef& Z, const ConstMatrixRef& V, MatrixRef D,
                             Workspace& /*ws*/) const override {
    for (Eigen::Index k = 0; k < Z.cols(); ++k) {
      const double a = Z(0, k), c = a + Z(1, k), u = V(0, k) * V(0, k), w = std::pow(V(0, k) + V(1, k), 2) * s_;
      D.col(k) << -u * std::cos(a), -u * std::sin(a), -u * std::cos(a) - w * std::cos(c),
          -u * std::sin(a) - w * std::sin(c);
    }
  }

  double s_;
};

int main() {
  pullback::GeneratorRegistry generators;
  generators.add_named(
      "planar-arm", "elbow and hand of an arm with two joints", {{"forearm", 1, "its length, that of the upper arm 1"}},
      [](const pullback::ParameterValues& values) { return std::make_shared<PlanarArm>(values.at("forearm")); });
  const auto arm = generators.open("planar-arm:forearm=0.8").generator;

  const pullback::DerivativeReport report = pullback::check_derivatives(*arm, pullback::Matrix::Random(2, 20));
  std::printf("%s\n", report.summary().c_str());

  const pullback::Space space = pullback::open(arm);
  const pullback::Distance way = space.distance(pullback::Vector{{0.1, 0.4}}, pullback::Vector{{1.5, 2.0}});
  std::printf("the arm moves by %.9g ± %.1g (%s)\n", way.value, way.error, to_string(way.termination));
  return report.verdict() == pullback::DerivativeVerdict::kAgrees &&
                 way.termination == pullback::Termination::kConverged
             ? 0
             : 1;
}
