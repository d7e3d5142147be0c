// How far a training is.
#pragma once

#include <chrono>

namespace pullback::training {

// Writes epoch, loss and time left to stderr: a line that renews itself on a terminal, else a line for each tenth.
class Progress {
 public:
  Progress(int epochs, int first_epoch);
  void show(int epochs_done, double loss);
  // Ends the line on a terminal, so that what comes next stands on its own.
  void close();

 private:
  using Clock = std::chrono::steady_clock;

  int epochs_;
  int first_epoch_;
  bool terminal_;
  bool open_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_{};
};

}  // namespace pullback::training
