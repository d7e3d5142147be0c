// Showing how far the work is, and what the library is told about threads, progress and Ctrl-C.
#pragma once

#include <mutex>
#include <string>

#include "pullback/analysis/work_control.h"

namespace pullback::cli {

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

// Work that ends when the program is interrupted and shows in `progress`, which must outlive it.
WorkControl work_control(int threads, Progress& progress);

// Seconds of the steady clock.
double now();

}  // namespace pullback::cli
