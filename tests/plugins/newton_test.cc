#include "pullback/plugins/newton/newton.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "pullback/generators/combine/compose.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/generators/surfaces/curved_maps.h"
#include "pullback/plugins/newton/hessian_models.h"
#include "pullback/plugins/newton/moving_curve.h"
#include "tests/plugins/problems.h"

namespace pullback {
namespace {

using testing::kSphereLength;
using testing::problem;
using testing::solve;
using testing::sphere_problem;
using testing::surface;
using testing::vec;

// What the solver promises of a length on smooth problems.
constexpr double kPromise = 1e-8;

std::int64_t evaluations(const GeodesicResult& result) {
  const EvaluationCounts& counts = result.effort.evaluations;
  return counts.values + counts.jacobians + counts.second_derivatives + counts.products + counts.metrics;
}

Matrix random_matrix(int rows, int columns, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Matrix out(rows, columns);
  for (double& x : out.reshaped()) x = normal(random);
  return out;
}

// z ↦ (z, gain · tanh(W tanh(Vz + b))): a map that bends the more the larger its gain is.
std::shared_ptr<const Manifold> bent_network(double gain, unsigned seed) {
  const Matrix V = 1.5 * random_matrix(8, 2, seed);
  const Vector b = random_matrix(8, 1, seed + 100).col(0);
  const Matrix W = random_matrix(4, 8, seed + 200) / std::sqrt(8.0);
  return std::make_shared<PullbackManifold>(
      make_generator(2, 6, [=]<class T>(const Eigen::VectorX<T>& z) -> Eigen::VectorX<T> {
        Eigen::VectorX<T> hidden = V * z;
        for (int i = 0; i < 8; ++i) hidden(i) = tanh(hidden(i) + b(i));
        const Eigen::VectorX<T> features = W * hidden;
        Eigen::VectorX<T> x(6);
        for (int i = 0; i < 2; ++i) x(i) = z(i);
        for (int i = 0; i < 4; ++i) x(2 + i) = gain * tanh(features(i));
        return x;
      }));
}

// The problem in a chart in which one axis, rotated, is squeezed to 1/κ.
GeodesicProblem squeezed(const GeodesicProblem& in, double kappa) {
  const int n = in.manifold->dimension();
  const Matrix U = random_matrix(n, n, 5).householderQr().householderQ();
  const Matrix V = random_matrix(n, n, 6).householderQr().householderQ();
  Vector scales(n);
  for (int i = 0; i < n; ++i) scales(i) = std::pow(kappa, -i / (n - 1.0));
  const Matrix A = U * scales.asDiagonal() * V.transpose();
  const Matrix inverse = V * scales.cwiseInverse().asDiagonal() * U.transpose();
  return problem(std::make_shared<PullbackManifold>(
                     std::make_shared<AffineInput>(in.manifold->shared_generator(), A, Vector::Zero(n))),
                 inverse * in.from, inverse * in.to);
}

TEST(Newton, NeedsTheSameIterationsAtEveryCondition) {
  const std::vector<GeodesicProblem> problems{
      problem(surface("bump:h=2,w=0.5"), vec({-1, -0.4}), vec({1, 0.9})),
      problem(surface("torus"), vec({0.3, 0.2}), vec({2, 1.5})),
      problem(surface("sphere-stereographic:d=8"), -Vector::LinSpaced(8, 0, 1), Vector::Constant(8, 0.5))};
  for (const GeodesicProblem& round : problems) {
    for (const char* solver : {"newton", "energy"}) {
      const GeodesicResult reference = solve(solver, squeezed(round, 1));
      ASSERT_EQ(reference.termination, Termination::kConverged) << reference.message;
      for (const double kappa : {1e4, 1e8}) {
        const GeodesicResult result = solve(solver, squeezed(round, kappa));
        EXPECT_EQ(result.termination, Termination::kConverged) << solver << ": " << result.message;
        // Coordinates as large as κ move the ends by their rounding.
        const double rounding = 4 * std::numeric_limits<double>::epsilon() * kappa;
        EXPECT_NEAR(result.certificate.length, reference.certificate.length,
                    kPromise * reference.certificate.length + rounding);
        EXPECT_NEAR(result.effort.iterations, reference.effort.iterations, 0.2 * reference.effort.iterations)
            << solver << " on " << round.manifold->name() << " at " << kappa;
      }
    }
  }
}

TEST(Newton, NeedsHalfTheEvaluationsOfEnergyOnBentMaps) {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    const GeodesicProblem bent = problem(bent_network(4, seed), vec({-1.5, -0.7}), vec({1.2, 1.6}));
    const GeodesicResult energy = solve("energy", bent);
    const GeodesicResult newton = solve("newton", bent);
    ASSERT_EQ(newton.termination, Termination::kConverged) << newton.message;
    ASSERT_EQ(energy.termination, Termination::kConverged) << energy.message;
    EXPECT_LE(newton.certificate.length, energy.certificate.length * (1 + kPromise)) << "seed " << seed;
    EXPECT_LE(2 * evaluations(newton), evaluations(energy)) << "seed " << seed;
  }
}

// Beside a bump hundreds of times as high as wide the chords of the certificate have to be short: with as many as the
// curve's turning alone needs, a geodesic looked too long, and its second variation was off by nine tenths.
TEST(Newton, IsCertifiedOnANeedle) {
  const GeodesicResult result =
      solve("newton", problem(surface("bump:h=1,w=0.003"), vec({-1, 0.001}), vec({1, 0.001})));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  // Both by newton with 2,048 and 4,096 chords, to 1e-12 of the excess.
  EXPECT_NEAR(result.certificate.length, 2.00013495818, 1e-7);
  EXPECT_NEAR(result.certificate.second_variation, 9.86932, result.certificate.second_variation_error);
  EXPECT_LT(result.certificate.second_variation_error, 1);

  const GeodesicResult fine =
      solve("newton:max_nodes=4096", problem(surface("bump:h=1,w=0.0015"), vec({-1, 0.0005}), vec({1, 0.0005})));
  EXPECT_EQ(fine.termination, Termination::kConverged) << fine.message;
  EXPECT_NEAR(fine.certificate.length, 2.00003805597, 1e-7);
  EXPECT_NEAR(fine.certificate.second_variation, 9.86944, fine.certificate.second_variation_error);
  EXPECT_LT(fine.certificate.second_variation_error, 1);
}

TEST(Newton, LeavesSaddles) {
  struct Saddle {
    const char* manifold;
    Vector from, to;
    double shortest;
    double digits;  // to which it is known
  };
  for (const Saddle& s : {Saddle{"torus", vec({0, 0}), vec({0, 1.8}), 7.072436648904, 1e-12},
                          Saddle{"paraboloid", vec({1, 0}), vec({-1, 0}), 2.829043600, 1e-9},
                          Saddle{"rbf-variance", vec({2, 0}), vec({-2, 0}), 6.272271880626, 1e-12}}) {
    const GeodesicResult result = solve("newton", problem(surface(s.manifold), s.from, s.to));
    EXPECT_EQ(result.termination, Termination::kConverged) << s.manifold << ": " << result.message;
    EXPECT_NEAR(result.certificate.length, s.shortest, (kPromise + s.digits) * s.shortest) << s.manifold;
  }
}

TEST(Newton, SaysThatItStaysOnTheCutLocus) {
  const double pi = std::numbers::pi;
  const GeodesicResult result = solve("newton", problem(surface("sphere"), vec({pi / 2, 0}), vec({pi / 2, pi})));
  EXPECT_EQ(result.termination, Termination::kStationary) << result.message;
}

// The excess falls by 2¹² with a doubling of the chords in the limit: the nodes are of sixth order.
TEST(Newton, LengthIsOfTwelfthOrder) {
  const GeodesicProblem sphere =
      problem(surface("sphere-stereographic:d=5"), -Vector::LinSpaced(5, 0, 1), Vector::Constant(5, 0.5));
  const auto excess = [&](int chords) {
    const std::string n = std::to_string(chords);
    return solve("newton:tolerance=1e-300,nodes=" + std::to_string(chords / 2) + ",max_nodes=" + n, sphere)
        .certificate.relative_excess;
  };
  EXPECT_GE(std::log2(excess(16) / excess(32)), 8);
  EXPECT_GE(std::log2(excess(32) / excess(64)), 10);
}

TEST(Newton, WorksOnAMetricGivenDirectly) {
  const GeodesicResult result = solve("newton", problem(half_plane(), vec({0, 1}), vec({3, 2})));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, 1.924847300238, kPromise);
}

TEST(MovingCurve, MidpointsLieOnPolynomialsOfSeventhDegree) {
  const auto f = [](double t) { return vec({std::pow(t, 7) - 3 * t * t, 1 - std::pow(t, 6) + t}); };
  for (const int K : {7, 8, 16}) {
    Matrix nodes(2, K + 1);
    for (int i = 0; i <= K; ++i) nodes.col(i) = f(static_cast<double>(i) / K);
    const Matrix fine = with_midpoints(nodes);
    for (int i = 0; i <= 2 * K; ++i) EXPECT_LE((fine.col(i) - f(0.5 * i / K)).norm(), 1e-14) << i << " of " << K;
  }
}

Matrix dense(const BlockTridiagonal& H) {
  const int n = H.block_size();
  Matrix out = Matrix::Zero(n * H.blocks(), n * H.blocks());
  for (int i = 0; i < H.blocks(); ++i) {
    out.block(n * i, n * i, n, n) = H.diagonal_block(i);
    if (i + 1 == H.blocks()) continue;
    out.block(n * i, n * (i + 1), n, n) = H.upper_block(i);
    out.block(n * (i + 1), n * i, n, n) = H.upper_block(i).transpose();
  }
  return out;
}

double smallest(const Matrix& A) { return Eigen::SelfAdjointEigenSolver<Matrix>(A).eigenvalues()(0); }

TEST(HessianModels, ArePositiveWhereTheHessianIsNot) {
  const int K = 12;
  Matrix nodes = Curve::straight(vec({0, 0}), vec({0, 2.5})).position(uniform_times(K + 1));
  nodes += 0.05 * random_matrix(2, K + 1, 7);
  Workspace ws;
  const BlockTridiagonal H = surface("torus")->variation(nodes, ws).hessian;
  const double scale = dense(H).norm();
  const double lambda = smallest(dense(H));
  ASSERT_LT(lambda, 0);
  // The flat Laplacian's smallest eigenvalue is K (2 sin(π/2K))².
  const double flat = K * std::pow(2 * std::sin(std::numbers::pi / (2 * K)), 2);
  EXPECT_GE(smallest(dense(gauss_newton_part(H))), flat * (1 - 1e-12));
  EXPECT_GE(smallest(dense(projected(H))), -1e-14 * scale);
  EXPECT_GE(smallest(dense(projected(H)) - dense(H)), -1e-14 * scale);
  const Vector mode = lowest_mode(H, lambda).reshaped();
  EXPECT_LE((dense(H) * mode - lambda * mode).norm(), 1e-9 * scale);
}

TEST(NewtonInManyDimensions, FindsGreatCirclesByProducts) {
  for (const int d : {16, 40, 150}) {
    const auto manifold = surface("sphere-stereographic:d=" + std::to_string(d));
    ASSERT_TRUE(manifold->prefers_products());
    const Vector a = random_matrix(d, 1, 1).col(0) * (0.5 / std::sqrt(d));
    const Vector b = random_matrix(d, 1, 2).col(0) * (1.5 / std::sqrt(d));
    const Vector x = manifold->generator()->value(a);
    const Vector y = manifold->generator()->value(b);
    const double expected = 2 * std::atan2((x - y).norm(), (x + y).norm());
    const GeodesicResult result = solve("newton", problem(manifold, a, b));
    EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
    EXPECT_NEAR(result.certificate.length, expected, kPromise * expected);
    EXPECT_LE(result.effort.evaluations.second_derivatives, 4) << "accelerations at the ends, no Hessians";
  }
}

TEST(NewtonInManyDimensions, ByProductsFindsWhatBlocksFind) {
  GeneratorRegistry generators;
  register_curved_maps(generators);
  const auto generator = generators.open("random-network:d=30").generator;
  const auto by = [&](PullbackManifold::Products products) {
    return solve("newton", problem(std::make_shared<PullbackManifold>(generator, products),
                                   random_matrix(30, 1, 3).col(0) * 0.2, random_matrix(30, 1, 4).col(0) * 0.3));
  };
  const GeodesicResult blocks = by(PullbackManifold::Products::kNever);
  const GeodesicResult products = by(PullbackManifold::Products::kAlways);
  EXPECT_EQ(products.termination, Termination::kConverged) << products.message;
  EXPECT_NEAR(products.certificate.length, blocks.certificate.length, kPromise * blocks.certificate.length);
}

// A chart whose axes differ by seven orders: preconditioners do not square that.
TEST(NewtonInManyDimensions, IllConditionedAxesByProducts) {
  GeneratorRegistry generators;
  register_curved_maps(generators);
  const auto round = generators.open("random-network:d=20").generator;
  const Matrix squeezed =
      Vector::NullaryExpr(20, [](Eigen::Index i) { return std::pow(10.0, -7.0 * double(i) / 19); }).asDiagonal();
  const Vector a = random_matrix(20, 1, 3).col(0) * 0.2;
  const Vector b = random_matrix(20, 1, 4).col(0) * 0.3;
  const GeodesicResult expected = solve("newton", problem(std::make_shared<PullbackManifold>(round), a, b));
  const auto chart = std::make_shared<PullbackManifold>(
      std::make_shared<AffineInput>(round, squeezed, Vector::Zero(20)), PullbackManifold::Products::kAlways);
  const Vector scale = squeezed.diagonal().cwiseInverse();
  const GeodesicResult result = solve("newton", problem(chart, scale.cwiseProduct(a), scale.cwiseProduct(b)));
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, expected.certificate.length, kPromise * expected.certificate.length);
}

// The long way round the equator, |z| = 1, is a saddle: newton leaves it by its lowest mode.
TEST(NewtonInManyDimensions, LeavesSaddlesByProducts) {
  Matrix nodes = Matrix::Zero(16, 65);
  for (int i = 0; i <= 64; ++i) nodes.col(i).head(2) << std::cos(i / 16.0), std::sin(i / 16.0);  // of length 4
  GeodesicProblem long_way = problem(surface("sphere-stereographic:d=16"), nodes.leftCols(1), nodes.rightCols(1));
  long_way.initial = Curve::through(nodes);
  const GeodesicResult result = solve("newton", long_way);
  EXPECT_EQ(result.termination, Termination::kConverged) << result.message;
  EXPECT_NEAR(result.certificate.length, 2 * M_PI - 4, 1e-7);
}

}  // namespace
}  // namespace pullback
