// The plugins that are part of the library.
#pragma once

#include "pullback/base/export.h"
#include "pullback/solvers/plugin.h"

namespace pullback {

// Registers every solver that was built in, and the analytic surfaces.
// Errors: std::invalid_argument when one of their names is taken already.
PULLBACK_EXPORT void register_builtin_plugins(PluginRegistrar& registrar);

}  // namespace pullback
