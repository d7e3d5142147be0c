// Ctrl-C as a request to finish.
#pragma once

namespace pullback::cli {

// From now on the first SIGINT or SIGTERM asks the work to end with what it has; a second one kills.
void finish_on_interrupt();

// True once asked. Safe from every thread.
bool interrupted();

}  // namespace pullback::cli
