// Throws what is not a std::exception.
#include "pullback/solvers/plugin.h"

PULLBACK_PLUGIN("throws_int", "1.0", [](pullback::PluginRegistrar&) { throw 42; })
