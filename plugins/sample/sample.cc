// Midpoint relaxation: every node moves towards the midpoint of its neighbours, with momentum.
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "pullback/solvers/plugin.h"

using pullback::Matrix, pullback::Termination;

struct SampleOptions {
  int nodes = 64;
  double tolerance = 1e-9;  // ends when max_i ‖step_i‖_M ≤ tolerance · length

  template <class V>
  void visit(V&& visit) {
    visit("nodes", nodes, "chords of the discrete curve", 4, 10'000);
    visit("tolerance", tolerance, "largest step of a node, relative to the length", 0, 1);
  }
};

class SampleSolver final : public pullback::GeodesicSolver {
 public:
  explicit SampleSolver(const SampleOptions& options) : GeodesicSolver("sample"), options_(options) {}

 private:
  pullback::RawSolution run(const pullback::GeodesicProblem& problem, pullback::SolveContext& context) const override {
    const int n = problem.manifold->dimension(), K = options_.nodes;
    const double damping = std::sin(M_PI / K);  // of the slowest wave along the curve: sets the best momentum
    Matrix Z = problem.initial.position(pullback::uniform_times(K + 1));
    Matrix R(n, n * (K + 1)), r(2 * n + 1, K), J(2 * n + 1, 2 * n * K), speed = Matrix::Zero(n, K + 1);
    pullback::RawSolution solution;
    solution.claim = Termination::kMaxIterations;
    for (; solution.iterations < 100 * K && solution.claim == Termination::kMaxIterations; ++solution.iterations) {
      // The energy is ½ ‖r‖², so that ‖r‖ is the length of a curve of constant speed.
      problem.manifold->segments(Z, pullback::HessianModel::kGaussNewton, R, r, J, context.workspace());
      context.record(solution.iterations, r.norm());
      double largest = 0;
      for (int i = 1; i < K; ++i) {  // least squares over the two chords at node i, in the chart where M = I
        Matrix A(2 * r.rows(), n), b(2 * r.rows(), 1);
        A << J.middleCols(n * (2 * i - 1), n), J.middleCols(n * 2 * i, n);
        b << r.col(i - 1), r.col(i);
        const Matrix step = -A.householderQr().solve(b);
        const auto chart = R.middleCols(n * i, n).triangularView<Eigen::Upper>();
        speed.col(i) = ((1 - damping) * speed.col(i) + 2 * chart.solve(step)) / (1 + damping);
        largest = std::max(largest, step.norm());
      }
      Z += speed;
      context.keep(pullback::Curve::through(Z));  // returned if the solve is ended within a step
      if (largest <= options_.tolerance * r.norm()) solution.claim = Termination::kConverged;
      if (context.should_stop()) solution.claim = context.stop_reason();
    }
    solution.curve = pullback::Curve::through(Z);
    return solution;
  }

  SampleOptions options_;
};

PULLBACK_PLUGIN("sample", "1.0", [](pullback::PluginRegistrar& registrar) {
  registrar.solvers.add<SampleSolver, SampleOptions>("sample", "midpoint relaxation with momentum", "a template");
})
