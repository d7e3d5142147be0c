#include "pullback/cli/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "pullback/cli/exit_status.h"
#include "pullback/cli/progress.h"

namespace pullback::cli {

namespace {

constexpr double kAdornmentSeconds = 1;

// A signal handler can reach nothing but a global.
std::atomic<bool> g_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_interrupt(int) { g_interrupted.store(true, std::memory_order_relaxed); }

extern "C" void on_early_interrupt(int) {
  constexpr char kMessage[] = "pullback: interrupted before anything was finished\n";
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  _exit(kNotConverged);
}

void handle(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

}  // namespace

void end_on_interrupt() { handle(on_early_interrupt, 0); }

void finish_on_interrupt() {
  handle(on_interrupt, SA_RESTART | static_cast<int>(SA_RESETHAND));  // the second one meets the default: death
}

bool interrupted() { return g_interrupted.load(std::memory_order_relaxed); }

std::function<bool()> adornment_stop(double until) {
  return [seen = -1.0, until]() mutable {
    const double time = now();
    if (time > until) return true;
    if (!interrupted()) return false;
    if (seen < 0) seen = time;
    return time > seen + kAdornmentSeconds;
  };
}

}  // namespace pullback::cli
