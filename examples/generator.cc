// A generator of one's own: a surface written as a formula, its derivatives checked, its metric at a point.
#include <cstdio>

#include "pullback/generators/check_derivatives.h"
#include "pullback/generators/formula/autodiff.h"

int main() {
  const auto saddle = pullback::make_generator(
      2, 3, []<class T>(const Eigen::VectorX<T>& z) { return Eigen::Vector3<T>(z(0), z(1), z(0) * z(0) - sin(z(1))); });
  const Eigen::Vector2d z(0.5, 0.2);
  const auto report = pullback::check_derivatives(*saddle, z);
  const pullback::Matrix J = saddle->jacobian(z);
  const pullback::Matrix M = J.transpose() * J;
  std::printf("%s\nM(0.5, 0.2) = [%.6f, %.6f; %.6f, %.6f]\n", report.summary().c_str(), M(0, 0), M(0, 1), M(1, 0),
              M(1, 1));
  return report.verdict() == pullback::DerivativeVerdict::kAgrees ? 0 : 1;
}
