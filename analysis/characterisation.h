// How a generator's Jacobian behaves where its data are and away from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pullback/analysis/jacobian_survey.h"
#include "pullback/base/export.h"
#include "pullback/manifold/data/data_region.h"
#include "pullback/spaces/opened_space.h"

namespace pullback {

struct PULLBACK_EXPORT CharacterisationOptions {
  int points = 1000;    // inside, and as many outside
  double surround = 3;  // deviations from a datum up to which points outside are drawn
  std::uint64_t seed = 1;
};

// Over a set of points. Quantiles are at kQuantileLevels; "kept" coordinates are those that are not collapsed.
struct PULLBACK_EXPORT PlaceFigures {
  JacobianSurvey survey;                    // κ(J), σ and magnification in latent units
  std::vector<double> kept_kappa;           // κ(J) over the kept coordinates
  std::vector<double> scaled_kappa;         // the same with each step measured in deviations of the data
  std::vector<double> log10_magnification;  // log₁₀ of √det over the kept coordinates, per deviation
  std::vector<double> variation;            // of log det M over them, per deviation: manifold/fields/volume_variation.h
  double variation_rms = 0;                 // over the points at which it is defined
};

// Points inside are data; points outside lie at up to `surround` deviations from a datum, in the direction from one
// datum to another, uniformly by distance:
//
//   z = x_i + t (x_j − x_l)/‖x_j − x_l‖_Σ,  t ~ U(0, surround),  outside of the region.
//
// They move with the data under z → Az + b, and where the codes reach far they reach farther: a fixed box would hide
// what an autoencoder's Jacobian does at codes of size 12, and hold little else than emptiness for a VAE's.
// A coordinate is collapsed when a step of one deviation along it moves the output, in the median over the points
// inside, less than a hundredth as much as along the strongest.
struct PULLBACK_EXPORT Characterisation {
  double radius = 0;           // of the data's region, in deviations
  Vector deviations;           // of the data along each coordinate, latent units
  Vector reach;                // median output moved by one deviation along each coordinate, relative to the strongest
  std::vector<int> collapsed;  // coordinates from 0
  PlaceFigures inside;
  PlaceFigures outside;
};

// Errors: std::invalid_argument for a space without two codes; StopRequested (base/stop.h).
// Cost: about (3 + 4n) factors for each of 2 `points`. Thread safety: from any thread.
PULLBACK_EXPORT Characterisation characterise(const OpenedSpace& space, const CharacterisationOptions& options = {});

}  // namespace pullback
