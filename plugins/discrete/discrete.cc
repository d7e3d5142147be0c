#include "pullback/plugins/discrete/discrete.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

#include "pullback/generators/formula/callback.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/metrics/whitened_chart.h"
#include "pullback/manifold/numerics/block_tridiagonal.h"
#include "pullback/manifold/numerics/discrete_calculus.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// What the certificate would refute anyway.
constexpr double kHonest = 1e-7;

// The manifold seen through values of f alone in a whitened chart.
struct ChartOfValues {
  std::shared_ptr<const Manifold> manifold;
  Matrix A;  // z = A w + origin, upper triangular
  Vector origin;
  std::shared_ptr<Workspace> values;  // through which f is evaluated; null: not by this chart

  Matrix from_latent(const Matrix& Z) const { return A.triangularView<Eigen::Upper>().solve(Z.colwise() - origin); }
};

ChartOfValues chart_of_values(const GeodesicProblem& problem, Workspace& ws) {
  const Eigen::Index n = problem.from.size();
  ChartOfValues out{problem.manifold, Matrix::Identity(n, n), Vector::Zero(n), nullptr};
  const auto f = problem.manifold->shared_generator();
  if (!f) return out;  // a metric given directly has no derivatives to mistrust
  out.origin = problem.initial.position(Vector::Constant(1, 0.5));
  out.A = WhitenedChart(problem.manifold, out.origin, ws).inverse();
  Callbacks values;
  out.values = std::make_shared<Workspace>();
  values.value = [f, A = out.A, origin = out.origin, local = out.values](const ConstMatrixRef& W) {
    Matrix X(f->ambient_dimension(), W.cols());
    f->value((A * W).colwise() + origin, X, *local);
    return X;
  };
  out.manifold = std::make_shared<PullbackManifold>(
      std::make_shared<CallbackGenerator>(static_cast<int>(n), f->ambient_dimension(), std::move(values),
                                          GeneratorTraits{.name = f->traits().name, .smooth = f->traits().smooth}));
  return out;
}

// The minimiser of K chords less a third of what it and that of K/2 chords differ by.
Matrix extrapolated(const Matrix& fine, const Matrix& coarse) {
  Matrix difference(coarse.rows(), coarse.cols());
  for (Eigen::Index i = 0; i < coarse.cols(); ++i) difference.col(i) = (fine.col(2 * i) - coarse.col(i)) / 3;
  return fine + Curve::through(difference).position(uniform_times(static_cast<int>(fine.cols())));
}

double excess_of(const Manifold& manifold, const Matrix& nodes, Workspace& ws) {
  const Variation variation = manifold.variation(nodes, ws);
  const Matrix step = BlockTridiagonalFactor(variation.hessian).solve(variation.gradient);
  return std::abs(0.5 * variation.gradient.cwiseProduct(step).sum()) / (2 * variation.energy);
}

class Refinement {
 public:
  Refinement(const GeodesicProblem& problem, const DiscreteOptions& options, SolveContext& context)
      : problem_(problem),
        options_(options),
        context_(context),
        chart_(chart_of_values(problem, context.workspace())) {}

  RawSolution run();
  void count_differences();

 private:
  Curve in_latent(const Curve& curve) const;
  RawSolution ended(const Matrix& nodes, Termination claim, std::string message) const;

  const GeodesicProblem& problem_;
  const DiscreteOptions& options_;
  SolveContext& context_;
  ChartOfValues chart_;
  int iterations_ = 0;
  std::int64_t values_before_ = 0;  // counted before the chart was evaluated
};

// The values that differences took are counted too, beside the derivatives that they made.
void Refinement::count_differences() {
  if (!chart_.values) return;
  const std::int64_t plain = context_.workspace().counts().values - values_before_;
  context_.workspace().count(&EvaluationCounts::values, chart_.values->counts().values - plain);
}

// A curve of the whitened chart in the latent one, with its ends exact.
Curve Refinement::in_latent(const Curve& whitened) const {
  const Curve curve = whitened.transformed(chart_.A, chart_.origin);
  Matrix positions = curve.positions();
  positions.col(0) = problem_.from;
  positions.rightCols(1) = problem_.to;
  return curve.quintic() ? Curve(curve.times(), positions, curve.velocities(), curve.accelerations())
                         : Curve(curve.times(), positions, curve.velocities());
}

// The curve through nodes of the whitened chart.
RawSolution Refinement::ended(const Matrix& nodes, Termination claim, std::string message) const {
  const Curve curve = with_geodesic_accelerations(*chart_.manifold, Curve::through(nodes), context_.workspace());
  return {in_latent(curve), claim, std::move(message), iterations_, {}};
}

RawSolution Refinement::run() {
  Workspace& ws = context_.workspace();
  const Manifold& manifold = *chart_.manifold;
  Matrix nodes =
      chart_.from_latent(constant_speed(*problem_.manifold, problem_.initial, options_.nodes, ws).positions());
  values_before_ = ws.counts().values;
  DiscreteGeodesicOptions bounds;
  bounds.max_iterations = options_.max_iterations;
  bounds.should_stop = [this] { return context_.should_stop(); };
  bounds.keep = [this](const Matrix& kept) { context_.keep(in_latent(Curve::through(kept))); };
  Matrix coarse;
  for (;;) {
    const auto chords = static_cast<int>(nodes.cols()) - 1;
    const DiscreteGeodesic level = discrete_geodesic(manifold, nodes, bounds, ws);
    iterations_ += level.iterations;
    context_.record(iterations_, std::sqrt(2 * level.energy));
    if (context_.should_stop()) {
      return ended(level.nodes, context_.stop_reason(), fmt::format("stopped with {} chords", chords));
    }
    if (!(level.energy > 0)) {
      const bool point = level.energy == 0 && level.iterations == 0 && problem_.from == problem_.to;
      return {problem_.initial,
              point ? Termination::kConverged : Termination::kNumericalFailure,
              "the initial curve has no length, or none that is finite",
              iterations_,
              {}};
    }
    nodes = level.nodes;
    const bool last = 2 * chords > options_.max_nodes;
    if (coarse.size() > 0 || last) {
      const bool extrapolates = manifold.smooth() && coarse.size() > 0;
      const Matrix best = extrapolates ? extrapolated(nodes, coarse) : nodes;
      const double excess = excess_of(manifold, best, ws);
      if (excess <= options_.tolerance || last) {
        const bool honest = excess <= kHonest;
        return ended(best, honest ? Termination::kConverged : Termination::kStalled,
                     fmt::format("discrete geodesics of {} chords and fewer, too long by about {:.1g}{}", chords,
                                 excess, level.settled ? "" : "; the last did not settle"));
      }
    }
    coarse = nodes;
    nodes = Curve::through(coarse).position(uniform_times(2 * chords + 1));
  }
}

}  // namespace

RawSolution DiscreteSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  Refinement refinement(problem, options_, context);
  RawSolution out = refinement.run();
  refinement.count_differences();
  return out;
}

const PluginInfo* pullback_plugin_discrete() {
  static const PluginInfo info{
      kPluginApiVersion, "discrete", "1.0", this_build(), [](PluginRegistrar& registrar) {
        registrar.solvers.add<DiscreteSolver, DiscreteOptions>(
            "discrete", "discrete geodesics from values of the generator alone, extrapolated in the chords",
            "Rumpf, Wirth 2015, doi:10.1093/imanum/dru027", SolverTraits{.handles_kinks = true, .accuracy = 1e-8});
      }};
  return &info;
}

}  // namespace pullback
