#include "pullback/plugins/discrete/discrete.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "pullback/manifold/numerics/discrete_calculus.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

using testing::kSphereLength;
using testing::problem;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using testing::vec;

// The right values, and derivatives that are wrong by a factor that differs from axis to axis.
class WrongJacobian final : public Generator {
 public:
  explicit WrongJacobian(std::shared_ptr<const Generator> f)
      : Generator(f->latent_dimension(), f->ambient_dimension(), f->traits()), f_(std::move(f)) {}

 private:
  void do_value(const ConstMatrixRef& Z, MatrixRef X, Workspace& ws) const override { f_->value(Z, X, ws); }
  void do_value_and_jacobian(const ConstMatrixRef& Z, MatrixRef X, MatrixRef J, Workspace& ws) const override {
    f_->value_and_jacobian(Z, X, J, ws);
    for (Eigen::Index k = 0; k < J.cols(); ++k) J.col(k) *= k % latent_dimension() == 0 ? 1.5 : 0.5;
  }

  std::shared_ptr<const Generator> f_;
};

TEST(Discrete, DoesNotTrustTheJacobian) {
  GeodesicProblem wrong = sphere_problem();
  wrong.manifold = std::make_shared<PullbackManifold>(
      std::make_shared<WrongJacobian>(sphere_problem().manifold->shared_generator()));
  const GeodesicResult discrete = solve("discrete", wrong);
  // The curve is right, and the certificate says that the Jacobian is not.
  EXPECT_NEAR(discrete.certificate.length, kSphereLength, 1e-10 * kSphereLength) << discrete.message;
  EXPECT_EQ(discrete.termination, Termination::kDegenerate) << discrete.message;
}

// The extrapolated minimisers are of fourth order, their length of eighth.
TEST(Discrete, ExtrapolationRaisesTheOrder) {
  const GeodesicProblem sphere =
      problem(surface("sphere-stereographic:d=5"), -Vector::LinSpaced(5, 0, 1), Vector::Constant(5, 0.5));
  const auto excess = [&](int chords) {
    return solve(
               "discrete:tolerance=1e-300,nodes=" + std::to_string(chords / 2) + ",max_nodes=" + std::to_string(chords),
               sphere)
        .certificate.relative_excess;
  };
  EXPECT_GE(std::log2(excess(16) / excess(32)), 6);
}

TEST(Discrete, CountsTheValuesThatDifferencesTake) {
  const EvaluationCounts counts = solve("discrete", sphere_problem()).effort.evaluations;
  EXPECT_GE(counts.values, 4 * 2 * (counts.jacobians - 1));
}

TEST(Discrete, ExampleOfTheReadme) {
  const GeodesicProblem sphere = sphere_problem();
  const Manifold& manifold = *sphere.manifold;
  const Vector& from = sphere.from;
  const Vector& to = sphere.to;
  Workspace ws;
  const Matrix line = Curve::straight(from, to).position(uniform_times(33));
  const Matrix nodes = discrete_geodesic(manifold, line, {}, ws).nodes;
  const Vector log = discrete_logarithm(nodes);
  const Matrix exp = discrete_exponential(manifold, nodes.col(0), nodes.col(1), 32, ws);
  const Vector carried = discrete_transport(manifold, nodes, log, ws);
  EXPECT_LE((exp.rightCols(1) - to).norm(), 1e-4);
  // A geodesic's velocity is parallel along it; first order in 32 chords.
  EXPECT_NEAR(manifold.norm(to, carried), kSphereLength, 3.0 / 32 * kSphereLength);
}

}  // namespace
}  // namespace pullback
