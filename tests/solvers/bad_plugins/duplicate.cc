// Registers a solver under a name that is taken, after one that is not.
#include "pullback/solvers/plugin.h"

PULLBACK_PLUGIN("duplicate", "1.0", [](pullback::PluginRegistrar& registrar) {
  registrar.solvers.add_unavailable("fresh", "new", "does nothing");
  registrar.solvers.add_unavailable("energy", "taken", "does nothing");
})
