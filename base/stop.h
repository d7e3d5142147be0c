// Ending a computation from within.
#pragma once

#include <functional>

#include "pullback/base/export.h"

namespace pullback {

// Thrown out of a computation that was asked to end. No std::exception, so that code which turns errors into results
// (`catch (const std::exception&)`) lets it pass to whoever set the StopScope.
struct PULLBACK_EXPORT StopRequested {};

// While it lives, what this thread computes may be ended: every evaluation of a generator or metric, and every loop of
// linear algebra that may take long, asks `should_stop` and throws StopRequested once that is true.
//
// Scopes nest, and only the innermost one is asked; a scope with an empty function shields what it encloses from outer
// scopes. A solve sets a scope of its own, which asks its SolveControl and the scope around it.
//
// Why a scope of the thread and no argument: factorisations and curves have no workspace, and some code makes
// workspaces of its own. Cost: one call of `should_stop` an evaluation, which should take less than a microsecond.
// Thread safety: a scope is of the thread that makes it, and must end there in the reverse order.
class PULLBACK_EXPORT StopScope {
 public:
  explicit StopScope(std::function<bool()> should_stop);
  ~StopScope();
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

 private:
  friend bool stop_requested();
  friend std::function<bool()> current_stop();

  std::function<bool()> should_stop_;
  const StopScope* outer_;
};

// Whether the innermost scope of this thread asks to end; false where there is none.
PULLBACK_EXPORT bool stop_requested();

// Whether this thread has a scope that may ask to end.
PULLBACK_EXPORT bool may_be_stopped();

// What the innermost scope of this thread asks; empty where there is none. For a scope that also asks the one around
// it.
PULLBACK_EXPORT std::function<bool()> current_stop();

// Throws StopRequested when stop_requested().
inline void throw_if_stopped() {
  if (stop_requested()) throw StopRequested();
}

}  // namespace pullback
