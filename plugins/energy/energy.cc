#include "pullback/plugins/energy/energy.h"

#include <fmt/format.h>
#include <glog/logging.h>

#include "pullback/plugins/energy/block_descent.h"
#include "pullback/plugins/energy/discrete_energy.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/refinement.h"
#include "pullback/solvers/start.h"

namespace pullback {

RawSolution EnergySolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  const Manifold& manifold = *problem.manifold;
  const HessianModel model = manifold.smooth() && options_.hessian == "projected-newton"
                                 ? HessianModel::kProjectedNewton
                                 : HessianModel::kGaussNewton;
  const MinimisationOptions bounds{options_.energy_tolerance, options_.max_iterations, model};
  const auto minimise = manifold.dimension() < kManyDimensions ? minimise_discrete_energy : minimise_by_blocks;
  RefinedMethod method;
  method.solve = [&](Matrix& nodes, const RefinementTask& task) {
    const Minimisation level = minimise(manifold, nodes, bounds, task.first_iteration, context);
    const auto chords = nodes.cols() - 1;
    return RefinementLevel{
        level.status, level.iterations, chord_excess(task, level.initial_energy, level.final_energy),
        level.failure.empty() ? "" : fmt::format("Ceres failed with {} chords: {}", chords, level.failure)};
  };
  return refine(manifold, starting_nodes(problem, options_.nodes, context.workspace()), method,
                {options_.max_nodes, options_.tolerance}, context);
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
