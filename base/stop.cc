#include "pullback/base/stop.h"

#include <utility>

namespace pullback {
namespace {

thread_local const StopScope* t_innermost = nullptr;
// Whether the innermost scope has a function to ask: what every evaluation looks at first.
thread_local bool t_may_be_stopped = false;

}  // namespace

StopScope::StopScope(std::function<bool()> should_stop) : should_stop_(std::move(should_stop)), outer_(t_innermost) {
  t_innermost = this;
  t_may_be_stopped = static_cast<bool>(should_stop_);
}

StopScope::~StopScope() {
  t_innermost = outer_;
  t_may_be_stopped = outer_ != nullptr && static_cast<bool>(outer_->should_stop_);
}

bool stop_requested() { return t_may_be_stopped && t_innermost->should_stop_(); }

bool may_be_stopped() { return t_may_be_stopped; }

std::function<bool()> current_stop() { return t_may_be_stopped ? t_innermost->should_stop_ : nullptr; }

}  // namespace pullback
