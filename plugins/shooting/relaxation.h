// A few descent steps that bring a curve near a geodesic before shooting.
#pragma once

#include "pullback/manifold/curve.h"
#include "pullback/manifold/manifold.h"
#include "pullback/solvers/solver.h"

namespace pullback {

// A curve at constant speed, made shorter by at most `iterations` Gauss–Newton steps on the energy of its chords (each
// halved until the energy falls) for as long as a step promises a worthwhile gain. A curve that is nearly a geodesic
// already is returned as it came, at constant speed.
//
// Cost: 33 Jacobians an iteration, 33 values a trial.
Curve relaxed(const Manifold& manifold, const Curve& curve, int iterations, SolveContext& context);

}  // namespace pullback
