#include "pullback/plugins/discrete/discrete.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

#include "pullback/generators/formula/callback.h"
#include "pullback/manifold/metrics/pullback_manifold.h"
#include "pullback/manifold/metrics/whitened_chart.h"
#include "pullback/manifold/numerics/block_tridiagonal.h"
#include "pullback/manifold/numerics/chords.h"
#include "pullback/manifold/numerics/discrete_calculus.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/refinement.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

constexpr double kUsualTolerance = 1e-8;  // for an accuracy of 1e-6

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

// The levels of one solve, in the chart of values.
class Search {
 public:
  Search(const GeodesicProblem& problem, const DiscreteOptions& options, SolveContext& context)
      : problem_(problem),
        options_(options),
        context_(context),
        chart_(chart_of_values(problem, context.workspace())) {}

  RawSolution run();
  void count_differences();

 private:
  RefinementLevel solve(Matrix& nodes, const RefinementTask& task);
  RefinementLevel judged(const DiscreteGeodesic& solved, const RefinementTask& task);
  Curve in_latent(const Curve& curve) const;

  const GeodesicProblem& problem_;
  const DiscreteOptions& options_;
  SolveContext& context_;
  ChartOfValues chart_;
  Matrix coarse_;                   // the solution of the level before
  Matrix best_;                     // extrapolated from both
  bool without_length_ = false;     // there is nothing to refine
  std::int64_t values_before_ = 0;  // counted before the chart was evaluated
};

// The values that differences took are counted too, beside the derivatives that they made.
void Search::count_differences() {
  if (!chart_.values) return;
  const std::int64_t plain = context_.workspace().counts().values - values_before_;
  context_.workspace().count(&EvaluationCounts::values, chart_.values->counts().values - plain);
}

// A curve of the whitened chart in the latent one, with its ends exact.
Curve Search::in_latent(const Curve& whitened) const {
  const Curve curve = whitened.transformed(chart_.A, chart_.origin);
  Matrix positions = curve.positions();
  positions.col(0) = problem_.from;
  positions.rightCols(1) = problem_.to;
  return curve.quintic() ? Curve(curve.times(), positions, curve.velocities(), curve.accelerations())
                         : Curve(curve.times(), positions, curve.velocities());
}

RefinementLevel Search::solve(Matrix& nodes, const RefinementTask& task) {
  DiscreteGeodesicOptions bounds;
  bounds.max_iterations = options_.max_iterations;
  bounds.should_stop = [this] { return context_.should_stop(); };
  bounds.keep = [this](const Matrix& kept) { context_.keep(in_latent(Curve::through(kept))); };
  const DiscreteGeodesic solved = discrete_geodesic(*chart_.manifold, nodes, bounds, context_.workspace());
  context_.record(task.first_iteration + solved.iterations, std::sqrt(2 * solved.energy));
  best_ = nodes = solved.nodes;
  if (context_.should_stop()) return {IterationStatus::kStopped, solved.iterations, {}, ""};
  if (!(solved.energy > 0)) {
    without_length_ = true;
    const bool point = solved.energy == 0 && solved.iterations == 0 && problem_.from == problem_.to;
    const auto status = point ? IterationStatus::kConverged : IterationStatus::kNotFinite;
    return {status, solved.iterations, 0, "the initial curve has no length, or none that is finite"};
  }
  RefinementLevel out = judged(solved, task);
  coarse_ = nodes;
  return out;
}

// By how much the curve extrapolated from this level and the one before is too long.
RefinementLevel Search::judged(const DiscreteGeodesic& solved, const RefinementTask& task) {
  RefinementLevel out{IterationStatus::kConverged, solved.iterations, {}, ""};
  if (coarse_.size() == 0 && !task.last) return out;
  const bool extrapolates = chart_.manifold->smooth() && coarse_.size() > 0;
  if (extrapolates) best_ = extrapolated(solved.nodes, coarse_);
  const double excess = excess_of(*chart_.manifold, best_, context_.workspace());
  if (!(excess <= options_.tolerance) && !task.last) return out;
  out.excess = excess;
  if (!(excess <= kHonest)) out.status = IterationStatus::kStalled;
  out.message = fmt::format("discrete geodesics of {} chords and fewer, too long by about {:.1g}{}",
                            solved.nodes.cols() - 1, excess, solved.settled ? "" : "; the last did not settle");
  return out;
}

RawSolution Search::run() {
  Workspace& ws = context_.workspace();
  Matrix nodes =
      chart_.from_latent(constant_speed(*problem_.manifold, problem_.initial, options_.nodes, ws).positions());
  values_before_ = ws.counts().values;
  RefinedMethod method;
  method.solve = [this](Matrix& at, const RefinementTask& task) { return solve(at, task); };
  method.curve = [&](const Matrix& /*nodes*/) {
    if (without_length_) return problem_.initial;
    return in_latent(with_geodesic_accelerations(*chart_.manifold, Curve::through(best_), ws));
  };
  method.refined = [](const Matrix& at) { return doubled_nodes(at); };
  return refine(*chart_.manifold, std::move(nodes), method, {options_.max_nodes, options_.tolerance}, context_);
}

}  // namespace

RawSolution DiscreteSolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  DiscreteOptions options = options_;
  options.tolerance = tolerance_for(options.tolerance, kUsualTolerance, ToleranceKind::kExcess, context);
  Search search(problem, options, context);
  RawSolution out = search.run();
  search.count_differences();
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
