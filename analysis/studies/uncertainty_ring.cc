#include "pullback/analysis/studies/uncertainty_ring.h"

#include <Eigen/QR>
#include <cmath>
#include <numbers>

#include "pullback/base/random.h"
#include "pullback/generators/uncertain/fit_uncertainty.h"

namespace pullback {

namespace {

constexpr int kPoints = 600;
constexpr int kOutputs = 10;
constexpr int kHidden = 48;
constexpr double kWidth = 0.08;   // of the ring of codes
constexpr double kNoise = 0.05;   // of the outputs
constexpr double kGain = 1.5;     // of the hidden weights: bends over about the ring's radius
constexpr double kAnchor = 1e-2;  // in observations

Observations draw_ring(Random& random) {
  const Matrix gaussian = random.normal_matrix(kOutputs, 4);
  const Matrix frame = Eigen::HouseholderQR<Matrix>(gaussian).householderQ() * Matrix::Identity(kOutputs, 4);
  Observations out{Matrix(2, kPoints), Matrix(kOutputs, kPoints)};
  for (Eigen::Index i = 0; i < kPoints; ++i) {
    const double angle = random.uniform(0, 2 * std::numbers::pi);
    const Vector circle{{std::cos(angle), std::sin(angle)}};
    const Vector wave{{circle(0), circle(1), 0.5 * std::cos(2 * angle), 0.5 * std::sin(2 * angle)}};
    out.codes.col(i) = (1 + kWidth * random.normal()) * circle;
    out.outputs.col(i) = frame * wave + kNoise * random.normal_matrix(kOutputs, 1);
  }
  return out;
}

}  // namespace

RingModel make_ring(std::uint64_t seed) {
  Random random(seed);
  RingModel out;
  out.observed = draw_ring(random);
  const Layer hidden{
      kGain * random.normal_matrix(kHidden, 2), random.normal_matrix(kHidden, 1), {ActivationKind::kTanh}};
  const Layer last{Matrix::Zero(kOutputs, kHidden), Vector::Zero(kOutputs), {ActivationKind::kIdentity}};
  const auto decoder = refit_last_layer(Network({hidden, last}, "ring"),
                                        {out.observed.codes, out.observed.outputs, Vector::Ones(kPoints)}, kAnchor);
  out.content.metadata = {
      {"format", kModelFormat},
      {"name", "ring"},
      {"kind", "regression"},
      {"dataset", "600 points on a noisy ring"},
      {"seed", std::to_string(seed)},
      {"decoder", R"([{"weight":"decoder.0.weight","bias":"decoder.0.bias","activation":"tanh"},)"
                  R"({"weight":"decoder.1.weight","bias":"decoder.1.bias","activation":"identity"}])"}};
  auto& tensors = out.content.tensors;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string prefix = "decoder." + std::to_string(i);
    tensors[prefix + ".weight"] = rows_tensor(decoder->layers()[i].weight);
    tensors[prefix + ".bias"] = vector_tensor(decoder->layers()[i].bias);
  }
  tensors["codes"] = columns_tensor(out.observed.codes);
  return out;
}

}  // namespace pullback
