// The exponential map: geodesics from a point and a velocity.
#pragma once

#include <functional>
#include <string>

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/curves/curve.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

struct PULLBACK_EXPORT ExponentialOptions {
  // A step is accepted when the estimated error of position and velocity, measured in the metric at the start of the
  // geodesic and in that of the step, and relative to its length, is at most this. If rounding of the coordinates is
  // larger than that (a sheared chart), it is the limit instead.
  double tolerance = 1e-11;
  int max_steps = 20'000;
  std::function<bool()> should_stop = {};  // asked before every step; empty: never
};

enum class FlowStatus { kComplete, kTooManySteps, kNotFinite, kStopped };

// "complete", "too_many_steps", "not_finite", "stopped".
PULLBACK_EXPORT const char* to_string(FlowStatus status);

// A geodesic and, where asked for, how it moves with its start.
struct PULLBACK_EXPORT GeodesicFlow {
  FlowStatus status = FlowStatus::kComplete;
  Curve path;           // quintic, a node per accepted step; t ∈ [0,1]; empty unless complete
  Vector end_position;  // c(1)
  Vector end_velocity;  // ċ(1)
  // ∂(c(1), ċ(1))/∂(c(0), ċ(0)), 2n×2n, in blocks [∂c/∂z ∂c/∂v; ∂ċ/∂z ∂ċ/∂v]; empty unless asked for.
  Matrix sensitivity;
};

// exp_z(v): solves c̈ = a(c, ċ), c(0) = z, ċ(0) = v on [0,1] by Dormand–Prince 5(4) with adaptive steps, in the chart
// whitened by the metric at z, so that neither the steps nor the error depend on the conditioning of the latent axes.
//
//   z, v: n.  Undefined where the geodesic meets a singular metric: the status says so.
// Errors: std::invalid_argument for wrong sizes, or NaN or infinity in z or v; what a metric throws passes through.
// Cost: 6 geodesic accelerations and one factor a step; with sensitivities 6(4n+1), in batches (the variational
// equation's right-hand side is a central difference of a along each variation, so that sensitivities are good to about
// 1e-8).
// Reference: Dormand, Prince (1980), doi:10.1016/0771-050X(80)90013-3.
PULLBACK_EXPORT GeodesicFlow exponential_flow(const Manifold& manifold, const ConstVectorRef& z,
                                              const ConstVectorRef& v, Workspace& ws,
                                              const ExponentialOptions& options = {}, bool sensitivities = false);

// exp_z(v), the end point alone. Errors: as above; pullback::Error when the geodesic cannot be continued.
PULLBACK_EXPORT Vector exponential_map(const Manifold& manifold, const ConstVectorRef& z, const ConstVectorRef& v,
                                       const ExponentialOptions& options = {});

}  // namespace pullback
