// Ctrl-C as a request to finish.
#pragma once

#include <functional>
#include <limits>

namespace pullback::cli {

// From now on SIGINT or SIGTERM ends the program at once with exit status 1: there is nothing yet to be kept.
void end_on_interrupt();

// From now on the first SIGINT or SIGTERM asks the work to end with what it has; a second one kills.
void finish_on_interrupt();

// True once asked. Safe from every thread.
bool interrupted();

// For a StopScope around what only adorns results (pictures, lengths in another metric): true once the interrupt was
// seen a second ago, so that what is quickly drawn is drawn, and after the time `until` of now() (progress.h).
std::function<bool()> adornment_stop(double until = std::numeric_limits<double>::infinity());

}  // namespace pullback::cli
