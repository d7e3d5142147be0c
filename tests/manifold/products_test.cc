// Curves in high dimensions, by products: against blocks, dense algebra and closed forms.
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <cmath>

#include "pullback/base/random.h"
#include "pullback/generators/generator_registry.h"
#include "pullback/generators/network/network.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/numerics/conjugate_gradients.h"
#include "pullback/manifold/numerics/curve_spectrum.h"
#include "pullback/manifold/numerics/lanczos.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

using Products = PullbackManifold::Products;

std::shared_ptr<const Generator> network(int latent) {
  Random random(7);
  const int hidden = 3 * latent;
  Layer first{random.normal_matrix(hidden, latent) * (1.2 / std::sqrt(latent)),
              random.normal_matrix(hidden, 1) * 0.5,
              {ActivationKind::kTanh}};
  Layer second{random.normal_matrix(2 * latent, hidden) / std::sqrt(hidden), Vector::Zero(2 * latent), {}};
  return std::make_shared<Network>(std::vector<Layer>{first, second});
}

// A curve of K chords that bends.
Matrix bent_nodes(int n, int K) {
  Random random(3);
  const Matrix ends = random.normal_matrix(n, 2);
  const Matrix bend = random.normal_matrix(n, 1);
  Matrix out(n, K + 1);
  for (int i = 0; i <= K; ++i) {
    const double t = double(i) / K;
    out.col(i) = (1 - t) * ends.col(0) + t * ends.col(1) + 0.3 * std::sin(M_PI * t) * bend;
  }
  return out;
}

// Block i of `out` is R_iᵀ v_i: from whitened coordinates to gradients in latent ones.
Matrix unwhitened(const Matrix& factor, const Matrix& whitened) {
  const Eigen::Index n = whitened.rows();
  Matrix out(n, whitened.cols());
  for (Eigen::Index i = 0; i < whitened.cols(); ++i) {
    out.col(i) = factor.middleCols(n * (i + 1), n).transpose() * whitened.col(i);
  }
  return out;
}

Matrix times(const BlockTridiagonal& H, const Matrix& V) {
  Matrix out(V.rows(), V.cols());
  for (int i = 0; i < H.blocks(); ++i) {
    out.col(i) = H.diagonal_block(i) * V.col(i);
    if (i + 1 < H.blocks()) out.col(i) += H.upper_block(i) * V.col(i + 1);
    if (i > 0) out.col(i) += H.upper_block(i - 1).transpose() * V.col(i - 1);
  }
  return out;
}

double relative(const Matrix& a, const Matrix& b) { return (a - b).norm() / b.norm(); }

class VariationByProducts : public testing::TestWithParam<int> {
 protected:
  VariationByProducts()
      : blocks_(network(GetParam()), Products::kNever),
        manifold_(network(GetParam()), Products::kAlways),
        nodes_(bent_nodes(GetParam(), 16)) {}

  PullbackManifold blocks_;
  PullbackManifold manifold_;
  Matrix nodes_;
  Workspace ws_;
};

TEST_P(VariationByProducts, IsThatOfBlocks) {
  const Variation dense = blocks_.variation(nodes_, ws_);
  const auto products = manifold_.variation_products(nodes_, ws_);
  ASSERT_NE(products, nullptr);
  EXPECT_NEAR(products->energy(), dense.energy, 1e-12 * dense.energy);
  EXPECT_LE(relative(products->gradient(), unwhitened(dense.factor, dense.gradient)), 1e-9);
  EXPECT_LE(relative(products->chord_gradient(), unwhitened(dense.factor, dense.chord_gradient)), 1e-9);
  // H v = Rᵀ (R⁻ᵀHR⁻¹) R v.
  Random random(5);
  const Eigen::Index n = nodes_.rows();
  const Matrix V = random.normal_matrix(n, nodes_.cols() - 2);
  Matrix whitened(n, V.cols());
  for (Eigen::Index i = 0; i < V.cols(); ++i) whitened.col(i) = dense.factor.middleCols(n * (i + 1), n) * V.col(i);
  EXPECT_LE(relative(products->hessian(V, ws_), unwhitened(dense.factor, times(dense.hessian, whitened))), 1e-9);
  EXPECT_LE(relative(products->metric(V, ws_), unwhitened(dense.factor, whitened)), 1e-9);
}

TEST_P(VariationByProducts, LowestEigenvalueIsThatOfBlocks) {
  const double dense = 16 * smallest_eigenvalue(blocks_.variation(nodes_, ws_).hessian);
  const auto products = manifold_.variation_products(nodes_, ws_);
  const FlatPreconditioner flat(manifold_, nodes_, ws_);
  const CurveSpectrum lowest = lowest_of_curve(*products, flat, ws_);
  EXPECT_GE(lowest.value, dense - 1e-6 * std::abs(dense));
  EXPECT_LE(lowest.value - dense, lowest.error + 0.01 * std::abs(dense));
  EXPECT_EQ(lowest.relative > 0, dense > 0);
}

TEST_P(VariationByProducts, AccelerationsAndVectorsAreThoseOfFactors) {
  const Eigen::Index n = nodes_.rows();
  Random random(6);
  const Matrix V = random.normal_matrix(n, nodes_.cols());
  Matrix dense(n, V.cols()), by_products(n, V.cols()), T(manifold_.frame_dimension(), V.cols());
  Matrix R(n, n * V.cols());
  blocks_.acceleration(nodes_, V, dense, ws_);
  manifold_.acceleration(nodes_, V, by_products, ws_);
  EXPECT_LE(relative(by_products, dense), 1e-9);
  manifold_.push_forward(nodes_, V, T, ws_);
  blocks_.factor(nodes_, R, ws_);
  for (Eigen::Index k = 0; k < V.cols(); ++k) {
    EXPECT_NEAR(T.col(k).norm(), (R.middleCols(n * k, n) * V.col(k)).norm(), 1e-12 * T.col(k).norm());
  }
}

TEST_P(VariationByProducts, ExtremeSingularValuesAreThoseOfAllOfThem) {
  const Matrix all = singular_values(blocks_, nodes_, ws_);
  const Matrix extremes = extreme_singular_values(manifold_, nodes_, ws_);
  EXPECT_LE(relative(extremes.row(0), all.row(0)), 1e-5);
  EXPECT_LE(relative(extremes.row(1), all.bottomRows(1)), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Dimensions, VariationByProducts, testing::Values(1, 2, 13, 40),
                         [](const auto& name) { return "n" + std::to_string(name.param); });

TEST(PrefersProducts, WhereTheGeneratorOffersThemInManyDimensions) {
  EXPECT_FALSE(PullbackManifold(network(2)).prefers_products());
  EXPECT_TRUE(PullbackManifold(network(64)).prefers_products());
  EXPECT_FALSE(PullbackManifold(network(64), Products::kNever).prefers_products());
  Workspace ws;
  EXPECT_EQ(PullbackManifold(network(2)).variation_products(bent_nodes(2, 8), ws), nullptr);
}

// diag(1, …, n) with a shift.
Matrix spread(Eigen::Index n, double shift) {
  return Matrix((Vector::LinSpaced(n, 1, double(n)).array() + shift).matrix().asDiagonal());
}

TEST(ConjugateGradients, SolvesAndTellsTheGain) {
  const Matrix A = spread(30, 0);
  const Matrix B = Matrix::Ones(15, 2);
  const auto apply = [&](const Matrix& X) -> Matrix { return (A * X.reshaped()).reshaped(15, 2); };
  const auto result = conjugate_gradients(apply, [](const Matrix& G) { return G; }, B, {1e-12, 100});
  EXPECT_TRUE(result.converged);
  EXPECT_FALSE(result.negative_curvature);
  EXPECT_LE((A * result.x.reshaped() - B.reshaped()).norm(), 1e-10);
  EXPECT_LE(result.iterations, 31);
}

TEST(ConjugateGradients, ReportsNegativeCurvature) {
  const Matrix A = spread(10, -1.5);  // one eigenvalue of −½
  const auto apply = [&](const Matrix& X) -> Matrix { return A * X; };
  const auto result = conjugate_gradients(apply, [](const Matrix& G) { return G; }, Matrix::Ones(10, 1), {1e-12, 100});
  EXPECT_TRUE(result.negative_curvature);
  EXPECT_TRUE(result.x.allFinite());
}

TEST(LowestEigenpair, OfAKnownSpectrumOfBothSigns) {
  for (const double lowest : {-0.3, 0.2}) {
    Vector spectrum = Vector::LinSpaced(200, 0.5, 3);
    spectrum(77) = lowest;
    const auto apply = [&](const Vector& x) -> Vector { return spectrum.cwiseProduct(x); };
    const LowestEigenpair pair = lowest_eigenpair(apply, 200);
    EXPECT_NEAR(pair.value, lowest, 2e-3);
    EXPECT_LE(std::abs(pair.value - lowest), pair.error + 1e-12);
    EXPECT_NEAR(std::abs(pair.vector(77)), 1, 1e-2);
  }
}

TEST(LowestEigenpair, OfAMultipleOfTheIdentity) {
  const auto apply = [&](const Vector& x) -> Vector { return 0.7 * x; };
  const LowestEigenpair pair = lowest_eigenpair(apply, 50);
  EXPECT_NEAR(pair.value, 0.7, 1e-14);
  EXPECT_LE(pair.error, 1e-14);
}

TEST(StereographicSphere, KnownMetricInAThousandDimensions) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  const auto sphere = registry.open("sphere-stereographic:d=1000").generator;
  const PullbackManifold manifold(sphere);
  ASSERT_TRUE(manifold.prefers_products());
  Workspace ws;
  const Matrix z = Matrix::Constant(1000, 1, 0.01);  // |z|² = 0.1
  const Matrix v = Matrix::Ones(1000, 1);
  Matrix T(1001, 1);
  manifold.push_forward(z, v, T, ws);
  EXPECT_NEAR(T.norm(), 2 / 1.1 * std::sqrt(1000.0), 1e-11);
  const Matrix sigma = extreme_singular_values(manifold, z, ws);
  EXPECT_NEAR(sigma(0, 0), 2 / 1.1, 1e-6);
  EXPECT_NEAR(sigma(1, 0), 2 / 1.1, 1e-6);
}

}  // namespace
}  // namespace pullback
