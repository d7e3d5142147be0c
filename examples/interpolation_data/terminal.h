// What the study says while it works, and how it is told to end.
#pragma once

#include <mutex>
#include <string>

#include "pullback/analysis/work_control.h"

namespace interpolation_data {

// From now on the first Ctrl-C asks the work to end with what it has; a second one kills.
void finish_on_interrupt();

// True once asked. Thread safety: from any thread.
bool interrupted();

// One line on standard error that says how far the work is; nothing where that is not a terminal.
// Thread safety: all methods.
class Progress {
 public:
  explicit Progress(int total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(const std::string& doing);

  // Work that ends on Ctrl-C and shows here; this must outlive it.
  pullback::WorkControl control(int threads);

 private:
  const int total_;
  const bool visible_;
  int done_ = 0;
  std::mutex mutex_;
};

}  // namespace interpolation_data
