// A plugin in order, compiled with -DEIGEN_MAX_ALIGN_BYTES=64.
#include "pullback/solvers/plugin.h"

PULLBACK_PLUGIN("other_alignment", "1.0", [](pullback::PluginRegistrar& registrar) {
  registrar.solvers.add_unavailable("other_alignment", "misaligned", "does nothing");
})
