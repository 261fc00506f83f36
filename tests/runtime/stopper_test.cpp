// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/stopper.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <memory>
#include <thread>

namespace {

using lastcall::deadline;
using lastcall::detail::bell;
using lastcall::detail::stopper;
using namespace std::chrono_literals;

TEST(Bell, WithoutARingTheWaitEndsAtItsDeadline) {
  bell b;
  EXPECT_FALSE(b.wait_until(deadline::after(1ms), [] { return false; }));
}

TEST(Bell, WhatWasStoredBeforeTheRingIsSeen) {
  for (int i = 0; i < 200; ++i) {
    bell b;
    std::atomic<bool> set = false;
    std::jthread ringer{[&] {
      set.store(true, std::memory_order_relaxed);
      b.ring();
    }};
    EXPECT_TRUE(b.wait_until(deadline::never(), [&] { return set.load(std::memory_order_relaxed); }));
  }
}

TEST(Stopper, JobsRunOneAfterTheOtherOnItsThread) {
  bell done;
  stopper one{done};
  int sum = 0; // plain: idle() makes the job's work visible
  for (int i = 1; i <= 200; ++i) {
    one.give([&sum, i] { sum += i; });
    ASSERT_TRUE(done.wait_until(deadline::after(10s), [&] { return one.idle(); }));
  }
  EXPECT_EQ(sum, 20100);
}

TEST(Stopper, ItsEndWaitsForTheJob) {
  bell done;
  std::latch begun{1};
  bool finished = false;
  {
    stopper one{done};
    one.give([&] {
      begun.wait();
      finished = true;
    });
    begun.count_down();
  }
  EXPECT_TRUE(finished);
}

TEST(Stopper, AThreadLocalObjectThatDoesNotGoLeavesTheOwnerFree) {
  static std::latch release{1};
  struct stays {
    bool touched = false;
    ~stays() { release.wait(); }
  };
  static thread_local stays object;
  bell done;
  {
    stopper one{done};
    one.give([] { object.touched = true; });
    ASSERT_TRUE(done.wait_until(deadline::after(10s), [&] { return one.idle(); }));
    one.end(5ms);
  }
  release.count_down();
}

TEST(Stopper, AJobThatDoesNotEndLeavesTheOwnerFree) {
  bell done;
  std::latch release{1};
  auto one = std::make_unique<stopper>(done);
  one->give([&] { release.wait(); });
  EXPECT_FALSE(done.wait_until(deadline::after(5ms), [&] { return one->idle(); }));
  release.count_down();
}

} // namespace
