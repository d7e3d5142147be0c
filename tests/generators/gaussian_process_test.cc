#include "pullback/generators/uncertain/gaussian_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace pullback {
namespace {

using testing::HasSubstr;

GaussianProcessData data() {
  return {.inputs = Matrix{{0, 1, 0.3}, {0, 0.5, -1}},
          .outputs = Matrix{{0, 1, 2}, {1, 3, 0}},
          .offset = Vector{{0.5, 1}},
          .lengths = Vector{{0.7, 1.2}},
          .signal_variance = 2,
          .noise_variance = 1e-10};
}

TEST(GaussianProcessTest, WithoutNoiseTheMeanGoesThroughTheObservations) {
  const GaussianProcess process(data());
  EXPECT_LE((process.value(data().inputs) - data().outputs).cwiseAbs().maxCoeff(), 1e-8);
}

TEST(GaussianProcessTest, FarAwayTheMeanIsTheOffset) {
  const GaussianProcess process(data());
  EXPECT_LE((process.value(Vector{{50, 50}}) - data().offset).norm(), 1e-15);
}

// At an observation the variance is that of the noise: s²(1 − |ψ|²) → 0.
TEST(GaussianProcessTest, EmbeddingHoldsThePosteriorVariance) {
  const GaussianProcess process(data());
  const auto variance = [&](const Vector& z) {
    return process.prior_variance() - process.embedding()->value(z).bottomRows(3).squaredNorm();
  };
  EXPECT_EQ(process.prior_variance(), 4);
  EXPECT_NEAR(variance(data().inputs.col(1)), 0, 1e-8);
  EXPECT_NEAR(variance(Vector{{50, 50}}), 4, 1e-12);
}

// Against the density of a normal distribution written out.
TEST(GaussianProcessTest, MarginalLikelihoodIsTheDensityAtItsBestSignalVariance) {
  const GaussianProcessData d = data();
  const double ratio = 0.1;
  const MarginalLikelihood found = marginal_likelihood(d.inputs, d.outputs, d.lengths, ratio);
  Matrix K(3, 3);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      const Vector delta = (d.inputs.col(i) - d.inputs.col(j)).array() / d.lengths.array();
      K(i, j) = std::exp(-0.5 * delta.squaredNorm()) + (i == j ? ratio : 0);
    }
  }
  const auto density = [&](double signal) {
    double sum = 0;
    for (int row = 0; row < 2; ++row) {
      const Vector y = d.outputs.row(row).transpose();
      sum -= 0.5 * (y.dot((signal * K).inverse() * y) + std::log((2 * std::numbers::pi * signal * K).determinant()));
    }
    return sum;
  };
  EXPECT_NEAR(found.logarithm, density(found.signal_variance), 1e-10);
  EXPECT_GT(found.logarithm, density(1.01 * found.signal_variance));
  EXPECT_GT(found.logarithm, density(0.99 * found.signal_variance));
}

TEST(GaussianProcessTest, RefusesWhatMakesNoSense) {
  const auto message = [](const auto& change) -> std::string {
    GaussianProcessData d = data();
    change(d);
    try {
      const GaussianProcess process(std::move(d));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(message([](auto& d) { d.inputs.resize(2, 0); }), HasSubstr("an input"));
  EXPECT_THAT(message([](auto& d) { d.outputs.resize(2, 5); }), HasSubstr("3 columns"));
  EXPECT_THAT(message([](auto& d) { d.offset = Vector::Zero(3); }), HasSubstr("2 elements"));
  EXPECT_THAT(message([](auto& d) { d.lengths = Vector::Ones(1); }), HasSubstr("2 lengths"));
  EXPECT_THAT(message([](auto& d) { d.lengths(0) = 0; }), HasSubstr("positive"));
  EXPECT_THAT(message([](auto& d) { d.signal_variance = 0; }), HasSubstr("signal variance"));
  EXPECT_THAT(message([](auto& d) { d.noise_variance = -1; }), HasSubstr("noise variance"));
  EXPECT_THAT(message([](auto& d) { d.outputs(0, 0) = std::nan(""); }), HasSubstr("NaN"));
  EXPECT_THAT(message([](auto& d) {
                d.inputs.col(1) = d.inputs.col(0);
                d.noise_variance = 0;
              }),
              HasSubstr("coincide"));
}

}  // namespace
}  // namespace pullback
