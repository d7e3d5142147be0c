#include "pullback/plugins/energy/energy.h"

#include <glog/logging.h>

#include "pullback/plugins/energy/block_descent.h"
#include "pullback/plugins/energy/discrete_energy.h"
#include "pullback/solvers/plugin.h"
#include "pullback/solvers/refinement.h"
#include "pullback/solvers/tolerance.h"

namespace pullback {
namespace {

// For an accuracy of 1e-6.
constexpr double kUsualTolerance = 2e-8;
constexpr double kUsualEnergyTolerance = 1e-11;

}  // namespace

RawSolution EnergySolver::run(const GeodesicProblem& problem, SolveContext& context) const {
  const Manifold& manifold = *problem.manifold;
  const HessianModel model = manifold.smooth() && options_.hessian == "projected-newton"
                                 ? HessianModel::kProjectedNewton
                                 : HessianModel::kGaussNewton;
  const double energy_tolerance =
      tolerance_for(options_.energy_tolerance, kUsualEnergyTolerance, ToleranceKind::kExcess, context);
  const double tolerance = tolerance_for(options_.tolerance, kUsualTolerance, ToleranceKind::kExcess, context);
  const MinimisationOptions bounds{energy_tolerance, options_.max_iterations, model};
  const auto minimise = manifold.dimension() < kManyDimensions ? minimise_discrete_energy : minimise_by_blocks;
  const auto run_level = [&](Matrix& nodes, int first_iteration) {
    return minimise(manifold, nodes, bounds, first_iteration, context);
  };
  return refine_energy(problem, options_.nodes, run_level, {options_.max_nodes, tolerance}, context);
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
