#include <Eigen/QR>
#include <cmath>
#include <optional>
#include <utility>

#include "pullback/base/stop.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/whitening.h"
#include "pullback/plugins/georce/control_problem.h"
#include "pullback/plugins/georce/schemes.h"

namespace pullback {
namespace {

constexpr double kSmallestStep = 1.0 / (1 << 20);
// A step is taken when it lowers the energy by this fraction of what its slope promises (Armijo).
constexpr double kSufficient = 1e-4;
// In a chart whitened by the mean metric, a metric below this (the square of it, as a form) is raised to it where a
// step is computed: where J loses rank G⁻¹ would let the nodes there run away. The minimum is not moved by it.
constexpr double kSmallestRoot = 1e-4;
// The promise of a step is taken for rounding below this fraction of the energy.
constexpr double kRounding = 1e-15;

// Upper triangular R with RᵀR = AᵀA.
Matrix triangular_factor(const Matrix& A) {
  const Eigen::Index n = A.cols();
  Matrix R = Eigen::HouseholderQR<Matrix>(A).matrixQR().topRows(n).triangularView<Eigen::Upper>();
  for (Eigen::Index i = 0; i < n; ++i) {
    if (R(i, i) < 0) R.row(i) *= -1;
  }
  return R;
}

// The metric and the energy's gradient along a discrete curve.
struct Sample {
  Matrix factors;   // n×n(K+1): R_i
  Matrix gradient;  // n×(K−1): R_i⁻ᵀ ∂E/∂z_i
  double energy = 0;
};

Sample sample(const Manifold& manifold, const Matrix& Z, Workspace& ws) {
  const Eigen::Index n = Z.rows();
  const Eigen::Index K = Z.cols() - 1;
  Sample out;
  out.factors.resize(n, n * (K + 1));
  out.gradient.resize(n, K - 1);
  Matrix residual(2 * n + 1, K);
  Matrix jacobian(2 * n + 1, 2 * n * K);
  manifold.segments(Z, HessianModel::kGaussNewton, out.factors, residual, jacobian, ws);
  for (Eigen::Index i = 1; i < K; ++i) {
    out.gradient.col(i - 1) = jacobian.middleCols(2 * n * (i - 1) + n, n).transpose() * residual.col(i - 1) +
                              jacobian.middleCols(2 * n * i, n).transpose() * residual.col(i);
  }
  out.energy = 0.5 * residual.squaredNorm();
  return out;
}

// y = R z with RᵀR the mean of the metric along the curve: what is linear in the conditioning of J goes into R.
class WhiteningChart {
 public:
  explicit WhiteningChart(const Matrix& factors) : n_(factors.rows()) {
    const Eigen::Index points = factors.cols() / n_;
    Matrix stacked(n_ * points, n_);
    for (Eigen::Index k = 0; k < points; ++k) stacked.middleRows(n_ * k, n_) = factors.middleCols(n_ * k, n_);
    root_ = triangular_factor(stacked / std::sqrt(static_cast<double>(points)));
    floor_diagonal(root_);
  }

  // R_i R⁻¹: the factors of the metric in this chart.
  Matrix factors(const Matrix& given) const {
    Matrix out(n_, given.cols());
    for (Eigen::Index k = 0; k < given.cols() / n_; ++k) {
      throw_if_stopped();
      out.middleCols(n_ * k, n_) =
          root_.transpose().triangularView<Eigen::Lower>().solve(given.middleCols(n_ * k, n_).transpose()).transpose();
    }
    return out;
  }
  Matrix back(const Matrix& move) const { return root_.triangularView<Eigen::Upper>().solve(move); }

 private:
  Eigen::Index n_;
  Matrix root_;
};

// Roots of the means of the metric at the ends of every chord.
Matrix chord_roots(const Matrix& factors) {
  const Eigen::Index n = factors.rows();
  const Eigen::Index K = factors.cols() / n - 1;
  Matrix roots(n, n * K);
  Matrix stacked(3 * n, n);
  for (Eigen::Index i = 0; i < K; ++i) {
    throw_if_stopped();
    stacked.topRows(n) = factors.middleCols(n * i, n) * std::sqrt(0.5);
    stacked.middleRows(n, n) = factors.middleCols(n * (i + 1), n) * std::sqrt(0.5);
    stacked.bottomRows(n) = kSmallestRoot * Matrix::Identity(n, n);
    roots.middleCols(n * i, n) = triangular_factor(stacked);
  }
  return roots;
}

// The gradient in the chart whose factors are given.
Matrix chart_gradient(const Matrix& factors, const Matrix& whitened) {
  const Eigen::Index n = factors.rows();
  Matrix out(n, whitened.cols());
  for (Eigen::Index i = 0; i < whitened.cols(); ++i) {
    out.col(i) = factors.middleCols(n * (i + 1), n).transpose() * whitened.col(i);
  }
  return out;
}

// One descent on the energy of chords.
class Descent {
 public:
  Descent(const Manifold& manifold, Matrix& nodes, int memory, Workspace& ws)
      : manifold_(manifold), nodes_(nodes), ws_(ws), at_(sample(manifold, nodes, ws)), memory_(memory) {
    if (finite()) {
      chart_.emplace(at_.factors);
      linearise();
    }
  }

  bool finite() const { return std::isfinite(at_.energy) && at_.factors.allFinite() && at_.gradient.allFinite(); }
  double energy() const { return at_.energy; }
  // By how much the energy may fall, from the quadratic model.
  double promise() const { return promise_; }

  // False: no step lowers the energy, or none would be seen above rounding.
  bool step() {
    if (try_step()) return true;
    if (memory_.empty()) return false;
    memory_.clear();
    find_direction();
    return try_step();
  }

 private:
  void linearise() {
    const Matrix factors = chart_->factors(at_.factors);
    gradient_ = chart_gradient(factors, at_.gradient);
    problem_.emplace(chord_roots(factors));
    find_direction();
  }

  void find_direction() {
    const auto scale = static_cast<double>(nodes_.cols() - 1);
    direction_ = memory_.direction(gradient_, *problem_, scale);
    promise_ = -0.5 * gradient_.cwiseProduct(direction_).sum();
    if (promise_ > 0 || memory_.empty()) return;
    memory_.clear();
    direction_ = memory_.direction(gradient_, *problem_, scale);
    promise_ = -0.5 * gradient_.cwiseProduct(direction_).sum();
  }

  bool try_step() {
    if (!direction_.allFinite() || !(promise_ > kRounding * at_.energy)) return false;
    const Matrix move = chart_->back(direction_);
    for (double damping = 1; damping >= kSmallestStep; damping /= 2) {
      Matrix trial = nodes_;
      trial.middleCols(1, move.cols()) += damping * move;
      if (!(chord_energy(manifold_, trial, ws_) < at_.energy - kSufficient * damping * 2 * promise_)) continue;
      Sample next = sample(manifold_, trial, ws_);
      if (!next.factors.allFinite() || !next.gradient.allFinite()) continue;
      nodes_ = std::move(trial);
      at_ = std::move(next);
      const Matrix before = gradient_;
      const Matrix taken = damping * direction_;
      gradient_ = chart_gradient(chart_->factors(at_.factors), at_.gradient);
      memory_.add(taken, gradient_ - before);
      linearise();
      return true;
    }
    return false;
  }

  const Manifold& manifold_;
  Matrix& nodes_;
  Workspace& ws_;
  Sample at_;
  std::optional<WhiteningChart> chart_;
  std::optional<ControlProblem> problem_;
  CurvatureMemory memory_;
  Matrix gradient_;  // in the whitening chart, as are all below
  Matrix direction_;
  double promise_ = 0;
};

}  // namespace

EnergyRun minimise_symmetric(const Manifold& manifold, Matrix& nodes, const SymmetricBounds& bounds,
                             int first_iteration, SolveContext& context) {
  EnergyRun out;
  Descent descent(manifold, nodes, bounds.memory, context.workspace());
  out.initial_energy = out.final_energy = descent.energy();
  if (!descent.finite()) return out;
  for (;; ++out.iterations) {
    out.final_energy = descent.energy();
    context.record(first_iteration + out.iterations, std::sqrt(2 * descent.energy()));
    context.keep(Curve::through(nodes));
    if (descent.promise() <= bounds.energy_tolerance * descent.energy()) {
      out.status = IterationStatus::kConverged;
      return out;
    }
    if (out.iterations == bounds.max_iterations || context.should_stop()) {
      out.status =
          out.iterations == bounds.max_iterations ? IterationStatus::kMaxIterations : IterationStatus::kStopped;
      return out;
    }
    if (descent.step()) continue;
    out.status = IterationStatus::kStalled;
    return out;
  }
}

}  // namespace pullback
