#include "pullback/manifold/curves/saddle.h"

#include <cmath>
#include <optional>
#include <stdexcept>

#include "pullback/manifold/numerics/block_tridiagonal.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/whitening.h"

namespace pullback {
namespace {

// Moves, as the root mean square metric distance of the nodes in units of the curve's length.
constexpr double kSmallestMove = 1.0 / 4096;
constexpr double kLargestMove = 0.5;
// A curve is lower when its energy is by this fraction: less is rounding.
constexpr double kLower = 1e-12;

}  // namespace

std::vector<Curve> beside_saddle(const Manifold& manifold, const Curve& curve, int chords, Workspace& ws) {
  if (chords < 6) throw std::invalid_argument("beside_saddle: at least 6 chords are needed");
  const Eigen::Index n = manifold.dimension();
  const Matrix Z = constant_speed(manifold, curve, chords, ws).positions();
  Variation variation = manifold.variation(Z, ws);
  const double lowest = smallest_eigenvalue(variation.hessian);
  if (!(lowest < 0)) return {};
  floor_diagonal(variation.factor);
  Matrix move = lowest_mode(variation.hessian, lowest);
  for (Eigen::Index i = 0; i + 1 < chords; ++i) {
    const auto R = variation.factor.middleCols(n * (i + 1), n).triangularView<Eigen::Upper>();
    move.col(i) = R.solve(Vector(move.col(i)));
  }
  const double energy = chord_energy(manifold, Z, ws);
  move *= std::sqrt(2 * energy * chords);
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
