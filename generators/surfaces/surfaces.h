// The analytic surfaces with known geodesics.
#pragma once

#include "pullback/base/export.h"
#include "pullback/generators/generator_registry.h"

namespace pullback {

// Adds the surfaces below to the registry, each under its name with its parameters. All are differentiated exactly;
// those marked * are not smooth and say so.
//
//   name                   chart   f                                                                    parameters
//   sphere                 (θ,φ)   (sin θ cos φ, sin θ sin φ, cos θ)
//   sphere-scaled          (a,φ)   the sphere at θ = π/2 + εa                                           epsilon
//   sheared-sphere         z       the sphere at (z_1 + s z_2, z_2)                                     s
//   sphere-stereographic   z ∈ Rᵈ  (1 − |z|², 2z)/(1 + |z|²)                                            d
//   plane                  (x,y)   (x, y, 0)
//   paraboloid             (x,y)   (x, y, x² + y²)
//   bump                   (x,y)   (x, y, h exp(−(x² + y²)/2w²))                                        h, w
//   torus                  (t,p)   ((R + r cos t) cos p, (R + r cos t) sin p, r sin t)                  R, r
//   catenoid               (u,v)   (cosh u cos v, cosh u sin v, u)
//   helicoid               (u,v)   (sinh u cos v, sinh u sin v, v)
//   pseudosphere           (u,v)   (sech u cos v, sech u sin v, u − tanh u)
//   clifford-torus         (u,v)   (cos u, sin u, cos v, sin v)/√2
//   swiss-roll             (t,h)   (t cos t, h, t sin t)
//   rbf-variance           z ∈ R²  (z, σ, σ, σ, σ), σ = (exp(−|z|²) + 0.01)^(−1/2); stochastic: (μ, σ)
//   linear                 z ∈ R²  U diag(1, 10⁻ᵏ) Vᵀ z, U and V rotations by the angles u and v          k, u, v
//   cusp                   (t,v)   (t², t³, v)
//   collapsed-disc *       z ∈ R²  max(|z| − 1, 0) z/|z|
//   relu-fold *            (x,y)   (x, y, s max(x, 0))                                                  s
//   pyramid *              (x,y)   (x, y, max(0, 1 − |x| − |y|))
//   step *                 (x,y)   (x, y, h [x > 0])                                                    h
//
// Errors: std::invalid_argument as add_named, and on opening a surface with a parameter outside its range.
// Cost: nothing is made before it is opened.
PULLBACK_EXPORT void register_surfaces(GeneratorRegistry& registry);

}  // namespace pullback
