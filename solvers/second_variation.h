// The part of a certificate that comes from the second variation of the energy.
#pragma once

#include <cmath>
#include <optional>

#include "pullback/manifold/curves/measure.h"
#include "pullback/solvers/certificate.h"

namespace pullback {

constexpr double kFlatSecondVariation = M_PI * M_PI;  // the flat second variation's smallest eigenvalue
constexpr int kMostVariationChords = 8192;

// Fills relative_excess, second_variation, second_variation_error, max_turning_angle and conjugate_point of a
// certificate whose length is measured, as `measured` says. Returns the factors R at the nodes of the finest grid,
// n×n(K+1), or an empty matrix where the manifold prefers products; nothing if they are not finite.
std::optional<Matrix> measure_second_variation(const Manifold& manifold, const Curve& curve,
                                               const Measurement& measured, const CertificateLimits& limits,
                                               Certificate& out, Workspace& ws);

}  // namespace pullback
