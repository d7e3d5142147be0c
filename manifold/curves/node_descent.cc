#include "pullback/manifold/curves/node_descent.h"

#include <optional>
#include <utility>

#include "pullback/manifold/numerics/block_tridiagonal.h"
#include "pullback/manifold/numerics/chord_model.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/conjugate_gradients.h"
#include "pullback/manifold/numerics/flat_preconditioner.h"

namespace pullback {
namespace {

constexpr double kSmallestStep = 1.0 / 1024;
// Keeps the normal equations definite where the metric vanishes, in units of the flat ones.
constexpr double kRegularisation = 1e-10;

constexpr Eigen::Index kLeastProductChords = 6;
constexpr ConjugateGradientsOptions kSolve{1e-2, 200};

// Gauss–Newton on E = ½ Σ ‖r_i‖² over the interior nodes.
struct Linearisation {
  Matrix moves;  // n×(K−1), in latent coordinates
  double energy = 0;
  double gain = 0;  // ½ gᵀ(JᵀJ)⁻¹g
};

Linearisation linearise_by_blocks(const Manifold& manifold, const Matrix& Z, Workspace& ws) {
  const Eigen::Index n = Z.rows();
  const Eigen::Index K = Z.cols() - 1;
  Matrix factors(n, n * (K + 1));
  Matrix residual(2 * n + 1, K);
  Matrix jacobian(2 * n + 1, 2 * n * K);
  manifold.segments(Z, HessianModel::kGaussNewton, factors, residual, jacobian, ws);
  const NormalEquations normal = normal_equations(residual, jacobian);
  const Matrix step =
      BlockTridiagonalFactor(normal.hessian, -kRegularisation * static_cast<double>(K)).solve(-normal.gradient);
  Linearisation out;
  out.energy = 0.5 * residual.squaredNorm();
  out.gain = -0.5 * normal.gradient.cwiseProduct(step).sum();
  out.moves = moved_nodes(Matrix::Zero(n, K + 1), factors, step).middleCols(1, K - 1);
  return out;
}

// By conjugate gradients, with the preconditioner of the nodes before.
Linearisation linearise_by_products(const Manifold& manifold, const Matrix& Z, std::optional<FlatPreconditioner>& flat,
                                    Workspace& ws) {
  const auto products = manifold.variation_products(Z, ws);
  flat = FlatPreconditioner(manifold, Z, ws, flat ? &*flat : nullptr);
  const Matrix downhill = -products->chord_gradient();
  Linearisation out;
  out.energy = products->energy();
  out.moves = conjugate_gradients([&](const Matrix& V) { return products->gauss_newton(V, ws); },
                                  [&](const Matrix& G) { return flat->solve(G); }, downhill, kSolve)
                  .x;
  out.gain = 0.5 * downhill.cwiseProduct(out.moves).sum();
  return out;
}

// False: no step lowers the energy.
bool descend(const Manifold& manifold, Matrix& Z, const Linearisation& at, Workspace& ws) {
  for (double damping = 1; damping >= kSmallestStep; damping /= 2) {
    Matrix trial = Z;
    trial.middleCols(1, at.moves.cols()) += damping * at.moves;
    if (!(chord_energy(manifold, trial, ws) < at.energy - 0.1 * damping * at.gain)) continue;
    Z = std::move(trial);
    return true;
  }
  return false;
}

}  // namespace

int descend_nodes(const Manifold& manifold, Matrix& nodes, const RelaxationOptions& options, Workspace& ws) {
  const bool by_products = manifold.prefers_products() && nodes.cols() > kLeastProductChords;
  std::optional<FlatPreconditioner> flat;
  int taken = 0;
  for (; taken < options.iterations; ++taken) {
    if (options.should_stop && options.should_stop()) break;
    const Linearisation at =
        by_products ? linearise_by_products(manifold, nodes, flat, ws) : linearise_by_blocks(manifold, nodes, ws);
    if (!(at.gain > options.worthwhile * at.energy) || !at.moves.allFinite()) break;
    if (!descend(manifold, nodes, at, ws)) break;
    if (options.keep) options.keep(Curve::through(nodes));
  }
  return taken;
}

}  // namespace pullback
