#include "terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>

namespace interpolation_data {
namespace {

// A signal handler can reach nothing but a global.
std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_interrupt(int) { g_interrupted.store(true, std::memory_order_relaxed); }

}  // namespace

void finish_on_interrupt() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

bool interrupted() { return g_interrupted.load(std::memory_order_relaxed); }

Progress::Progress(int total) : total_(total), visible_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (visible_) fmt::print(stderr, "\r\033[K");
}

void Progress::advance(const std::string& doing) {
  const std::lock_guard lock(mutex_);
  ++done_;
  if (!visible_) return;
  fmt::print(stderr, "\r\033[K{}/{}  {:.60}", done_, total_, doing);
  std::fflush(stderr);
}

pullback::WorkControl Progress::control(int threads) {
  return {threads, interrupted, [this](const std::string& doing) { advance(doing); }};
}

}  // namespace interpolation_data
