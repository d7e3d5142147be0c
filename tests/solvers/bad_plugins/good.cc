// The one that is not bad.
#include "pullback/solvers/plugin.h"

PULLBACK_PLUGIN("good", "1.0", [](pullback::PluginRegistrar& registrar) {
  registrar.solvers.add_unavailable("good", "a plugin in order", "does nothing");
  registrar.generators.add_reader(".good", "files that are good",
                                  [](const auto&) { return pullback::OpenedGenerator(); });
})
