// A space with a coordinate that its codes leave to the prior.
#pragma once

#include <cmath>
#include <memory>

#include "pullback/base/random.h"
#include "pullback/generators/formula/autodiff.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/spaces/opened_space.h"

namespace pullback::testing {

// f(z) = (e^{z₁}, 2 z₂, 1e-5 z₃) at codes from N(0, I): log det M = 2 z₁ + const, κ kept = max(e^{z₁}, 2)/min(…).
inline OpenedSpace space_with_codes(const Matrix& codes) {
  const auto f = make_generator(3, 3, [](const auto& z) {
    using std::exp;
    using Scalar = std::decay_t<decltype(z(0))>;
    return Eigen::Vector<Scalar, 3>(exp(z(0)), 2.0 * z(1), 1e-5 * z(2));
  });
  return {"exponential", std::make_shared<PullbackManifold>(f), codes, {}, {}};
}

inline Matrix normal_codes(double third) {
  Random random(4);
  Matrix codes = random.normal_matrix(3, 800);
  codes.row(2) *= third;
  return codes;
}

}  // namespace pullback::testing
