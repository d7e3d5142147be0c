// Pairs of labelled digits, mixed in five ways.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "classifier.h"
#include "pullback/generators/generator.h"

namespace interpolation_data {

// What half of every batch consists of; the other half are labelled digits as they are.
enum class Mixing {
  kNone,      // more of the same labelled digits
  kDecoded,   // digits decoded from their codes, not mixed: what decoding alone does
  kInputs,    // (1 − t) x_a + t x_b
  kCodes,     // the digit decoded from (1 − t) z_a + t z_b
  kGeodesics  // the digit decoded from γ(t), γ the geodesic from z_a to z_b
};
inline constexpr Mixing kMixings[] = {Mixing::kNone, Mixing::kDecoded, Mixing::kInputs, Mixing::kCodes,
                                      Mixing::kGeodesics};
const char* to_string(Mixing mixing);

// Labelled digits with their codes.
struct Digits {
  Images images;           // pixels×K
  pullback::Matrix codes;  // n×K
  std::vector<int> labels;
};

// Two different digits by number, and the geodesic between their codes at points uniform in t, of constant speed.
struct Pair {
  int a = 0;
  int b = 0;
  pullback::Matrix path;  // n×P, P ≥ 2
};

// t ∈ [0, 1] of the Beta(α, α) distribution, the same on every machine: X/(X + Y) by Jöhnk's rejection.
double random_weight(double alpha, std::mt19937_64& random);

// A point of the path between its points, straight between neighbours.
pullback::Vector point_on_path(const pullback::Matrix& path, double t);

// A batch of `size` digits, half of them mixed from random pairs with random weights t; a mixed label is (1 − t) of a
// and t of b, and for kDecoded t is rounded to 0 or 1. The random numbers that are drawn do not depend on the mixing,
// so that all mixings see the same digits, pairs and weights.
struct MixedBatch {
  Images images;
  Targets targets;
};
MixedBatch draw_batch(Mixing mixing, const Digits& digits, const std::vector<Pair>& pairs,
                      const pullback::Generator& decoder, int size, double alpha, int classes, std::mt19937_64& random,
                      pullback::Workspace& workspace);

}  // namespace interpolation_data
