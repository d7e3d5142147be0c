// Sectional curvature.
#pragma once

#include "pullback/base/export.h"
#include "pullback/base/types.h"
#include "pullback/base/workspace.h"
#include "pullback/manifold/manifold.h"

namespace pullback {

struct PULLBACK_EXPORT Curvature {
  double value;  // per unit of length squared; NaN where the metric is singular on the plane
  double error;  // estimated error by differences; 0 where derivatives are exact (rounding is not
                 // counted), NaN for a pullback whose derivatives are differenced: not known
};

// The sectional curvature of the plane that u and v span in the tangent space at z,
//
//   K = ⟨R(u,v)v, u⟩ / (|u|²|v|² − ⟨u,v⟩²),
//
// the Gaussian curvature where n = 2. For a pullback metric by the equation of Gauss,
//
//   ⟨R(u,v)v, u⟩ = ⟨II(u,u), II(v,v)⟩ − |II(u,v)|²,   II(u,w) the part of d²f[u,w] normal to the surface;
//
// for a metric given directly from its first and second derivatives,
//
//   d²M_uv[u,v] − ½ d²M_uu[v,v] − ½ d²M_vv[u,u] + |Γ(u,v)|² − ⟨Γ(u,u), Γ(v,v)⟩;
//
// for any other by differences of Γ, ⟨∂_u Γ(v,v) − ∂_v Γ(u,v) + Γ(u,Γ(v,v)) − Γ(v,Γ(u,v)), u⟩.
//
//   z, u, v: n.  Errors: std::invalid_argument for wrong sizes, vectors that span no plane, or a manifold with kinks.
// Cost: a Jacobian and three second derivatives; by differences 60 accelerations.
// Thread safety: one workspace per thread.
// Reference: do Carmo (1992), Riemannian Geometry, chapters 4 and 6.
PULLBACK_EXPORT Curvature sectional_curvature(const Manifold& manifold, const ConstVectorRef& z,
                                              const ConstVectorRef& u, const ConstVectorRef& v, Workspace& ws);

}  // namespace pullback
