// Acceleration of fixed-point iterations on discrete curves.
#pragma once

#include <deque>

#include "pullback/base/export.h"
#include "pullback/base/types.h"

namespace pullback {

// Anderson mixing: of the last iterates and their images, the combination whose residual g(x) − x is shortest in the
// metric.
//
//   f = g(x) − x,  γ = argmin Σ_i ‖R_i (f − Σ_j γ_j Δf_j)_i‖²,  next = g(x) − Σ_j γ_j (Δx_j + Δf_j),
// with Δ the differences of successive iterates. Where g is linear, as near a fixed point, it converges as GMRES does:
// in as many steps as g has different eigenvalues.
//
//   x, g(x): n×m, m points of a curve.  factors: n×(nm), R_i the factor of the metric at point i, so that the chart
//   plays no role.
// Undefined for arguments that are not finite. Cost: O(memory² n m). Thread safety: none.
// Reference: Walker, Ni (2011), doi:10.1137/10078356X.
class PULLBACK_EXPORT AndersonMixing {
 public:
  explicit AndersonMixing(int memory) : memory_(memory) {}

  // The next iterate, g(x) itself when nothing is remembered. Remembers x and g(x).
  Matrix next(const Matrix& x, const Matrix& image, const Matrix& factors);
  // Forgets all iterates: for when g has changed, or mixing has made things worse.
  void clear();

 private:
  int memory_;
  Matrix x_;
  Matrix residual_;
  std::deque<Matrix> x_changes_;
  std::deque<Matrix> residual_changes_;
};

}  // namespace pullback
