#include "pullback/plugins/energy/discrete_energy.h"

#include <ceres/cost_function.h>
#include <ceres/evaluation_callback.h>
#include <ceres/iteration_callback.h>
#include <ceres/manifold.h>
#include <ceres/problem.h>
#include <ceres/solver.h>
#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <memory>
#include <vector>

namespace pullback {
namespace {

// Evaluates all chords at once, whenever Ceres is about to ask for them one by one.
class BatchEvaluation : public ceres::EvaluationCallback {
 public:
  BatchEvaluation(const Manifold& manifold, HessianModel model, const Matrix& nodes, SolveContext& context)
      : manifold_(manifold),
        model_(model),
        nodes_(nodes),
        context_(context),
        ws_(context.workspace()),
        n_(nodes.rows()),
        factors_(n_, n_ * nodes.cols()),
        residuals_(2 * n_ + 1, nodes.cols() - 1),
        jacobians_(2 * n_ + 1, 2 * n_ * (nodes.cols() - 1)),
        chords_(nodes.cols() - 1) {}

  // Called by Ceres. Nothing may be thrown through it: what is, is kept and makes every later evaluation fail.
  void PrepareForEvaluation(bool evaluate_jacobians, bool /*new_evaluation_point*/) override {
    if (exception_) return;
    try {
      if (evaluate_jacobians) {
        manifold_.segments(nodes_, model_, factors_, residuals_, jacobians_, ws_);
        context_.keep(Curve::through(nodes_));  // Ceres asks for derivatives where it has taken a step
      } else {
        // Only the cost is asked for: a block's residual may be any vector of the right norm.
        manifold_.chords(nodes_, chords_, ws_);
        residuals_.setZero();
        residuals_.row(0) = std::sqrt(static_cast<double>(chords_.size())) * chords_.transpose();
      }
    } catch (...) {
      exception_ = std::current_exception();
    }
  }

  // Writes block i; false where f is not finite, which makes Ceres reject the step.
  bool copy_block(Eigen::Index i, double* residual, double** jacobian) const {
    if (exception_ || !residuals_.col(i).allFinite()) return false;
    const Eigen::Index rows = residuals_.rows();
    Eigen::Map<Vector>(residual, rows) = residuals_.col(i);
    if (!jacobian) return true;
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    for (Eigen::Index side = 0; side < 2; ++side) {
      if (!jacobian[side]) continue;
      const auto block = jacobians_.middleCols(2 * n_ * i + n_ * side, n_);
      if (!block.allFinite()) return false;
      Eigen::Map<RowMajor>(jacobian[side], rows, n_) = block;
    }
    return true;
  }

  const Matrix& factors() const { return factors_; }
  bool failed() const { return exception_ != nullptr; }
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  const Manifold& manifold_;
  HessianModel model_;
  const Matrix& nodes_;
  SolveContext& context_;
  Workspace& ws_;
  Eigen::Index n_;
  Matrix factors_;
  Matrix residuals_;
  Matrix jacobians_;
  Vector chords_;
  std::exception_ptr exception_;
};

class ChordCost : public ceres::CostFunction {
 public:
  ChordCost(const BatchEvaluation& batch, Eigen::Index chord, int n) : batch_(batch), chord_(chord) {
    set_num_residuals(2 * n + 1);
    *mutable_parameter_block_sizes() = {n, n};
  }
  bool Evaluate(double const* const* /*nodes*/, double* residuals, double** jacobians) const override {
    return batch_.copy_block(chord_, residuals, jacobians);
  }

 private:
  const BatchEvaluation& batch_;
  Eigen::Index chord_;
};

// z ⊞ δ = z + R⁻¹δ with R of the last linearisation at this node. The Jacobians of the chords are already those with
// respect to δ, so the one here is the identity: multiplying by R and R⁻¹ in turn would cost κ(J) in accuracy.
class WhitenedStep : public ceres::Manifold {
 public:
  WhitenedStep(const Matrix& factors, Eigen::Index node) : factors_(factors), node_(node) {}

  int AmbientSize() const override { return static_cast<int>(factors_.rows()); }
  int TangentSize() const override { return AmbientSize(); }
  bool Plus(const double* x, const double* delta, double* out) const override {
    const Eigen::Index n = factors_.rows();
    const auto R = factors_.middleCols(n * node_, n);
    Eigen::Map<Vector>(out, n) =
        Eigen::Map<const Vector>(x, n) + R.triangularView<Eigen::Upper>().solve(Eigen::Map<const Vector>(delta, n));
    return Eigen::Map<Vector>(out, n).allFinite();
  }
  bool PlusJacobian(const double* /*x*/, double* jacobian) const override {
    Eigen::Map<Matrix>(jacobian, AmbientSize(), AmbientSize()).setIdentity();
    return true;
  }
  bool Minus(const double* y, const double* x, double* delta) const override {
    const Eigen::Index n = factors_.rows();
    const auto R = factors_.middleCols(n * node_, n);
    Eigen::Map<Vector>(delta, n) =
        R.triangularView<Eigen::Upper>() * (Eigen::Map<const Vector>(y, n) - Eigen::Map<const Vector>(x, n));
    return true;
  }
  bool MinusJacobian(const double* x, double* jacobian) const override { return PlusJacobian(x, jacobian); }

 private:
  const Matrix& factors_;
  Eigen::Index node_;
};

class Progress : public ceres::IterationCallback {
 public:
  Progress(const BatchEvaluation& batch, SolveContext& context, int first_iteration)
      : batch_(batch), context_(context), first_iteration_(first_iteration) {}
  ceres::CallbackReturnType operator()(const ceres::IterationSummary& summary) override {
    context_.record(first_iteration_ + summary.iteration, std::sqrt(2 * summary.cost));
    return batch_.failed() || context_.should_stop() ? ceres::SOLVER_TERMINATE_SUCCESSFULLY : ceres::SOLVER_CONTINUE;
  }

 private:
  const BatchEvaluation& batch_;
  SolveContext& context_;
  int first_iteration_;
};

ceres::Solver::Options solver_options(const MinimisationOptions& options) {
  ceres::Solver::Options out;
  out.max_num_iterations = options.max_iterations;
  out.function_tolerance = options.energy_tolerance;
  // Whitened, the gradient is a multiple of the length: neither it nor the step has a scale of its own to stop at.
  out.gradient_tolerance = 0;
  out.parameter_tolerance = 0;
  out.jacobi_scaling = false;
  out.initial_trust_region_radius = 1e4;  // Gauss–Newton steps but for the longest waves
  out.max_trust_region_radius = 1e12;
  out.linear_solver_type = ceres::SPARSE_NORMAL_CHOLESKY;
  // The blocks are small: a supernodal factorisation only wakes the threads of a BLAS, which then spin.
  out.sparse_linear_algebra_library_type = ceres::EIGEN_SPARSE;
  out.num_threads = 1;
  out.logging_type = ceres::SILENT;
  return out;
}

IterationStatus status_of(const ceres::Solver::Summary& summary) {
  switch (summary.termination_type) {
    case ceres::CONVERGENCE:
      return IterationStatus::kConverged;
    case ceres::NO_CONVERGENCE:
      return IterationStatus::kMaxIterations;
    case ceres::USER_SUCCESS:
    case ceres::USER_FAILURE:
      return IterationStatus::kStopped;
    case ceres::FAILURE:
      break;
  }
  return IterationStatus::kNotFinite;
}

}  // namespace

EnergyRun minimise_discrete_energy(const Manifold& manifold, Matrix& nodes, const MinimisationOptions& options,
                                   int first_iteration, SolveContext& context) {
  const auto n = static_cast<int>(nodes.rows());
  const Eigen::Index K = nodes.cols() - 1;
  BatchEvaluation batch(manifold, options.hessian, nodes, context);
  Progress progress(batch, context, first_iteration);
  ceres::Problem::Options problem_options;
  problem_options.evaluation_callback = &batch;
  problem_options.disable_all_safety_checks = true;
  ceres::Problem problem(problem_options);
  for (Eigen::Index i = 0; i <= K; ++i) {
    problem.AddParameterBlock(nodes.col(i).data(), n, new WhitenedStep(batch.factors(), i));
  }
  for (Eigen::Index i = 0; i < K; ++i) {
    problem.AddResidualBlock(new ChordCost(batch, i, n), nullptr, nodes.col(i).data(), nodes.col(i + 1).data());
  }
  problem.SetParameterBlockConstant(nodes.col(0).data());
  problem.SetParameterBlockConstant(nodes.col(K).data());
  ceres::Solver::Options ceres_options = solver_options(options);
  ceres_options.callbacks.push_back(&progress);
  ceres_options.update_state_every_iteration = false;
  ceres::Solver::Summary summary;
  ceres::Solve(ceres_options, &problem, &summary);
  batch.rethrow();
  EnergyRun out;
  out.status = status_of(summary);
  out.iterations = static_cast<int>(summary.iterations.size()) - 1;
  out.initial_energy = summary.initial_cost;
  out.final_energy = summary.final_cost;
  if (out.status == IterationStatus::kNotFinite && !summary.message.empty()) {
    out.message = fmt::format("Ceres failed with {} chords: {}", K, summary.message);
  }
  return out;
}

}  // namespace pullback
