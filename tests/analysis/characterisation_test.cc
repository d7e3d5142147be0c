#include "pullback/analysis/characterisation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "pullback/analysis/studies/jacobian.h"
#include "pullback/base/random.h"
#include "pullback/generators/combine/compose.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "tests/spaces/exponential_space.h"

namespace pullback {
namespace {

using pullback::testing::normal_codes;
using pullback::testing::space_with_codes;
using ::testing::ElementsAre;

constexpr std::size_t kMedian = 3;

TEST(CharacterisationTest, SmoothnessIsThatOfTheUncollapsedPartPerDeviation) {
  const OpenedSpace space = space_with_codes(normal_codes(1));
  const Characterisation c = characterise(space);
  EXPECT_THAT(c.collapsed, ElementsAre(2));
  // ∇ log det M = (2, 0): per deviation 2 times that of the codes, at every point.
  const double deviation = (space.codes.row(0).array() - space.codes.row(0).mean()).matrix().norm() / std::sqrt(800.0);
  EXPECT_NEAR(c.deviations(0), deviation, 1e-12);
  for (const auto* figures : {&c.inside, &c.outside}) {
    EXPECT_NEAR(figures->variation.front(), 2 * deviation, 1e-9);
    EXPECT_NEAR(figures->variation.back(), 2 * deviation, 1e-9);
    EXPECT_NEAR(figures->variation_rms, 2 * deviation, 1e-9);
    EXPECT_GT(figures->survey.points, 500);
  }
  EXPECT_GT(c.inside.survey.kappa[kMedian], 1e4) << "with the collapsed coordinate";
  EXPECT_LT(c.inside.kept_kappa[kMedian], 4);
}

TEST(CharacterisationTest, PointsOutsideAreOutsideAndNear) {
  const OpenedSpace space = space_with_codes(normal_codes(1));
  const Characterisation c = characterise(space, {.points = 200});
  EXPECT_EQ(c.outside.survey.points, 200);
  // e^{z₁} at a point that is at most 3 deviations from a datum, which is at most 4 from the middle.
  EXPECT_LT(c.outside.survey.sigma_max.back(), std::exp(8.0));
  EXPECT_GT(c.outside.survey.sigma_max.back(), c.inside.survey.sigma_max.back());
}

TEST(CharacterisationTest, IsTheSameInEveryChart) {
  OpenedSpace space = space_with_codes(normal_codes(1));
  space.blur = Vector{{0.1, 0.2, 0.3}}.asDiagonal();
  const Characterisation base = characterise(space);
  OpenedSpace moved = space;
  const Matrix A{{20, 0, 0}, {0, 0.1, 0}, {0, 0, 3}};
  const Vector b{{1, -2, 5}};
  const Matrix inverse = A.diagonal().cwiseInverse().asDiagonal();
  moved.manifold = std::make_shared<PullbackManifold>(
      std::make_shared<AffineInput>(space.manifold->shared_generator(), inverse, -inverse * b, "moved"));
  moved.codes = (A * space.codes).colwise() + b;
  moved.blur = A * space.blur;
  const Characterisation again = characterise(moved);
  EXPECT_EQ(again.collapsed, base.collapsed);
  EXPECT_NEAR(again.radius, base.radius, 1e-10);
  for (const std::size_t level : {std::size_t{1}, kMedian, std::size_t{5}}) {
    EXPECT_NEAR(again.inside.variation[level], base.inside.variation[level], 1e-9);
    EXPECT_NEAR(again.outside.variation[level], base.outside.variation[level], 1e-9);
    EXPECT_NEAR(again.inside.scaled_kappa[level] / base.inside.scaled_kappa[level], 1, 1e-9);
    EXPECT_NEAR(again.outside.log10_magnification[level], base.outside.log10_magnification[level], 1e-9);
  }
}

TEST(StudyModels, GivesFiguresForEachUntilItIsStopped) {
  const std::vector<LabelledSpace> models(3, {"exp", space_with_codes(normal_codes(1)), true});
  JacobianSettings settings;
  settings.figures.points = 50;
  settings.grid = 4;
  int done = 0;
  const auto figures =
      study_models(models, settings, {},
                   {.should_stop = [&] { return done >= 2; }, .advanced = [&](const std::string&) { ++done; }});
  ASSERT_EQ(figures.size(), 3U);
  ASSERT_TRUE(figures[0] && figures[1]);
  EXPECT_FALSE(figures[2]);
  EXPECT_THAT(figures[0]->characterisation.collapsed, ElementsAre(2));
  EXPECT_EQ(figures[0]->map->log_condition.size(), 16U);
  EXPECT_EQ(figures[0]->shown_codes.rows(), 2);
  EXPECT_FALSE(figures[0]->geodesics);
}

}  // namespace
}  // namespace pullback
