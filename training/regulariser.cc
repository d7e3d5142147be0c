#include "pullback/training/regulariser.h"

#include <ATen/ATen.h>

#include <stdexcept>

#include "pullback/training/network.h"

namespace pullback::training {
namespace {

constexpr double kMixedBeyond = 0.2;      // η of Lee et al. (2022)
constexpr double kLostCoordinate = 1e-9;  // relative to Tr G / n: far below any metric of use, far above rounding

torch::Tensor traces(const torch::Tensor& metrics) { return metrics.diagonal(0, 1, 2).sum(1); }

// Tr(G²) of each point, G being symmetric.
torch::Tensor squared_traces(const torch::Tensor& metrics) { return metrics.square().sum({1, 2}); }

torch::Tensor clamping_of(const Options& options, const Network& decoder, const torch::Tensor& codes,
                          at::Generator& random) {
  const torch::Tensor direction = at::randn(codes.sizes(), random);
  const torch::Tensor moved = codes + options.clamp_step * direction / direction.norm(2, 1, /*keepdim=*/true);
  return clamping(codes, decoder.forward(codes).sigmoid(), moved, decoder.forward(moved).sigmoid(),
                  options.clamp_range[0], options.clamp_range[1]);
}

torch::Tensor one_penalty(const std::string& name, const Options& options, const Network& decoder,
                          const torch::Tensor& codes, at::Generator& random) {
  if (name == "clamping") return clamping_of(options, decoder, codes, random);
  if (name == "volume") return volume(metric(decoder.linearise(codes, "sigmoid"), codes.size(1)));
  const Linearised map = decoder.linearise(mix(codes, random), "sigmoid");
  if (name == "isometric") return isometric(map, at::randn({1, codes.size(0), codes.size(1)}, random));
  if (name == "conformal") return conformal(metric(map, codes.size(1)));
  if (name == "flat") return flat(metric(map, codes.size(1)));
  throw std::invalid_argument("unknown regulariser " + name);
}

}  // namespace

torch::Tensor metric(const Linearised& map, std::int64_t latent) {
  const torch::Tensor units = at::eye(latent, map.value.options().requires_grad(false)).unsqueeze(1);
  const torch::Tensor columns = map.jvp(units.expand({latent, map.value.size(0), latent})).to(torch::kDouble);
  return at::einsum("akp,bkp->kab", {columns, columns});
}

torch::Tensor isometric(const Linearised& map, const torch::Tensor& probes) {
  const torch::Tensor pushed = map.jvp(probes);
  return map.vjp(pushed).square().sum(-1).mean() / pushed.square().sum(-1).mean().square();
}

torch::Tensor conformal(const torch::Tensor& metrics) {
  return (squared_traces(metrics) / traces(metrics).square()).mean();
}

torch::Tensor flat(const torch::Tensor& metrics) {
  // E Tr(G − c²I)² with c² = E Tr G / n.
  const auto n = static_cast<double>(metrics.size(1));
  return squared_traces(metrics).mean() - traces(metrics).mean().square() / n;
}

torch::Tensor volume(const torch::Tensor& metrics) {
  const std::int64_t n = metrics.size(1);
  const torch::Tensor floor = kLostCoordinate * (traces(metrics) / static_cast<double>(n) + kLostCoordinate);
  const torch::Tensor lifted = metrics + floor.view({-1, 1, 1}) * at::eye(n, metrics.options().requires_grad(false));
  return at::logdet(lifted).var();
}

torch::Tensor clamping(const torch::Tensor& codes, const torch::Tensor& values, const torch::Tensor& moved_codes,
                       const torch::Tensor& moved_values, double low, double high) {
  // Under the root, a little keeps the gradient finite where the decoder does not move at all.
  constexpr double kTiny = 1e-12;
  const torch::Tensor distances = ((moved_values - values).square().sum(1) + kTiny).sqrt();
  const torch::Tensor stretching = distances / (moved_codes - codes).norm(2, 1);
  return ((stretching - high).relu().square() + (low - stretching).relu().square()).mean();
}

torch::Tensor mix(const torch::Tensor& codes, at::Generator& random) {
  const torch::Tensor others = codes.index_select(0, at::randperm(codes.size(0), random, torch::kLong));
  const torch::Tensor share = at::rand({codes.size(0), 1}, random) * (1 + 2 * kMixedBeyond) - kMixedBeyond;
  return share * codes + (1 - share) * others;
}

torch::Tensor with_penalty(torch::Tensor loss, const Options& options, double strength, const Network& decoder,
                           const torch::Tensor& codes, at::Generator& random) {
  if (strength == 0) return loss;
  for (const auto& [name, weight] : options.regularisers) {
    if (name == "spectral") continue;  // acts on the weights themselves
    loss = loss + strength * weight * one_penalty(name, options, decoder, codes.detach(), random);
  }
  return loss;
}

double risen(const Options& options, double done) { return done < options.warm_up ? done / options.warm_up : 1; }

}  // namespace pullback::training
