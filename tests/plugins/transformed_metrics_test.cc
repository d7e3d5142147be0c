// Solvers of every kind find the same geodesics of metrics made from another one.
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>

#include "pullback/manifold/metrics/metric_transforms.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

using testing::problem;
using testing::registries;
using testing::surface;
using testing::vec;

// What the weakest of these solvers promises of a length, `energy`; two may err to both sides.
constexpr double kPromise = 2e-6;

struct Transformed {
  std::string name;
  std::shared_ptr<const Manifold> (*make)(const std::shared_ptr<const Manifold>& manifold);
  double length;  // where it is known; 0: the solvers must agree
};

void PrintTo(const Transformed& d, std::ostream* out) { *out << d.name; }

class TransformedTorus : public ::testing::TestWithParam<Transformed> {};

// The torus R = 3, r = 1 has singular values 1 and 3 + cos t.
TEST_P(TransformedTorus, HasOneGeodesicForAllSolvers) {
  const auto manifold = GetParam().make(surface("torus:R=3,r=1"));
  double first = GetParam().length;
  for (const char* chain : {"newton", "energy", "shooting", "georce", "collocation"}) {
    const GeodesicResult result =
        registries().solvers.make(chain)->solve(problem(manifold, vec({0.3, -0.4}), vec({-0.5, 0.6})));
    EXPECT_EQ(result.termination, Termination::kConverged) << chain << ": " << result.message;
    if (first == 0) first = result.certificate.length;
    EXPECT_NEAR(result.certificate.length, first, kPromise * first) << chain;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Transforms, TransformedTorus,
    ::testing::Values(
        Transformed{"damp", [](const auto& m) { return damped(m, 0.5); }, 0},
        Transformed{"smooth", [](const auto& m) { return smoothed(m, 0.3 * Matrix::Identity(2, 2)); }, 0},
        // Singular values up to 4 lie below half of the floor: flat, ten times √(0.8² + 1).
        Transformed{"floor_above", [](const auto& m) { return floored(m, 10); }, 10 * std::sqrt(0.64 + 1)},
        Transformed{"floor_within", [](const auto& m) { return floored(m, 3); }, 0},
        Transformed{"floor_damp_smooth",
                    [](const auto& m) { return smoothed(damped(floored(m, 3), 0.5), 0.1 * Matrix::Identity(2, 2)); },
                    0},
        Transformed{"smooth_damp_floor",
                    [](const auto& m) { return floored(damped(smoothed(m, 0.1 * Matrix::Identity(2, 2)), 0.5), 3); },
                    0}),
    [](const auto& info) { return info.param.name; });

TEST(TransformedTorus, KeepsItsLengthsInTheIsometrisingChart) {
  const auto plain = surface("torus:R=3,r=1");
  Matrix points(2, 3);
  points << 0.3, -0.5, 0.1, -0.4, 0.6, 0.2;
  Workspace ws;
  const Matrix A = isometrising_chart(*plain, points, ws);
  const Vector from = vec({0.3, -0.4});
  const Vector to = vec({-0.5, 0.6});
  for (const char* chain : {"newton", "energy", "shooting"}) {
    const auto solver = registries().solvers.make(chain);
    const GeodesicResult there = solver->solve(problem(plain, from, to));
    const GeodesicResult here = solver->solve(problem(in_linear_chart(plain, A), A.inverse() * from, A.inverse() * to));
    EXPECT_EQ(here.termination, Termination::kConverged) << chain;
    EXPECT_NEAR(here.certificate.length, there.certificate.length, kPromise * there.certificate.length) << chain;
  }
}

}  // namespace
}  // namespace pullback
