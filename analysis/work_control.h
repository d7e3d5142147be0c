// How long work over many solves is done: on how many threads, when it is to end, and who is told how far it is.
#pragma once

#include <functional>
#include <string>

#include "pullback/base/export.h"

namespace pullback {

// Thread safety: both functions are called from all threads of the work, at once. They must not throw.
struct PULLBACK_EXPORT WorkControl {
  int threads = 1;                         // 0: one for each processor
  std::function<bool()> should_stop = {};  // true: end soon, with what is finished; asked often
  // One more piece of the work is done; `doing` says of what.
  std::function<void(const std::string& doing)> advanced = {};

  bool stopped() const { return should_stop && should_stop(); }
  void advance(const std::string& doing) const {
    if (advanced) advanced(doing);
  }
};

}  // namespace pullback
