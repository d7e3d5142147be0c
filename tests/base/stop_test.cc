#include "pullback/base/stop.h"

#include <gtest/gtest.h>

#include <thread>

namespace pullback {
namespace {

TEST(StopScope, AsksTheInnermost) {
  EXPECT_FALSE(may_be_stopped());
  throw_if_stopped();
  const StopScope outer([] { return true; });
  EXPECT_TRUE(stop_requested());
  EXPECT_THROW(throw_if_stopped(), StopRequested);
  {
    const StopScope inner([] { return false; });
    EXPECT_FALSE(stop_requested());
    const StopScope protecting(nullptr);
    EXPECT_FALSE(may_be_stopped());
    EXPECT_FALSE(current_stop());
  }
  EXPECT_TRUE(current_stop()());
}

TEST(StopScope, IsOfItsThread) {
  const StopScope scope([] { return true; });
  bool there = true;
  std::jthread([&there] { there = stop_requested(); }).join();
  EXPECT_FALSE(there);
}

}  // namespace
}  // namespace pullback
