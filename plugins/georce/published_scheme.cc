#include <cmath>
#include <utility>

#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/numerics/whitening.h"
#include "pullback/plugins/georce/control_problem.h"
#include "pullback/plugins/georce/schemes.h"

namespace pullback {
namespace {

// Halvings of the step before the search for a lower energy is given up, as published.
constexpr int kMostHalvings = 100;

// The curve x_0 … x_T, the roots of G(x_t) for t < T, and Σ u_tᵀG(x_t)u_t.
struct LeftPointCurve {
  LeftPointCurve(const Manifold& manifold, Matrix points, Workspace& ws)
      : nodes(std::move(points)), roots(nodes.rows(), nodes.rows() * (nodes.cols() - 1)) {
    const Eigen::Index n = nodes.rows();
    const Eigen::Index T = nodes.cols() - 1;
    steps = nodes.rightCols(T) - nodes.leftCols(T);
    manifold.factor(nodes.leftCols(T), roots, ws);
    momenta.resize(n, T);
    for (Eigen::Index t = 0; t < T; ++t) {
      const auto R = roots.middleCols(n * t, n);
      const Vector whitened = R * steps.col(t);
      energy += whitened.squaredNorm();
      momenta.col(t) = R.transpose() * whitened;
    }
  }

  Matrix nodes;
  Matrix roots;
  Matrix steps;    // u_t
  Matrix momenta;  // G(x_t) u_t
  double energy = 0;
};

// ∂_x [uᵀG(x)u] at every column of Z for the column u of U, where the ambient space is Euclidean: the Hessian of f
// weighted by Ju, applied to 2u.
void form_gradient(const Generator& f, const Matrix& Z, const Matrix& U, Matrix& g, Workspace& ws) {
  const Eigen::Index n = Z.rows();
  Workspace::Frame frame(ws);
  auto X = frame.matrix(f.ambient_dimension(), Z.cols());
  auto J = frame.matrix(f.ambient_dimension(), n * Z.cols());
  auto H = frame.matrix(n, n * Z.cols());
  f.value_and_jacobian(Z, X, J, ws);
  for (Eigen::Index t = 0; t < Z.cols(); ++t) X.col(t) = J.middleCols(n * t, n) * U.col(t);
  f.weighted_hessian(Z, X, H, ws);
  for (Eigen::Index t = 0; t < Z.cols(); ++t) g.col(t) = 2 * H.middleCols(n * t, n) * U.col(t);
}

// The same for any metric: ∂_a [uᵀGu] = −2 ⟨a(e_a, u), u⟩, with the acceleration polarised,
// a(p, u) = (a(p+u) − a(p−u)) / 4, along axes scaled to the length of u. `momenta` are Gu.
void form_gradient(const Manifold& manifold, const LeftPointCurve& at, Matrix& g, Workspace& ws) {
  const Eigen::Index n = g.rows();
  const Eigen::Index count = g.cols();
  const Matrix Z = at.nodes.middleCols(1, count);
  Matrix plus(n, count);
  Matrix minus(n, count);
  for (Eigen::Index a = 0; a < n; ++a) {
    Matrix V = at.steps.rightCols(count);
    Vector scale(count);
    for (Eigen::Index t = 0; t < count; ++t) {
      const auto R = at.roots.middleCols(n * (t + 1), n);
      const double ratio = (R * V.col(t)).norm() / R.col(a).norm();
      scale(t) = ratio > 0 && std::isfinite(ratio) ? ratio : 1;
    }
    V.row(a) += scale.transpose();
    manifold.acceleration(Z, V, plus, ws);
    V.row(a) -= 2 * scale.transpose();
    manifold.acceleration(Z, V, minus, ws);
    for (Eigen::Index t = 0; t < count; ++t) {
      g(a, t) = -0.5 / scale(t) * (plus.col(t) - minus.col(t)).dot(at.momenta.col(t + 1));
    }
  }
}

// ∂E/∂x_t at the interior nodes, in the chart.
Matrix gradient_of(const Manifold& manifold, const LeftPointCurve& at, Workspace& ws) {
  const Eigen::Index T = at.steps.cols();
  Matrix g(at.steps.rows(), T - 1);
  if (dynamic_cast<const PullbackManifold*>(&manifold) != nullptr) {
    form_gradient(*manifold.generator(), at.nodes.middleCols(1, T - 1), at.steps.rightCols(T - 1), g, ws);
  } else {
    form_gradient(manifold, at, g, ws);
  }
  return g + 2 * (at.momenta.leftCols(T - 1) - at.momenta.rightCols(T - 1));
}

// False: no step lowers the energy.
bool take_step(const Manifold& manifold, const Matrix& move, LeftPointCurve& at, Workspace& ws) {
  double damping = 1;
  for (int i = 0; i <= kMostHalvings; ++i, damping /= 2) {
    Matrix trial = at.nodes;
    trial.middleCols(1, move.cols()) += damping * move;
    LeftPointCurve next(manifold, std::move(trial), ws);
    if (!(next.energy < at.energy)) continue;
    at = std::move(next);
    return true;
  }
  return false;
}

}  // namespace

EnergyRun minimise_published(const Manifold& manifold, Matrix& nodes, const PublishedBounds& bounds,
                             SolveContext& context) {
  Workspace& ws = context.workspace();
  LeftPointCurve at(manifold, nodes, ws);
  EnergyRun out;
  out.initial_energy = out.final_energy = at.energy;
  for (;; ++out.iterations) {
    nodes = at.nodes;
    out.final_energy = at.energy;
    context.record(out.iterations, std::sqrt(static_cast<double>(at.steps.cols()) * at.energy));
    context.keep(Curve::through(nodes));
    const Matrix gradient = gradient_of(manifold, at, ws);
    if (!gradient.allFinite()) return out;
    if (gradient.norm() <= bounds.gradient_tolerance) {
      out.status = IterationStatus::kConverged;
      return out;
    }
    if (out.iterations == bounds.max_iterations || context.should_stop()) {
      out.status =
          out.iterations == bounds.max_iterations ? IterationStatus::kMaxIterations : IterationStatus::kStopped;
      return out;
    }
    floor_diagonal(at.roots);
    const Matrix move = ControlProblem(at.roots).solve(-0.5 * gradient);
    if (!move.allFinite()) return out;
    if (take_step(manifold, move, at, ws)) continue;
    out.status = IterationStatus::kStalled;
    return out;
  }
}

}  // namespace pullback
