// Running independent jobs on several threads, and showing how far they are.
#pragma once

#include <functional>
#include <mutex>
#include <string>

namespace pullback::cli {

// Number of threads for a request; 0 means one for each processor.
int thread_count(int requested);

// Calls job(0) … job(count−1), in this order of starting, on `threads` threads. What each job writes must be its own.
// The first exception ends the work and is thrown here. A job is ended within (StopRequested, see stop.h) when the
// program is interrupted, and no further one is begun: what it would have written is missing.
void run_jobs(int count, int threads, const std::function<void(int)>& job);

// One line on standard error that says how far the work is; silent when that is not a terminal.
// Thread safety: all methods.
class Progress {
 public:
  explicit Progress(int total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // One more is done; `doing` says of what.
  void advance(const std::string& doing);

 private:
  void clear();

  const int total_;
  const bool visible_;
  const double start_;
  double shown_ = 0;
  int done_ = 0;
  std::mutex mutex_;
};

// Seconds of the steady clock.
double now();

}  // namespace pullback::cli
