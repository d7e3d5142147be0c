#include "pullback/manifold/curves/node_descent.h"

#include <utility>

#include "pullback/manifold/numerics/block_tridiagonal.h"
#include "pullback/manifold/numerics/chord_model.h"
#include "pullback/manifold/numerics/chords.h"

namespace pullback {
namespace {

constexpr double kSmallestStep = 1.0 / 1024;
// Keeps the normal equations definite where the metric vanishes, in units of the flat ones.
constexpr double kRegularisation = 1e-10;

// Gauss–Newton on E = ½ Σ ‖r_i‖² over the interior nodes, whitened.
struct Linearisation {
  Matrix factors;
  Matrix step;  // n×(K−1)
  double energy = 0;
  double gain = 0;  // ½ gᵀ(JᵀJ)⁻¹g
};

Linearisation linearise(const Manifold& manifold, const Matrix& Z, Workspace& ws) {
  const Eigen::Index n = Z.rows();
  const Eigen::Index K = Z.cols() - 1;
  Linearisation out;
  out.factors.resize(n, n * (K + 1));
  Matrix residual(2 * n + 1, K);
  Matrix jacobian(2 * n + 1, 2 * n * K);
  manifold.segments(Z, HessianModel::kGaussNewton, out.factors, residual, jacobian, ws);
  out.energy = 0.5 * residual.squaredNorm();
  const NormalEquations normal = normal_equations(residual, jacobian);
  out.step = BlockTridiagonalFactor(normal.hessian, -kRegularisation * static_cast<double>(K)).solve(-normal.gradient);
  out.gain = -0.5 * normal.gradient.cwiseProduct(out.step).sum();
  return out;
}

// False: no step lowers the energy.
bool descend(const Manifold& manifold, Matrix& Z, const Linearisation& at, Workspace& ws) {
  for (double damping = 1; damping >= kSmallestStep; damping /= 2) {
    Matrix trial = moved_nodes(Z, at.factors, at.step, damping);
    if (!(chord_energy(manifold, trial, ws) < at.energy - 0.1 * damping * at.gain)) continue;
    Z = std::move(trial);
    return true;
  }
  return false;
}

}  // namespace

int descend_nodes(const Manifold& manifold, Matrix& nodes, const RelaxationOptions& options, Workspace& ws) {
  int taken = 0;
  for (; taken < options.iterations; ++taken) {
    if (options.should_stop && options.should_stop()) break;
    const Linearisation at = linearise(manifold, nodes, ws);
    if (!(at.gain > options.worthwhile * at.energy) || !at.step.allFinite()) break;
    if (!descend(manifold, nodes, at, ws)) break;
    if (options.keep) options.keep(Curve::through(nodes));
  }
  return taken;
}

}  // namespace pullback
