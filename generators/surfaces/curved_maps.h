// Curved maps of any dimension, for studies.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/generators/generator_registry.h"

namespace pullback {

// Adds the maps below, each under its name.
//
//   name            chart    f                                                                          parameters
//   hill            z ∈ Rᵈ   (z, h exp(−|z|²/2w²))                                                      d, h, w
//   random-network  z ∈ Rᵈ   W₂ tanh(W₁z + b), random weights, 3d hidden units (16 at least), 2d outputs (8 at least)
//                                                                                                       d, seed
//   valley          z ∈ Rᵈ   (y, exp(−|y|²/2)), y_1 = z_1, y_i = s_i(z_1) z_i                           d, kappa
//                            s_i(x) = exp(−log κ (i−1)/(d−1) exp(−x²/2v²)), v = 1/4
//
// The valley's chart is regular far from z_1 = 0 and has singular values from 1 to 1/κ in the middle, which no linear
// change of chart can repair; in the coordinates y it is the hill for every κ, so that lengths do not depend on κ.
// Errors: std::invalid_argument on opening one with a parameter outside its range.
PULLBACK_EXPORT void register_curved_maps(GeneratorRegistry& registry);

// y(z) of the valley, and its inverse. n×K each.
PULLBACK_EXPORT Matrix valley_to_base(const Matrix& points, double kappa);
PULLBACK_EXPORT Matrix valley_from_base(const Matrix& points, double kappa);
// The velocities of the image of a curve: dy(z)[v].
PULLBACK_EXPORT Matrix valley_push(const Matrix& points, const Matrix& velocities, double kappa);

}  // namespace pullback
