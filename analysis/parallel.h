// Running independent jobs on several threads.
#pragma once

#include <functional>

#include "pullback/analysis/work_control.h"
#include "pullback/base/export.h"

namespace pullback {

// Number of threads for a request; 0 means one for each processor.
PULLBACK_EXPORT int thread_count(int requested);

// Calls job(0) … job(count−1), in this order of starting, on thread_count(control.threads) threads, of which the
// caller's is one. What each job writes must be its own.
//
// A job is ended within (StopRequested, see base/stop.h) once control.should_stop() is true, and no further one is
// begun then: what it would have written is missing. `control.advanced` is left to the jobs. Errors: the first
// exception of a job ends the work and is thrown here. Thread safety: from any thread.
PULLBACK_EXPORT void run_jobs(int count, const WorkControl& control, const std::function<void(int)>& job);

}  // namespace pullback
