#include "pullback/plugins/energy/energy.h"

#include <fmt/format.h>
#include <glog/logging.h>

#include <algorithm>
#include <cmath>

#include "pullback/plugins/energy/block_descent.h"
#include "pullback/plugins/energy/discrete_energy.h"
#include "pullback/solvers/plugin.h"

namespace pullback {
namespace {

// A doubling of the chords divides the excess by 16 in the limit; by at least this before it.
constexpr double kExcessFall = 8;

Termination failed_claim(const Minimisation& level, SolveContext& context) {
  switch (level.status) {
    case MinimisationStatus::kMaxIterations:
      return Termination::kMaxIterations;
    case MinimisationStatus::kStopped:
      return context.stop_reason();
    default:
      return Termination::kNumericalFailure;
  }
}

std::string failed_message(const Minimisation& level, int chords) {
  switch (level.status) {
    case MinimisationStatus::kMaxIterations:
      return fmt::format("the energy of {} chords still falls after {} iterations; raise max_iterations", chords,
                         level.iterations);
    case MinimisationStatus::kStopped:
      return fmt::format("stopped after {} iterations with {} chords", level.iterations, chords);
    default:
      return fmt::format("Ceres failed with {} chords: {}", chords, level.failure);
  }
}

}  // namespace

RawSolution EnergySolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  const Manifold& manifold = *problem.manifold;
  Workspace& ws = context.workspace();
  Matrix nodes = constant_speed(manifold, problem.initial, options_.nodes, ws).positions();
  nodes.col(0) = problem.from;
  nodes.rightCols(1) = problem.to;
  const HessianModel model = manifold.smooth() && options_.hessian == "projected-newton"
                                 ? HessianModel::kProjectedNewton
                                 : HessianModel::kGaussNewton;
  RawSolution out;
  const int most = std::max(options_.nodes, options_.max_nodes);
  for (int chords = options_.nodes;; chords *= 2) {
    const auto minimise = manifold.dimension() < kManyDimensions ? minimise_discrete_energy : minimise_by_blocks;
    const Minimisation level =
        minimise(manifold, nodes, {options_.energy_tolerance, options_.max_iterations, model}, out.iterations, context);
    out.iterations += level.iterations;
    out.curve = with_geodesic_accelerations(manifold, Curve::through(nodes), ws);
    if (level.status != MinimisationStatus::kConverged) {
      out.claim = failed_claim(level, context);
      out.message = failed_message(level, chords);
      return out;
    }
    out.claim = Termination::kConverged;
    out.message = fmt::format("energy minimised with {} chords", chords);
    const double shortened = 0.5 * (level.initial_energy - level.final_energy) / level.final_energy;
    const bool fine_enough = chords > options_.nodes && !(shortened > kExcessFall * options_.tolerance);
    if (fine_enough || 2 * chords > most) return out;
    nodes = out.curve.position(uniform_times(2 * chords + 1));
  }
}

const PluginInfo* pullback_plugin_energy() {
  static const PluginInfo info{
      kPluginApiVersion, "energy", "1.0", this_build(), [](PluginRegistrar& registrar) {
        // Ceres reports through glog; the library prints nothing. A program that set glog up itself keeps its settings.
        if (!google::IsGoogleLoggingInitialized()) FLAGS_minloglevel = google::GLOG_FATAL;
        registrar.solvers.add<EnergySolver, EnergyOptions>(
            "energy", "minimises the discrete energy by Levenberg-Marquardt (Ceres), whitened by the metric, refined",
            "Shao, Kumar, Fletcher 2018, doi:10.1109/CVPRW.2018.00071",
            SolverTraits{.needs_second_derivatives = true, .handles_kinks = true});
      }};
  return &info;
}

}  // namespace pullback
