// A synthetic data set with a hole in it.
#pragma once

#include <cstdint>

#include "pullback/analysis/uncertainty.h"
#include "pullback/base/export.h"

namespace pullback {

// Points on a noisy ring and a smooth decoder fitted to them.
//
//   codes (1 + 0.08 ξ)(cos θ, sin θ), outputs E(cos θ, sin θ, ½ cos 2θ, ½ sin 2θ) + 0.05 ξ in R¹⁰, E with orthonormal
//   columns; θ uniform, ξ normal; 600 of them. The decoder is a network of 48 tanh units with random weights, the last
//   layer fitted by least squares: smooth inside of the ring, where it has seen nothing.
//
// The same seed gives the same data on every machine, up to rounding.
struct PULLBACK_EXPORT RingModel {
  Safetensors content;  // of a model file
  Observations observed;
};
PULLBACK_EXPORT RingModel make_ring(std::uint64_t seed);

}  // namespace pullback
