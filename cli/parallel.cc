#include "pullback/cli/parallel.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <thread>
#include <vector>

#include "pullback/cli/interrupt.h"
#include "pullback/generators/stop.h"

namespace pullback::cli {

namespace {

constexpr double kSecondsBetweenLines = 0.1;  // as often as an eye follows

std::string duration(double seconds) {
  const long whole = std::lround(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

int thread_count(int requested) {
  if (requested > 0) return requested;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void run_jobs(int count, int threads, const std::function<void(int)>& job) {
  std::atomic<int> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    const StopScope scope(interrupted);
    for (int i = next++; i < count; i = next++) {
      try {
        job(i);
      } catch (const StopRequested&) {
        next = count;
        return;
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
        return;
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (int i = 1; i < std::min(threads, count); ++i) helpers.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

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

}  // namespace pullback::cli
