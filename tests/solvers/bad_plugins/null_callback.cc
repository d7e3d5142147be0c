// Describes itself, but has nothing to call.
#include "pullback/solvers/plugin.h"

PULLBACK_PLUGIN("null_callback", "1.0", nullptr)
