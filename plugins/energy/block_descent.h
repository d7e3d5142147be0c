// The discrete energy minimised without Ceres, for many latent dimensions.
#pragma once

#include "pullback/plugins/energy/discrete_energy.h"

namespace pullback {

// Dimensions from which Ceres' sparse factorisation takes so long that nobody can stop it in time.
inline constexpr int kManyDimensions = 16;

// As minimise_discrete_energy, by Levenberg–Marquardt with the radius rule that Ceres has (Madsen, Nielsen, Tingleff
// 2004), on the block-tridiagonal normal equations. Every block asks whether to stop: StopRequested passes.
//
// Cost: as minimise_discrete_energy in evaluations; K factorisations of n×n blocks an iteration.
EnergyRun minimise_by_blocks(const Manifold& manifold, Matrix& nodes, const MinimisationOptions& options,
                             int first_iteration, SolveContext& context);

}  // namespace pullback
