#include "pullback/manifold/curves/saddle.h"

#include <cmath>
#include <optional>
#include <stdexcept>

#include "pullback/manifold/numerics/block_tridiagonal.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/curve_spectrum.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

// Moves, as the root mean square metric distance of the nodes in units of the curve's length.
constexpr double kSmallestMove = 1.0 / 4096;
constexpr double kLargestMove = 0.5;
// A curve is lower when its energy is by this fraction: less is rounding.
constexpr double kLower = 1e-12;

// The lowest mode, n×(K−1), in latent coordinates and of norm one in the metrics of its nodes; nothing where the second
// variation has no negative eigenvalue.
std::optional<Matrix> negative_mode_by_blocks(const Manifold& manifold, const Matrix& Z, Workspace& ws) {
  const Eigen::Index n = manifold.dimension();
  Variation variation = manifold.variation(Z, ws);
  const double lowest = smallest_eigenvalue(variation.hessian);
  if (!(lowest < 0)) return std::nullopt;
  floor_diagonal(variation.factor);
  Matrix mode = lowest_mode(variation.hessian, lowest);
  for (Eigen::Index i = 0; i < mode.cols(); ++i) {
    const auto R = variation.factor.middleCols(n * (i + 1), n).triangularView<Eigen::Upper>();
    mode.col(i) = R.solve(Vector(mode.col(i)));
  }
  return mode;
}

std::optional<Matrix> negative_mode_by_products(const Manifold& manifold, const Matrix& Z, Workspace& ws) {
  const auto products = manifold.variation_products(Z, ws);
  const CurveSpectrum lowest = lowest_of_curve(*products, FlatPreconditioner(manifold, Z, ws), ws);
  if (!(lowest.value < 0)) return std::nullopt;
  return lowest.mode / std::sqrt(lowest.mode.cwiseProduct(products->metric(lowest.mode, ws)).sum());
}

}  // namespace

std::vector<Curve> beside_saddle(const Manifold& manifold, const Curve& curve, int chords, Workspace& ws) {
  if (chords < 6) throw std::invalid_argument("beside_saddle: at least 6 chords are needed");
  const Matrix Z = constant_speed(manifold, curve, chords, ws).positions();
  const std::optional<Matrix> mode = manifold.prefers_products() ? negative_mode_by_products(manifold, Z, ws)
                                                                 : negative_mode_by_blocks(manifold, Z, ws);
  if (!mode) return {};
  const double energy = chord_energy(manifold, Z, ws);
  const Matrix move = *mode * std::sqrt(2 * energy * chords);
  std::vector<Curve> out;
  for (const double side : {1.0, -1.0}) {
    double least = energy * (1 - kLower);
    std::optional<Matrix> best;
    for (double size = kSmallestMove; size <= kLargestMove; size *= 2) {
      Matrix trial = Z;
      trial.middleCols(1, chords - 1) += side * size * move;
      const double trial_energy = chord_energy(manifold, trial, ws);
      if (!(trial_energy < least)) continue;
      least = trial_energy;
      best = trial;
    }
    if (best) out.push_back(Curve::through(*best));
  }
  return out;
}

}  // namespace pullback
