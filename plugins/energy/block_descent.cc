#include "pullback/plugins/energy/block_descent.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "pullback/manifold/numerics/chord_model.h"
#include "pullback/manifold/numerics/chords.h"

namespace pullback {
namespace {

// The trust region, as Ceres begins and bounds it, and the gain below which a step is not taken.
constexpr double kFirstRadius = 1e4;
constexpr double kLargestRadius = 1e12;
constexpr double kSmallestRadius = 1e-32;
constexpr double kLeastGain = 1e-3;

struct Linearisation {
  Matrix factors;
  NormalEquations equations;
  double energy = 0;
  bool finite() const { return std::isfinite(energy) && equations.gradient.allFinite() && factors.allFinite(); }
};

Linearisation linearise(const Manifold& manifold, const Matrix& nodes, HessianModel model, Workspace& ws) {
  const Eigen::Index n = nodes.rows();
  const Eigen::Index K = nodes.cols() - 1;
  Linearisation out;
  out.factors.resize(n, n * (K + 1));
  Matrix residual(2 * n + 1, K);
  Matrix jacobian(2 * n + 1, 2 * n * K);
  manifold.segments(nodes, model, out.factors, residual, jacobian, ws);
  out.energy = 0.5 * residual.squaredNorm();
  out.equations = normal_equations(residual, jacobian);
  return out;
}

// (H + diag(H)/radius)⁻¹ (−g), and by how much it promises to lower the energy.
Matrix damped_step(const NormalEquations& at, double radius, double& promise) {
  BlockTridiagonal damped = at.hessian;
  for (int i = 0; i < damped.blocks(); ++i) {
    auto block = damped.diagonal_block(i);
    block.diagonal() += block.diagonal() / radius;
  }
  Matrix step = BlockTridiagonalFactor(damped).solve(-at.gradient);
  // −gᵀδ − ½ δᵀHδ, with Hδ = −g − diag(H)/radius δ.
  promise = -0.5 * at.gradient.cwiseProduct(step).sum();
  for (int i = 0; i < damped.blocks(); ++i) {
    const Vector diagonal = at.hessian.diagonal_block(i).diagonal();
    promise += 0.5 / radius * step.col(i).cwiseAbs2().dot(diagonal);
  }
  return step;
}

// The radius in which steps are taken, and the energy of the last one.
struct TrustRegion {
  double energy;
  double radius = kFirstRadius;
  double shrink = 2;

  // Moves the nodes by the first step that lowers the energy. False: that changes it by at most the tolerance, or there
  // is none.
  bool step(const Manifold& manifold, const Linearisation& at, double tolerance, Matrix& nodes, Workspace& ws) {
    for (;;) {
      double promise = 0;
      Matrix trial = moved_nodes(nodes, at.factors, damped_step(at.equations, radius, promise));
      const double after = trial.allFinite() ? chord_energy(manifold, trial, ws) : std::nan("");
      const double gain = (at.energy - after) / promise;
      const bool taken = gain > kLeastGain;
      if (taken) {
        nodes = std::move(trial);
        energy = after;
        radius = std::min(radius / std::max(1.0 / 3, 1 - std::pow(2 * gain - 1, 3)), kLargestRadius);
        shrink = 2;
      } else {
        radius /= shrink;
        shrink *= 2;
      }
      if (std::abs(at.energy - after) <= tolerance * at.energy || radius < kSmallestRadius) return false;
      if (taken) return true;
    }
  }
};

}  // namespace

EnergyRun minimise_by_blocks(const Manifold& manifold, Matrix& nodes, const MinimisationOptions& options,
                             int first_iteration, SolveContext& context) {
  Workspace& ws = context.workspace();
  Linearisation at = linearise(manifold, nodes, options.hessian, ws);
  EnergyRun out;
  out.initial_energy = out.final_energy = at.energy;
  TrustRegion region{.energy = at.energy};
  for (;; ++out.iterations) {
    if (!at.finite()) return out;
    context.record(first_iteration + out.iterations, std::sqrt(2 * at.energy));
    context.keep(Curve::through(nodes));
    if (out.iterations == options.max_iterations || context.should_stop()) {
      out.status = context.should_stop() ? IterationStatus::kStopped : IterationStatus::kMaxIterations;
      return out;
    }
    if (!region.step(manifold, at, options.energy_tolerance, nodes, ws)) {
      out.final_energy = region.energy;
      out.status = IterationStatus::kConverged;
      return out;
    }
    out.final_energy = region.energy;
    at = linearise(manifold, nodes, options.hessian, ws);
  }
}

}  // namespace pullback
