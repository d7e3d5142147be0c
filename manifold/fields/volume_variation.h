// How smooth a metric is, whatever the units of latent space.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// The relative change of the volume that M measures, per standard deviation of the data.
//
//   v(z) = ‖∇_u log det(Dᵀ M(z + Du) D)‖ at u = 0, by central differences over `step`,
//          along the principal directions of DᵀM(z)D.
//
//   Z: n×K.  D: n×m, columns being steps of one deviation, m ≤ n: Rᵀ of DataRegion::factor() for all of latent space,
//   or those of some coordinates only, where others are collapsed and their volume is rounding and not geometry. step:
//   in deviations, > 0.  Returns K values ≥ 0, per deviation; NaN where J loses rank or is not finite.
//
// Why so: the logarithm takes away the units of the output, D those of latent space. Per latent unit the ranking of
// models turns round with the scale that training happened to give to the codes (a factor of ten between a VAE and a
// DAE), although z → Az is the same model. With D → AD, v(Az) is v(z) exactly, also for finite steps, because the
// directions are the metric's own. det M sees all eigenvalues of M together; where they change against one another, κ
// tells. A step of a tenth of a deviation, and not the limit, because a map with kinks (ReLU) has a volume that is
// constant between jumps: its derivative nearly everywhere is small, its change over any distance is not. For smooth M
// the step's error is O(step²).
//
// Cost: 1 + 2m factors a point. Thread safety: one workspace per thread.
// Errors: std::invalid_argument for shapes that do not match or a step that is not positive.
inline constexpr double kVariationStep = 0.1;
PULLBACK_EXPORT Vector volume_variation(const Manifold& manifold, const ConstMatrixRef& Z, const ConstMatrixRef& D,
                                        Workspace& ws, double step = kVariationStep);

// Singular values of J D (of R D where M = RᵀR is given directly) at a batch of points, m×K, each column decreasing.
// Their ratio is the condition number in the data's own units.  Cost: one factor a point. Errors: as above.
PULLBACK_EXPORT Matrix singular_values_along(const Manifold& manifold, const ConstMatrixRef& Z, const ConstMatrixRef& D,
                                             Workspace& ws);

}  // namespace pullback
