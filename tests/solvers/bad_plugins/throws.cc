// Fails after it has registered a solver and a generator.
#include <stdexcept>

#include "pullback/solvers/plugin.h"

PULLBACK_PLUGIN("throws", "1.0", [](pullback::PluginRegistrar& registrar) {
  registrar.solvers.add_unavailable("half_done", "registered before the failure", "does nothing");
  registrar.generators.add_reader(".half_done", "registered before the failure",
                                  [](const auto&) { return pullback::OpenedGenerator(); });
  throw std::runtime_error("the licence server is on fire");
})
