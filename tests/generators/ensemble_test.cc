#include "pullback/generators/combine/ensemble.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

#include "pullback/generators/surfaces/surfaces.h"

namespace pullback {
namespace {

constexpr double kRounding = 64 * std::numeric_limits<double>::epsilon();

std::vector<std::shared_ptr<const Generator>> members() {
  GeneratorRegistry registry;
  register_surfaces(registry);
  return {registry.open("torus").generator, registry.open("paraboloid").generator, registry.open("linear").generator};
}

TEST(EnsembleTest, MetricIsTheMeanOfTheMembersMetrics) {
  const Ensemble ensemble(members());
  const Vector z{{0.4, -0.3}};
  Matrix mean = Matrix::Zero(2, 2);
  for (const auto& member : members()) {
    const Matrix J = member->jacobian(z);
    mean += J.transpose() * J / 3;
  }
  const Matrix J = ensemble.jacobian(z);
  EXPECT_LE((J.transpose() * J - mean).norm(), kRounding * mean.norm());
  EXPECT_TRUE(ensemble.traits().stochastic);
  EXPECT_EQ(ensemble.traits().name, "ensemble of 3 torus");
}

TEST(EnsembleTest, MembersThatAgreeAreOne) {
  const auto torus = members()[0];
  const Vector z{{0.4, -0.3}};
  const Matrix one = torus->jacobian(z);
  const Matrix both = Ensemble({torus, torus}).jacobian(z);
  EXPECT_LE((both.transpose() * both - one.transpose() * one).norm(), kRounding * one.squaredNorm());
}

TEST(EnsembleTest, RefusesOneMember) { EXPECT_THROW(Ensemble({members()[0]}), std::invalid_argument); }

}  // namespace
}  // namespace pullback
