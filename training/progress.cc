#include "pullback/training/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <string>

namespace pullback::training {
namespace {

constexpr auto kShortestPause = std::chrono::milliseconds(100);  // between two renewals of the line

std::string duration(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

Progress::Progress(int epochs, int first_epoch)
    : epochs_(epochs), first_epoch_(first_epoch), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::show(int epochs_done, double loss) {
  const auto now = Clock::now();
  const bool last = epochs_done == epochs_;
  if (terminal_ && !last && now - shown_ < kShortestPause) return;
  if (!terminal_ && epochs_done * 10 / epochs_ == (epochs_done - 1) * 10 / epochs_) return;
  shown_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double left = elapsed / (epochs_done - first_epoch_) * (epochs_ - epochs_done);
  const std::string line = fmt::format("epoch {}/{}  loss {:.3f}  {} left", epochs_done, epochs_, loss, duration(left));
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r" : "", line, terminal_ ? "\x1b[K" : "\n");
  std::fflush(stderr);
  open_ = terminal_;
  if (last) close();
}

void Progress::close() {
  if (open_) fmt::print(stderr, "\n");
  open_ = false;
}

}  // namespace pullback::training
