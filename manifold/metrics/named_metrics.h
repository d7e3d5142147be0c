// Metrics that are given directly and have a name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pullback/base/export.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

// Each is a functor's frame, differentiated exactly, and NaN outside of its domain.
//
//   name                   M(z)                                        domain, dimension
//   half-plane             I/y², z = (x, y)                            y > 0, 2
//   half-space:n=3         I/y², y the last coordinate                 y > 0, n ≥ 2
//   poincare-disc          4I/(1−|z|²)²                                |z| < 1, 2
//   poincare-ball:n=3      the same                                    |z| < 1, n ≥ 1
//   klein-disc             I/(1−|z|²) + zzᵀ/(1−|z|²)²                  |z| < 1, 2
//   klein-ball:n=3         the same; its geodesics are straight lines  |z| < 1, n ≥ 1
//   fisher-normal          diag(1/σ², 2/σ²), z = (μ, σ)                σ > 0, 2
//   fisher-categorical:n=2 diag(1/p_i) + 11ᵀ/(1−Σp)                    p_i > 0, Σp < 1, n ≥ 1
//
// The hyperbolic ones have curvature −1; fisher-normal, the Fisher–Rao metric of normal distributions, −½;
// fisher-categorical, that of distributions over n+1 outcomes of which all but one probability are coordinates, ¼.
struct PULLBACK_EXPORT NamedMetric {
  std::string name;
  std::string description;
  int dimension;       // where nothing else is asked for
  bool any_dimension;  // whether `n` may be given
};
PULLBACK_EXPORT const std::vector<NamedMetric>& named_metrics();

// The manifold of a specification NAME or NAME:n=N; none where NAME is not one of these.
// Errors: std::invalid_argument, with what is valid, for a parameter that is unknown or out of range.
PULLBACK_EXPORT std::shared_ptr<const Manifold> open_named_metric(std::string_view specification);

}  // namespace pullback
