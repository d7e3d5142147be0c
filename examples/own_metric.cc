// A metric given directly, by a formula and by numbers alone: the same geodesic, and what the certificate says of both.
#include <cmath>
#include <cstdio>
#include <memory>

#include "pullback/manifold/metrics/metric_functor.h"
#include "pullback/pullback.h"

using pullback::Matrix, pullback::Vector;

int main() {
  // The way of light through a lens of refractive index n(z) = 1 + exp(−|z|²).
  const auto lens = pullback::make_metric(2, "lens", [](const auto& z, auto& M) {
    const auto n = 1.0 + exp(-(z(0) * z(0) + z(1) * z(1)));
    M(0, 0) = n * n;
    M(1, 1) = n * n;
  });
  // The same of which only numbers are known, as from a table or from another program.
  const auto measured = std::make_shared<pullback::MetricManifold>(
      2, "lens by numbers", [](const pullback::ConstMatrixRef& Z, pullback::MatrixRef M, pullback::Workspace& /*ws*/) {
        for (Eigen::Index k = 0; k < Z.cols(); ++k) {
          const double n = 1 + std::exp(-Z.col(k).squaredNorm());
          M.middleCols(2 * k, 2) = n * n * Matrix::Identity(2, 2);
        }
      });

  const Vector a{{-2.0, 0.3}};
  const Vector b{{2.0, 0.5}};
  const pullback::GeodesicResult exact = pullback::open(lens).geodesic(a, b);
  const pullback::GeodesicResult differenced = pullback::open(measured).geodesic(a, b);
  for (const pullback::GeodesicResult* result : {&exact, &differenced}) {
    const pullback::Certificate& c = result->certificate;
    std::printf("%s, length %.9g ± %.1g, derivatives %s\n", to_string(result->termination), c.length, c.length_error,
                c.second_derivative == pullback::Derivative::kExact ? "exact" : "differenced");
  }
  const double apart = std::abs(exact.certificate.length - differenced.certificate.length);
  return exact.termination == pullback::Termination::kConverged &&
                 apart <= exact.certificate.length_error + differenced.certificate.length_error
             ? 0
             : 1;
}
