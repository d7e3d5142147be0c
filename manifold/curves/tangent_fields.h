// The fields of what comes of tangent vectors (base/fields.h).
#pragma once

#include <cmath>
#include <optional>

#include "pullback/base/fields.h"
#include "pullback/manifold/curves/exponential.h"
#include "pullback/manifold/curves/transport.h"
#include "pullback/manifold/metrics/curvature.h"

namespace pullback {

constexpr FlowStatus last_of(FlowStatus) { return FlowStatus::kStopped; }

// The end is that of a complete geodesic; of another one it is not known. Without the path, of which whoever writes it
// takes as many points as are wanted.
template <MaybeConst<GeodesicFlow> F, class V>
void visit_fields(F& flow, V&& visit) {
  const auto if_complete = [&](const Vector& x) {
    return flow.status == FlowStatus::kComplete ? std::optional<Vector>(x) : std::nullopt;
  };
  visit("status", flow.status);
  visit("end", if_complete(flow.end_position));
  visit("end_velocity", if_complete(flow.end_velocity));
}

// No vector where its error is not finite.
template <MaybeConst<Transported> T, class V>
void visit_fields(T& moved, V&& visit) {
  visit("transported", std::isfinite(moved.error) ? std::optional<Vector>(moved.vector) : std::nullopt);
  visit("relative_error", moved.error);
}

template <MaybeConst<Curvature> C, class V>
void visit_fields(C& curvature, V&& visit) {
  visit("curvature", curvature.value);
  visit("error", curvature.error);
}

}  // namespace pullback
