#include "pullback/plugins/continuation/continuation.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "pullback/manifold/curves/measure.h"
#include "pullback/manifold/metrics/damped_manifold.h"
#include "pullback/manifold/metrics/whitened_chart.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// Directions in which the mean metric is below this share of its largest keep this share in B.
constexpr double kFlatShare = 1e-6;

// W with WᵀW = B.
Matrix damping_factor(const GeodesicProblem& problem, Workspace& ws) {
  Matrix W = mean_factor(*problem.manifold, problem.initial, ws);
  const double floor = kFlatShare * W.colwise().norm().maxCoeff();
  for (Eigen::Index j = 0; j < W.rows(); ++j) W(j, j) = std::max(W(j, j), floor);
  return W;
}

}  // namespace

ContinuationSolver::ContinuationSolver(ContinuationOptions options, std::unique_ptr<const GeodesicSolver> inner)
    : GeodesicSolver("continuation(" + inner->name() + ")"), options_(options), inner_(std::move(inner)) {
  if (options_.first < options_.last) {
    throw std::invalid_argument(fmt::format("solver 'continuation': 'first' must be at least 'last', got {} and {}",
                                            options_.first, options_.last));
  }
}

RawSolution ContinuationSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  Workspace& ws = context.workspace();
  const Matrix W = damping_factor(problem, ws);
  GeodesicProblem current = problem;
  int iterations = 0;
  double last = 0;  // the last λ of which there is a curve
  for (double lambda = options_.first; lambda >= options_.last * (1 - 1e-12); lambda *= options_.factor) {
    current.manifold = std::make_shared<DampedManifold>(problem.manifold, lambda, W);
    const RawSolution damped = run_other(*inner_, current, context);
    iterations += damped.iterations;
    if (context.should_stop()) {
      RawSolution out = damped;
      out.claim = context.stop_reason();
      out.message = fmt::format("stopped at λ = {:.2g}: {}", lambda, damped.message);
      return out;
    }
    if (!damped.curve.finite()) continue;
    current.initial = joined(damped.curve, problem.from, problem.to);
    last = lambda;
  }
  current.manifold = problem.manifold;
  RawSolution out = run_other(*inner_, current, context);
  out.iterations += iterations;
  if (last == 0) {
    out.message += "; no solve with a damped metric gave a curve";
  } else if (out.curve.finite()) {
    const double damped = measure(*problem.manifold, current.initial, ws).length;
    const double length = measure(*problem.manifold, out.curve, ws).length;
    out.regularisation = damped / length - 1;
    out.message += fmt::format("; the curve of λ = {:.2g} is longer by {:.2g}", last, *out.regularisation);
    context.met_curve(current.initial);
  }
  return out;
}

const PluginInfo* pullback_plugin_continuation() {
  static const PluginInfo info{kPluginApiVersion, "continuation", "1.0", this_build(), [](PluginRegistrar& registrar) {
                                 registrar.solvers.add_wrapper<ContinuationSolver, ContinuationOptions>(
                                     "continuation",
                                     "solves with a damped metric M + λB, λ falling to 0, each from the curve before",
                                     "after Allgower, Georg 1990, doi:10.1007/978-3-642-61257-2", "energy",
                                     SolverTraits{.needs_second_derivatives = true, .handles_kinks = true});
                               }};
  return &info;
}

}  // namespace pullback
