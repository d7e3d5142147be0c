// The losses on G = JᵀJ against closed forms, on maps whose Jacobians autograd takes by differentiating twice.
#include "pullback/training/regulariser.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <numbers>

#include "pullback/training/network.h"

namespace pullback::training {
namespace {

using torch::Tensor;
using Map = std::function<Tensor(const Tensor&)>;

constexpr double kRounding = 1e-12;               // of a few hundred operations in double precision on numbers near 1
constexpr double kSingle = 1e-5;                  // relative, of a few hundred operations in single precision
constexpr double kStandardErrors = 4.5;           // exceeded by chance once in 150,000 trials; the seeds are fixed
constexpr double kSphereRatio = 0.5146050894161;  // Tr(G²)/Tr(G)² at θ = 1, G = diag(1, sin²θ), to 13 digits
constexpr double kPrinted = 1e-13;

const auto kDouble = torch::TensorOptions(torch::kDouble);

at::Generator seeded(std::uint64_t seed) { return at::detail::createCPUGenerator(seed); }

Tensor matrix(std::vector<double> entries, std::int64_t rows) {
  return torch::tensor(entries, kDouble).view({rows, -1});
}

// Linearises any map of rows: vjp by reverse mode, jvp by reverse mode through the vjp, which is linear in its
// argument.
Linearised linearise(const Map& map, const Tensor& points) {
  const Tensor z = points.detach().clone().requires_grad_();
  const Tensor value = map(z);
  const auto transposed = [z, value](const Tensor& w) {
    return torch::autograd::grad({value}, {z}, {w}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  };
  const auto each = [](const Tensor& batches, const std::function<Tensor(const Tensor&)>& product) {
    std::vector<Tensor> results;
    for (const Tensor& batch : batches.unbind()) results.push_back(product(batch));
    return at::stack(results);
  };
  const auto vjp = [transposed, each](const Tensor& w) { return each(w, transposed); };
  const auto jvp = [value, transposed, each](const Tensor& v) {
    const Tensor dummy = at::zeros_like(value).requires_grad_();
    const Tensor pulled = transposed(dummy);
    return each(v, [&](const Tensor& batch) {
      return torch::autograd::grad({pulled}, {dummy}, {batch}, /*retain_graph=*/true, /*create_graph=*/true)[0];
    });
  };
  return {value, jvp, vjp};
}

// (θ, φ) ↦ the unit sphere: G = diag(1, sin²θ).
Tensor sphere(const Tensor& z) {
  const Tensor theta = z.select(1, 0);
  const Tensor phi = z.select(1, 1);
  return at::stack({theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos()}, 1);
}

Map linear(const Tensor& matrix) {
  return [matrix](const Tensor& z) { return at::linear(z, matrix); };
}

double squared_sine(double theta) { return std::sin(theta) * std::sin(theta); }

Tensor sphere_metrics(const Tensor& points) { return metric(linearise(sphere, points), 2); }

const Tensor kAtOne = matrix({1, 0.3}, 1);  // θ = 1

TEST(RegulariserTest, MetricOfTheSphere) {
  const Tensor expected = at::diag(matrix({1, squared_sine(1)}, 1).flatten());
  EXPECT_LT((sphere_metrics(kAtOne)[0] - expected).abs().max().item<double>(), kRounding);
}

TEST(RegulariserTest, ConformalOnTheSphere) {
  EXPECT_NEAR(conformal(sphere_metrics(kAtOne)).item<double>(), kSphereRatio, kPrinted);
  // At the equator the chart is conformal.
  const Tensor two = matrix({1, 0.3, std::numbers::pi / 2, 2}, 2);
  EXPECT_NEAR(conformal(sphere_metrics(two)).item<double>(), (kSphereRatio + 0.5) / 2, kPrinted);
}

// With probes √2 e₁ and √2 e₂, the mean over probes is exact: E[vvᵀ] = I.
TEST(RegulariserTest, IsometricIsExactForProbesOfUnitCovariance) {
  const Tensor probes = std::numbers::sqrt2 * at::eye(2, kDouble).unsqueeze(1);
  EXPECT_NEAR(isometric(linearise(sphere, kAtOne), probes).item<double>(), kSphereRatio, kPrinted);
  // At two points, the means are taken before the ratio: the equator adds Tr G² = Tr G = 2.
  const Tensor two = matrix({1, 0.3, std::numbers::pi / 2, 2}, 2);
  const double g = squared_sine(1);
  const double expected = ((1 + g * g + 2) / 2) / std::pow((1 + g + 2) / 2, 2);
  EXPECT_NEAR(isometric(linearise(sphere, two), probes.expand({2, 2, 2})).item<double>(), expected, kRounding);
}

TEST(RegulariserTest, IsometriesReachTheLeastValues) {
  const Tensor any = at::randn({5, 4}, seeded(1), kDouble);
  const Tensor frame = std::get<0>(at::linalg_qr(at::randn({7, 4}, seeded(2), kDouble)));
  const Linearised map = linearise(linear(3 * frame), any);
  const Tensor metrics = metric(map, 4);
  const Tensor probes = 2 * at::eye(4, kDouble).unsqueeze(1).expand({4, 5, 4});
  EXPECT_NEAR(isometric(map, probes).item<double>(), 1.0 / 4, kRounding);
  EXPECT_NEAR(conformal(metrics).item<double>(), 1.0 / 4, kRounding);
  constexpr double kSize = 9 * 9 * 4;  // of the terms of which `flat` is a difference
  EXPECT_NEAR(flat(metrics).item<double>(), 0, kRounding * kSize);
  EXPECT_NEAR(volume(metrics).item<double>(), 0, kRounding);
}

TEST(RegulariserTest, LinearMapsGiveExactValues) {
  // G = [5, 2; 2, 9]: Tr G = 14, Tr G² = 25 + 81 + 8 = 114, c² = 7.
  const Linearised map = linearise(linear(matrix({1, 2, 2, 0, 0, 2, 0, 1}, 4)), at::zeros({3, 2}, kDouble));
  const Tensor metrics = metric(map, 2);
  ASSERT_LT((metrics[2] - matrix({5, 2, 2, 9}, 2)).abs().max().item<double>(), kRounding);
  EXPECT_NEAR(flat(metrics).item<double>(), 4 + 4 + 2 * 2 * 2, 114 * kRounding);
  EXPECT_NEAR(conformal(metrics).item<double>(), 114.0 / (14 * 14), kRounding);
  EXPECT_NEAR(volume(metrics).item<double>(), 0, kRounding);
}

TEST(RegulariserTest, FlatTakesItsScaleFromAllPoints) {
  // G = I and G = 3I: c² = 2, so that ‖G − 2I‖² = 2 at both points.
  EXPECT_NEAR(flat(at::stack({at::eye(2, kDouble), 3 * at::eye(2, kDouble)})).item<double>(), 2, 10 * kRounding);
}

TEST(RegulariserTest, VolumeIsTheVarianceOfTheLogDeterminant) {
  constexpr double kFloor = 1e-8;  // the floor adds 1e-9 (Tr G/n)/g to log det for each eigenvalue g, here above 0.25
  const Tensor points = matrix({1, 0, 0.6, 1, 2, 2}, 3);
  std::vector<double> logs;
  for (const double theta : {1.0, 0.6, 2.0}) logs.push_back(std::log(squared_sine(theta)));
  const double mean = (logs[0] + logs[1] + logs[2]) / 3;
  double sum = 0;
  for (const double log : logs) sum += (log - mean) * (log - mean);
  EXPECT_NEAR(volume(sphere_metrics(points)).item<double>(), sum / 2, kFloor);
  EXPECT_NEAR(volume(7 * sphere_metrics(points)).item<double>(), sum / 2, kFloor) << "scale must not matter";
}

TEST(RegulariserTest, VolumeIsFiniteWithFiniteGradientWhereACoordinateIsLost) {
  const Tensor weight = matrix({1, 0, 2, 0}, 2).requires_grad_();
  const Linearised map =
      linearise([&weight](const Tensor& z) { return at::linear(z, weight).tanh(); }, matrix({0.1, 0, 0.7, 1}, 2));
  const Tensor loss = volume(metric(map, 2));
  EXPECT_TRUE(std::isfinite(loss.item<double>()));
  EXPECT_TRUE(torch::autograd::grad({loss}, {weight})[0].isfinite().all().item<bool>());
}

TEST(RegulariserTest, ClampingOfALinearMap) {
  // Stretching 3 along the first coordinate, 0.5 along the second.
  const Map map = linear(matrix({3, 0, 0, 0.5, 0, 0}, 3));
  const Tensor codes = at::zeros({2, 2}, kDouble);
  const Tensor moved = matrix({2, 0, 0, 2}, 2);
  const auto loss = [&](double low, double high) {
    return clamping(codes, map(codes), moved, map(moved), low, high).item<double>();
  };
  EXPECT_NEAR(loss(1, 2), (1.0 * 1.0 + 0.5 * 0.5) / 2, kRounding);
  EXPECT_NEAR(loss(0.5, 3), 0, kRounding);
  EXPECT_NEAR(loss(0, 1), 4.0 / 2, kRounding);
}

struct Estimate {
  double mean = 0;
  double standard_error = 0;
};

Estimate estimate(int seeds, const std::function<double(at::Generator&)>& draw) {
  double sum = 0;
  double squares = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    at::Generator random = seeded(static_cast<std::uint64_t>(seed));
    const double value = draw(random);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / seeds;
  return {mean, std::sqrt((squares / seeds - mean * mean) / (seeds - 1))};
}

// The two means of which `isometric` is the ratio, by its own products: Tr G² and Tr G.
TEST(RegulariserTest, TraceEstimatesAreUnbiased) {
  constexpr int kSeeds = 2000;
  const Linearised map = linearise(sphere, kAtOne);
  const double g = squared_sine(1);
  const Estimate trace = estimate(kSeeds, [&](at::Generator& random) {
    return map.jvp(at::randn({1, 1, 2}, random, kDouble)).square().sum().item<double>();
  });
  EXPECT_NEAR(trace.mean, 1 + g, kStandardErrors * trace.standard_error);
  const Estimate squared = estimate(kSeeds, [&](at::Generator& random) {
    return map.vjp(map.jvp(at::randn({1, 1, 2}, random, kDouble))).square().sum().item<double>();
  });
  EXPECT_NEAR(squared.mean, 1 + g * g, kStandardErrors * squared.standard_error);
}

// The ratio's spread falls with the root of the number of probes and its bias with the number itself, so that at 256
// probes the bias (relative, about 6/256 at most for a variance of 2 Tr G² each) drowns in the spread of one estimate.
TEST(RegulariserTest, IsometricConvergesAtTheRootOfTheNumberOfProbes) {
  constexpr int kSeeds = 200;
  std::vector<double> errors;
  for (const int probes : {64, 256, 1024}) {
    const Estimate squared = estimate(kSeeds, [&](at::Generator& random) {
      const Linearised many = linearise(sphere, kAtOne.expand({probes, 2}));
      const Tensor v = at::randn({1, probes, 2}, random, kDouble);
      return std::pow(isometric(many, v).item<double>() - kSphereRatio, 2);
    });
    errors.push_back(std::sqrt(squared.mean));
  }
  // A root mean square of 200 draws is known to 5 %, its logarithm's slope over a factor 16 to 0.026.
  const double slope = std::log(errors[2] / errors[0]) / std::log(16.0);
  EXPECT_NEAR(slope, -0.5, kStandardErrors * 0.026);
}

TEST(RegulariserTest, MixedCodesStayOnTheLinesThroughPairs) {
  at::Generator random = seeded(3);
  const Tensor codes = at::cat({at::zeros({500, 1}), at::ones({500, 1})});
  const Tensor mixed = mix(codes, random);
  EXPECT_GE(mixed.min().item<double>(), -0.2 - kSingle);
  EXPECT_LE(mixed.max().item<double>(), 1.2 + kSingle);
  EXPECT_LT(mixed.min().item<double>(), -0.1);
  EXPECT_GT(mixed.max().item<double>(), 1.1);
}

TEST(RegulariserTest, StrengthRisesOverTheWarmUpAndScalesThePenalty) {
  Options options;
  options.warm_up = 0.4;
  EXPECT_EQ(risen(options, 0), 0);
  EXPECT_DOUBLE_EQ(risen(options, 0.1), 0.25);
  EXPECT_EQ(risen(options, 0.4), 1);
  options.warm_up = 0;
  EXPECT_EQ(risen(options, 0), 1);

  options.regularisers = {{"volume", 3}, {"spectral", 2}};
  at::Generator random = seeded(4);
  const Network decoder({2, 5, 6}, "tanh", random);
  const Tensor codes = at::randn({9, 2}, random);
  const double bare = volume(metric(decoder.linearise(codes, "sigmoid"), 2)).item<double>();
  const Tensor loss = torch::tensor(10.0, kDouble);
  EXPECT_NEAR(with_penalty(loss, options, 0.5, decoder, codes, random).item<double>(), 10 + 0.5 * 3 * bare, kSingle);
  EXPECT_EQ(with_penalty(loss, options, 0, decoder, codes, random).item<double>(), 10);
}

class NetworkProducts : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Activations, NetworkProducts,
                         ::testing::Values("tanh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "silu", "gelu",
                                           "identity"),
                         [](const auto& info) { return std::string(info.param); });

// What a network multiplies layer by layer is what autograd finds, and so are the gradients with respect to its
// weights.
TEST_P(NetworkProducts, AreThoseOfAutograd) {
  at::Generator random = seeded(5);
  const Network network({3, 6, 5, 4}, GetParam(), random);
  const Tensor points = at::randn({7, 3}, random);
  const Linearised own = network.linearise(points, "sigmoid");
  const Linearised other = linearise([&](const Tensor& z) { return network.forward(z).sigmoid(); }, points);
  const Tensor v = at::randn({2, 7, 3}, random);
  const Tensor w = at::randn({2, 7, 4}, random);
  EXPECT_TRUE(at::allclose(own.value, other.value, kSingle, kSingle));
  EXPECT_TRUE(at::allclose(own.jvp(v), other.jvp(v), kSingle, kSingle));
  EXPECT_TRUE(at::allclose(own.vjp(w), other.vjp(w), kSingle, kSingle));
  const std::vector<Tensor> weights{network.parameters()[0], network.parameters()[2], network.parameters()[4]};
  const auto gradients = torch::autograd::grad({isometric(own, v)}, weights);
  const auto expected = torch::autograd::grad({isometric(other, v)}, weights);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_TRUE(at::allclose(gradients[i], expected[i], 1e-3, kSingle)) << i;
  }
}

TEST(SpectralNormTest, GivesEveryLayerTheLargestSingularValueAskedFor) {
  at::Generator random = seeded(6);
  const Network network({3, 8, 20}, "tanh", random);
  SpectralNorm spectral({{"spectral", 2.5}}, network);
  ASSERT_EQ(spectral.vectors().size(), 2U);
  const Network estimated = spectral.normalise(network);
  const Network exact = spectral.normalise_exactly(network);
  for (std::size_t i = 0; i < 4; i += 2) {
    EXPECT_NEAR(at::linalg_svdvals(exact.parameters()[i]).max().item<double>(), 2.5, 2.5 * kSingle);
    // The iteration starts at the singular vector, so that it is exact at once.
    EXPECT_TRUE(at::allclose(estimated.parameters()[i], exact.parameters()[i], kSingle, kSingle));
    EXPECT_TRUE(at::equal(exact.parameters()[i + 1], network.parameters()[i + 1])) << "biases stay";
  }
  // Scaling the raw weights changes nothing, so that the gradient has no part along them.
  const Tensor weight = network.parameters()[0];
  const Tensor gradient =
      torch::autograd::grad({estimated.forward(at::randn({4, 3}, random)).square().sum()}, {weight})[0];
  EXPECT_NEAR((gradient * weight).sum().item<double>(), 0, kSingle * gradient.norm().item<double>() * 10);
}

TEST(SpectralNormTest, IterationFollowsTheWeights) {
  at::Generator random = seeded(7);
  const Network first({3, 8, 20}, "tanh", random);
  const Network other({3, 8, 20}, "tanh", random);
  SpectralNorm spectral({{"spectral", 1.0}}, first);
  constexpr int kSteps = 300;  // the error falls by (σ₂/σ₁)² with each
  for (int i = 1; i < kSteps; ++i) spectral.normalise(other);
  const Network estimated = spectral.normalise(other);
  EXPECT_NEAR(at::linalg_svdvals(estimated.parameters()[2]).max().item<double>(), 1, kSingle);
}

TEST(SpectralNormTest, DoesNothingUnlessAskedTo) {
  at::Generator random = seeded(8);
  const Network network({2, 3, 4}, "tanh", random);
  SpectralNorm spectral({{"isometric", 1.0}}, network);
  EXPECT_TRUE(spectral.vectors().empty());
  EXPECT_TRUE(spectral.normalise(network).parameters()[0].is_same(network.parameters()[0]));
}

}  // namespace
}  // namespace pullback::training
