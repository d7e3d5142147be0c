// Losses that act on the metric G = JᵀJ which a decoder f pulls back, each differentiable by autograd.
//
// Where a loss takes a Linearised, only Jacobian products are used. Where it takes G, the caller has it from metric(),
// which costs one Jacobian product for each latent coordinate and has no sampling error of its own.
#pragma once

#include <ATen/core/Generator.h>
#include <torch/types.h>

#include <functional>

#include "pullback/training/options.h"

namespace pullback::training {

// A map f at K points of dimension n, each a row, with the products of its Jacobians; differentiable by autograd.
struct Linearised {
  torch::Tensor value;                                     // K × N
  std::function<torch::Tensor(const torch::Tensor&)> jvp;  // m × K × n ↦ m × K × N: J(z_k) v for each row v
  std::function<torch::Tensor(const torch::Tensor&)> vjp;  // m × K × N ↦ m × K × n: J(z_k)ᵀ w for each row w
};

// The metrics G_k = J(z_k)ᵀJ(z_k), K × n × n in double precision. Cost: n Jacobian products.
torch::Tensor metric(const Linearised& map, std::int64_t latent);

// How far the metric is from one multiple of I at all points, whatever the multiple:
//   E Tr(G²) / (E Tr G)² = E‖JᵀJv‖² / (E‖Jv‖²)², v ~ N(0, I)
// `probes`: the v, m × K × n. Both means are unbiased; their ratio is off by O(1/(mK)). At least 1/n, reached iff
// G = c²I everywhere. Undefined where J = 0. Cost: mK Jacobian products and as many transposed ones.
// Reference: Lee et al. (2022), as their code has it.
torch::Tensor isometric(const Linearised& map, const torch::Tensor& probes);

// How far the metric is from a multiple of I that may vary from point to point: E [Tr(G²) / (Tr G)²], at least 1/n.
//
// From G itself, as a ratio of means over few probes at each point would be biased.
torch::Tensor conformal(const torch::Tensor& metrics);

// How far the metric is from c²I with c² = E Tr G / n over these points: E‖G − c²I‖²_F. It falls with G itself, too.
// Reference: Chen et al. (2020), "Learning flat latent manifolds with VAEs".
torch::Tensor flat(const torch::Tensor& metrics);

// The sample variance over the points of log det G, in which a multiple of G changes nothing. At least two points.
//
// G + 1e-9 (Tr G / n + 1e-9) I stands for G, so that a decoder that has lost a coordinate has a finite loss.
// Reference: Nazari et al. (2023).
torch::Tensor volume(const torch::Tensor& metrics);

// How far stretching is outside [low, high]: E [(max(Q, high) − high)² + (min(Q, low) − low)²] with
// Q = ‖f(z') − f(z)‖ / ‖z' − z‖. All arguments have one point in each row; z' = z is undefined.
// Reference: Odena et al. (2018), algorithm 1.
torch::Tensor clamping(const torch::Tensor& codes, const torch::Tensor& values, const torch::Tensor& moved_codes,
                       const torch::Tensor& moved_values, double low, double high);

// Pairs of codes mixed: a z_i + (1 − a) z_j with a uniform on (−0.2, 1.2), as Lee et al. (2022) and Chen et al. (2020)
// do, so that a loss reaches between the codes and somewhat beyond them.
torch::Tensor mix(const torch::Tensor& codes, at::Generator& random);

class Network;

// `loss` plus the weighted penalties among the options' regularisers, all times `strength`, for a decoder whose pixels
// are the sigmoid of what `decoder` gives. Codes are taken as given: the gradient of a penalty reaches the decoder
// only. Draws random numbers only for penalties that are asked for.
torch::Tensor with_penalty(torch::Tensor loss, const Options& options, double strength, const Network& decoder,
                           const torch::Tensor& codes, at::Generator& random);

// The share of their weights that losses have which rise over the first --warm-up of the training, `done` of it being
// over.
double risen(const Options& options, double done);

}  // namespace pullback::training
