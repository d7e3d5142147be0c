#include "pullback/spaces/charts.h"

#include <gtest/gtest.h>

#include <Eigen/SVD>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "pullback/manifold/curves/measure.h"
#include "pullback/spaces/opener.h"

namespace pullback {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

Vector singular_values_of(const Matrix& matrix) { return matrix.jacobiSvd().singularValues(); }

TEST(Charts, HaveThePrescribedSingularValues) {
  for (const auto kind : {ChartKind::kRotated, ChartKind::kSqueezed}) {
    for (const int d : {2, 3, 8, 32}) {
      for (const double kappa : {1.0, 1e3, 1e6}) {
        const Vector s = singular_values_of(make_chart(kind, d, kappa, 7).matrix);
        for (int i = 0; i < d; ++i) {
          const double expected = std::pow(kappa, -static_cast<double>(i) / (d - 1));
          EXPECT_NEAR(s(i), expected, 100 * kEpsilon) << to_string(kind) << " " << d << " " << kappa;
        }
      }
    }
  }
}

TEST(Charts, AShearHasTheTwoExtremes) {
  constexpr double kKappa = 1e6;
  const Vector s = singular_values_of(make_chart(ChartKind::kSheared, 5, kKappa, 1).matrix);
  // Two sheared pairs and one coordinate left over.
  EXPECT_NEAR(s(0), 1, 1e-12);
  EXPECT_NEAR(s(2), 1, 1e-12);
  EXPECT_NEAR(s(3) * kKappa, 1, kKappa * 100 * kEpsilon);
  EXPECT_NEAR(s(4) * kKappa, 1, kKappa * 100 * kEpsilon);
}

TEST(Charts, KnowTheirInverse) {
  constexpr double kKappa = 1e4;
  for (const auto kind : {ChartKind::kRotated, ChartKind::kSqueezed, ChartKind::kSheared}) {
    const Chart chart = make_chart(kind, 8, kKappa, 3);
    const Matrix error = chart.matrix * chart.inverse - Matrix::Identity(8, 8);
    EXPECT_LE(error.cwiseAbs().maxCoeff(), 100 * kEpsilon * kKappa) << to_string(kind);
  }
}

TEST(Charts, TheSeedDecides) {
  EXPECT_EQ(make_chart(ChartKind::kRotated, 8, 10, 1).matrix, make_chart(ChartKind::kRotated, 8, 10, 1).matrix);
  EXPECT_NE(make_chart(ChartKind::kRotated, 8, 10, 1).matrix, make_chart(ChartKind::kRotated, 8, 10, 2).matrix);
}

TEST(Charts, AreOpenedByName) {
  Opener opener({});
  const OpenedSpace base = opener.open("hill:d=3");
  const OpenedSpace space = opener.open("hill:d=3@kappa=1e3,chart=rotated,seed=5");
  const Chart chart = make_chart(ChartKind::kRotated, 3, 1e3, 5);
  const Vector w = Vector::LinSpaced(3, -0.5, 0.7);
  const Matrix expected = base.manifold->generator()->jacobian(w) * chart.matrix;
  const Matrix found = space.manifold->generator()->jacobian(chart.inverse * w);
  EXPECT_LE((found - expected).cwiseAbs().maxCoeff(), 1e3 * 100 * kEpsilon);
  for (const char* bad : {"hill@kappa=0.5", "hill@kappa=1e3,chart=bent", "hill@kappa=10,sed=1", "hill@kappa=nan",
                          "half-plane@kappa=2", "sphere-stereographic:d=1@kappa=2"}) {
    EXPECT_THROW(opener.open(bad), std::invalid_argument) << bad;
  }
}

TEST(Valley, IsIllConditionedInItsMiddleOnly) {
  Opener opener({});
  constexpr double kKappa = 1e6;
  const OpenedSpace space = opener.open("valley:d=8,kappa=1e6");
  Workspace workspace;
  const Vector middle = singular_values(*space.manifold, Vector::Zero(8), workspace);
  for (int i = 0; i < 8; ++i) {
    EXPECT_NEAR(middle(i) * std::pow(kKappa, i / 7.0), 1, 1e-9) << i;
  }
  const Vector far = singular_values(*space.manifold, 2 * Vector::Unit(8, 0), workspace);
  EXPECT_LT(far(0) / far(7), 2);
}

}  // namespace
}  // namespace pullback
