// The part of a certificate that comes from the second variation of the energy.
#pragma once

#include <cmath>

#include "pullback/solvers/certificate.h"

namespace pullback {

constexpr double kFlatSecondVariation = M_PI * M_PI;  // the flat second variation's smallest eigenvalue
constexpr int kMostVariationChords = 8192;

// Fills relative_excess, second_variation, second_variation_error, max_turning_angle and conjugate_point of a
// certificate whose length is measured. Returns the factors R at the nodes of the finest grid, n×n(K+1); empty if they
// are not finite.
Matrix measure_second_variation(const Manifold& manifold, const Curve& curve, const CertificateLimits& limits,
                                Certificate& out, Workspace& ws);

}  // namespace pullback
