// Analytic surfaces by name, as manifolds.
#pragma once

#include <memory>
#include <string>

#include "pullback/generators/surfaces/curved_maps.h"
#include "pullback/generators/surfaces/surfaces.h"
#include "pullback/manifold/metrics/pullback_manifold.h"

namespace pullback::testing {

inline std::shared_ptr<const Manifold> surface(const std::string& spec) {
  GeneratorRegistry registry;
  register_surfaces(registry);
  register_curved_maps(registry);
  return std::make_shared<PullbackManifold>(registry.open(spec).generator);
}

}  // namespace pullback::testing
