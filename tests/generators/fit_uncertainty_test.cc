#include "pullback/generators/uncertain/fit_uncertainty.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

namespace pullback {
namespace {

// `each` points around each of the corners of a square, within 0.1 of them.
Matrix four_groups(int each) {
  std::mt19937_64 engine(3);
  const auto small = [&] { return 0.1 * (static_cast<double>(engine() >> 11) * 0x1p-52 - 1); };
  Matrix points(2, 4 * each);
  for (Eigen::Index i = 0; i < points.cols(); ++i) {
    points.col(i) << static_cast<double>(i % 4 / 2) + small(), static_cast<double>(i % 2) + small();
  }
  return points;
}

TEST(KMeansTest, FindsGroupsThatAreFarApart) {
  const Matrix points = four_groups(20);
  const Clusters clusters = k_means(points, 4, 1);
  for (Eigen::Index i = 0; i < points.cols(); ++i) {
    EXPECT_LT((clusters.centres.col(clusters.of[static_cast<std::size_t>(i)]) - points.col(i)).norm(), 0.3);
  }
  EXPECT_LT(clusters.mean_distance.maxCoeff(), 0.15);
  EXPECT_GT(clusters.mean_distance.minCoeff(), 0.02);
}

TEST(KMeansTest, EveryCentreIsTheMeanOfItsPoints) {
  const Matrix points = four_groups(20);
  const Clusters clusters = k_means(points, 9, 2);
  for (int k = 0; k < 9; ++k) {
    Vector sum = Vector::Zero(2);
    double count = 0;
    for (Eigen::Index i = 0; i < points.cols(); ++i) {
      if (clusters.of[static_cast<std::size_t>(i)] != k) continue;
      sum += points.col(i);
      count += 1;
    }
    ASSERT_GT(count, 0);
    EXPECT_LT((sum / count - clusters.centres.col(k)).norm(), 1e-12);
  }
}

TEST(KMeansTest, OneCentreForEachPointAndTheSameSeedTheSameGroups) {
  const Matrix points = four_groups(3);
  const Clusters clusters = k_means(points, 12, 1);
  EXPECT_LT(clusters.mean_distance.maxCoeff(), 1e-12);
  EXPECT_EQ(clusters.centres, k_means(points, 12, 1).centres);
  EXPECT_THROW(cluster_basis(clusters, 1), std::invalid_argument);  // every group is a point
  EXPECT_THROW(k_means(points, 13, 1), std::invalid_argument);
  EXPECT_THROW(k_means(points, 0, 1), std::invalid_argument);
}

TEST(KMeansTest, CoincidingPointsAreNoTrap) {
  const Clusters clusters = k_means(Matrix::Ones(2, 10), 3, 1);
  EXPECT_TRUE(clusters.centres.allFinite());
}

TEST(ClusterBasisTest, RatesFollowTheMeanDistanceWithAFloor) {
  const Clusters clusters{Matrix::Zero(2, 3), {}, Vector{{1, 2, 0}}};
  const RadialBasis basis = cluster_basis(clusters, 1.5);
  EXPECT_DOUBLE_EQ(basis.rates(0, 0), 0.5 / (1.5 * 1.5));
  EXPECT_DOUBLE_EQ(basis.rates(1, 1), 0.5 / (3.0 * 3.0));
  EXPECT_DOUBLE_EQ(basis.rates(0, 2), 0.5 / (0.75 * 0.75));  // half of the mean distance 1
}

// With one bump that is 1 at its points, β = W + ζ, and the likeliest precision is 1/mean r².
TEST(FitDeviationTest, OneFlatBumpHasThePrecisionOfTheResiduals) {
  const RadialBasis basis{Vector::Zero(2), Vector::Constant(2, 1e-12)};
  const Matrix points = four_groups(5);
  Matrix squares(2, points.cols());
  squares.row(0) = Eigen::RowVectorXd::LinSpaced(points.cols(), 0.1, 0.5);
  squares.row(1).setConstant(4);
  const auto fitted = fit_deviation(basis, points, squares, Vector::Constant(2, 0.01));
  const Matrix sigma = fitted->value(points.leftCols(1));
  EXPECT_NEAR(sigma(0), std::sqrt(0.3), 1e-6);
  EXPECT_NEAR(sigma(1), 2, 1e-6);
}

// W is at the minimum of Σ β r² − log β over W ≥ 0: no slope where it is positive, none downward where it is zero.
TEST(FitDeviationTest, WeightsAreStationary) {
  const Matrix points = four_groups(20);
  const RadialBasis basis = cluster_basis(k_means(points, 4, 1), 1);
  Matrix squares(1, points.cols());
  for (Eigen::Index i = 0; i < points.cols(); ++i) squares(0, i) = i % 2 == 0 ? 0.04 : 0.25;
  const Vector floor = Vector::Constant(1, 0.01);
  const auto fitted = fit_deviation(basis, points, squares, floor, 2000);
  const Matrix phi = radial_features(basis, points);
  const Matrix precision = (fitted->weight() * phi).array() + floor(0);
  const Matrix slope = (squares - precision.cwiseInverse()) * phi.transpose();
  for (Eigen::Index k = 0; k < 4; ++k) {
    const double scale = squares.row(0).dot(phi.row(k));
    EXPECT_GT(slope(0, k), -1e-6 * scale);
    EXPECT_LT(slope(0, k) * fitted->weight()(0, k), 1e-4 * scale);
  }
  EXPECT_NEAR(fitted->value(Vector{{30, 30}})(0), 10, 1e-9);
  EXPECT_THROW(fit_deviation(basis, points, Matrix::Zero(1, points.cols()), floor), std::invalid_argument);
}

Network little_decoder(Activation last) {
  const Matrix numbers{{0.5, -1}, {1, 0.3}, {-0.7, 0.8}};
  return Network(
      {{numbers, Vector{{0.1, -0.2, 0.3}}, {ActivationKind::kTanh}}, {numbers.transpose(), Vector{{0.2, -0.1}}, last}},
      "little");
}

TEST(RefitTest, WhatTheDecoderSaysAlreadyIsKept) {
  const Matrix points = four_groups(10);
  for (const ActivationKind kind : {ActivationKind::kSigmoid, ActivationKind::kIdentity}) {
    const Network decoder = little_decoder({kind});
    const auto same = refit_last_layer(decoder, {points, decoder.value(points), Vector::Ones(40)}, 1);
    EXPECT_LE((same->layers()[1].weight - decoder.layers()[1].weight).cwiseAbs().maxCoeff(), 1e-13);
  }
}

// The gradient of the penalised objective vanishes.
TEST(RefitTest, ItEndsAtTheMinimum) {
  const Matrix points = four_groups(10);
  Matrix targets(2, 40);
  for (Eigen::Index i = 0; i < 40; ++i) targets.col(i) << static_cast<double>(i % 2), static_cast<double>(i % 3 == 0);
  const Vector counts = Vector::LinSpaced(40, 0, 2);
  for (const ActivationKind kind : {ActivationKind::kSigmoid, ActivationKind::kIdentity}) {
    const Network decoder = little_decoder({kind});
    const auto fitted = refit_last_layer(decoder, {points, targets, counts}, 0.5, 500);
    const Matrix residual = (fitted->value(points) - targets) * counts.asDiagonal();
    const Matrix hidden = Network({decoder.layers()[0]}, "hidden").value(points);
    const Matrix gradient =
        residual * hidden.transpose() + 0.5 * (fitted->layers()[1].weight - decoder.layers()[1].weight);
    const Vector bias = residual.rowwise().sum() + 0.5 * (fitted->layers()[1].bias - decoder.layers()[1].bias);
    EXPECT_LE(gradient.cwiseAbs().maxCoeff(), 1e-8);
    EXPECT_LE(bias.cwiseAbs().maxCoeff(), 1e-8);
  }
  const Network tanh = little_decoder({ActivationKind::kTanh});
  EXPECT_THROW(refit_last_layer(tanh, {points, targets, counts}, 1), std::invalid_argument);
}

TEST(FitProcessTest, LengthIsTheLikeliestOrAsAsked) {
  const Matrix inputs = four_groups(10);
  Matrix outputs(1, inputs.cols());
  for (Eigen::Index i = 0; i < inputs.cols(); ++i) outputs(0, i) = std::sin(2 * inputs(0, i)) + inputs(1, i);
  const FittedProcess fit = fit_process(inputs, outputs);
  const FittedProcess asked = fit_process(inputs, outputs, 0.1);
  EXPECT_GT(fit.log_likelihood, asked.log_likelihood);
  EXPECT_DOUBLE_EQ(asked.length_factor, 0.1);
  const GaussianProcess process(fit.data);
  EXPECT_LT((process.value(inputs) - outputs).cwiseAbs().maxCoeff(), 0.05);
}

}  // namespace
}  // namespace pullback
