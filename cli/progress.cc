#include "pullback/cli/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "pullback/cli/interrupt.h"

namespace pullback::cli {

namespace {

constexpr double kSecondsBetweenLines = 0.1;  // as often as an eye follows

std::string duration(double seconds) {
  const long whole = std::lround(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Progress::Progress(int total) : total_(total), visible_(isatty(STDERR_FILENO) != 0), start_(now()) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (visible_) fmt::print(stderr, "\r\033[K");
}

void Progress::advance(const std::string& doing) {
  const std::lock_guard lock(mutex_);
  ++done_;
  if (!visible_) return;
  const double time = now();
  if (time - shown_ < kSecondsBetweenLines && done_ != total_) return;
  shown_ = time;
  const double left = (time - start_) / done_ * (total_ - done_);
  constexpr int kBar = 24;
  const int filled = kBar * done_ / std::max(1, total_);
  fmt::print(stderr, "\r\033[K[{:=<{}}{: <{}}] {}/{}  {} left  {:.40}", "", filled, "", kBar - filled, done_, total_,
             duration(left), doing);
  std::fflush(stderr);
}

WorkControl work_control(int threads, Progress& progress) {
  return {threads, interrupted, [&progress](const std::string& doing) { progress.advance(doing); }};
}

}  // namespace pullback::cli
