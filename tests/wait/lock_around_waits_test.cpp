// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "wait/lock_around_waits.hpp"

#include <lastcall/wait/futex.hpp>

#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <string>
#include <thread>

namespace lw = lastcall::wait;
using lastcall::deadline;
using lw::big_lock_held;
using namespace std::chrono_literals;

namespace {

struct over {};

// A big lock that is a mutex, whose generation may be declared over.
std::mutex stand_in;
thread_local std::string calls;
thread_local bool closed = false;

void take() {
  stand_in.lock();
  big_lock_held = 1;
}
void give() {
  big_lock_held = 0;
  stand_in.unlock();
}

class LockAroundWaits : public testing::Test {
protected:
  LockAroundWaits() {
    calls.clear();
    closed = false;
    static constexpr lw::lock_hooks hooks{
        []() noexcept -> lw::lock_ticket {
          calls += "give up,";
          give();
          return 7;
        },
        [](lw::lock_ticket ticket) {
          calls += ticket == 7 ? "take back," : "wrong ticket,";
          if (closed) throw over{};
          take();
        },
        [](lw::lock_ticket ticket, bool unwinding) noexcept {
          calls += ticket != 7 ? "wrong ticket," : unwinding ? "unwinding," : "take back or park,";
          if (!unwinding) take();
        }};
    lw::the_lock_hooks.store(&hooks, std::memory_order_release);
  }
  ~LockAroundWaits() override { lw::the_lock_hooks.store(nullptr, std::memory_order_release); }
};

} // namespace

TEST_F(LockAroundWaits, NothingIsCalledWhereNothingIsHeld) {
  {
    lw::lock_set_aside aside;
    EXPECT_FALSE(aside.set_aside());
    aside.take_back();
  }
  const std::atomic<std::uint32_t> word{0};
  auto until = deadline::after(1ms);
  lw::futex_wait(word, 0, until);
  EXPECT_EQ(calls, "");
}

TEST_F(LockAroundWaits, TheDestructorTakesBackWhatNobodyTookBackBefore) {
  take();
  {
    const lw::lock_set_aside aside;
    EXPECT_TRUE(aside.set_aside());
    EXPECT_EQ(big_lock_held, 0U);
  }
  EXPECT_EQ(calls, "give up,take back or park,");
  EXPECT_EQ(big_lock_held, 1U);
  give();
}

TEST_F(LockAroundWaits, WhatIsSetAsideTwiceIsTakenBackOnce) {
  take();
  {
    const lw::lock_set_aside outer;
    const lw::lock_set_aside inner;
    EXPECT_FALSE(inner.set_aside());
  }
  EXPECT_EQ(calls, "give up,take back or park,");
  give();
}

TEST_F(LockAroundWaits, TakingBackMayThrowAndIsNotTriedAgain) {
  take();
  closed = true;
  EXPECT_THROW(
      {
        lw::lock_set_aside aside;
        aside.take_back();
      },
      over);
  EXPECT_EQ(calls, "give up,take back,");
}

TEST_F(LockAroundWaits, UnwindingIsTold) {
  take();
  EXPECT_THROW(
      {
        const lw::lock_set_aside aside;
        throw over{};
      },
      over);
  EXPECT_EQ(calls, "give up,unwinding,");
}

// With the lock kept, the one who is to wake the sleeper would wait for ever.
TEST_F(LockAroundWaits, AFutexWaitGivesItUp) {
  std::atomic<std::uint32_t> word{0};
  std::latch held{1};
  std::jthread sleeper{[&] {
    take();
    held.count_down();
    auto until = deadline::never();
    while (word.load() == 0) lw::futex_wait(word, 0, until);
    EXPECT_EQ(big_lock_held, 1U);
    give();
  }};
  held.wait();
  take();
  word = 1;
  give();
  lw::futex_wake_all(word);
}

TEST_F(LockAroundWaits, AnotherLockIsNeverWaitedForWithIt) {
  std::mutex other;
  std::latch locked{1}, held{1};
  std::jthread has_the_other{[&] {
    other.lock();
    locked.count_down();
    held.wait();
    take(); // would be waited for in vain
    give();
    other.unlock();
  }};
  locked.wait();
  take();
  held.count_down();
  lw::lock_with_big_lock_set_aside(other);
  EXPECT_EQ(big_lock_held, 1U);
  EXPECT_FALSE(calls.empty());
  other.unlock();
  give();
}
