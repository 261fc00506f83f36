// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/wait/deadline.hpp>

#include <gtest/gtest.h>

using namespace std::chrono_literals;
using lastcall::deadline;

namespace {

// A clock that stands still until it is told otherwise.
struct still_clock {
  static inline lastcall::time_point time{1h};
  still_clock() : before{lastcall::clock::exchange_source([]() noexcept { return time; })} {}
  ~still_clock() { lastcall::clock::exchange_source(before); }
  lastcall::clock::source before;
};

} // namespace

TEST(Clock, IsTheSteadyClockUnlessExchanged) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_LE(before, lastcall::clock::now());
  {
    const still_clock still;
    EXPECT_EQ(lastcall::clock::now(), still_clock::time);
  }
  EXPECT_GE(std::chrono::steady_clock::now() + 1s, lastcall::clock::now());
}

TEST(Clock, IsRoughlyTheSameForLess) {
  const auto before = lastcall::clock::now();
  const auto roughly = lastcall::clock::roughly_now();
  EXPECT_LE(roughly, lastcall::clock::now());
  EXPECT_GT(roughly, before - std::chrono::milliseconds{100}); // a tick is 10 ms at most
}

TEST(Deadline, CountsDownAndExpires) {
  const still_clock still;
  const auto until = deadline::after(5s);
  EXPECT_FALSE(until.expired());
  still_clock::time += 3s;
  EXPECT_EQ(until.remaining(), 2s);
  still_clock::time += 2s;
  EXPECT_TRUE(until.expired());
  EXPECT_EQ(until.remaining(), 0s);
}

TEST(Deadline, NeverNeverExpiresAndHugeSpansAreNever) {
  EXPECT_FALSE(deadline::never().expired());
  EXPECT_EQ(deadline::never().remaining(), lastcall::duration::max());
  EXPECT_TRUE(deadline::after(lastcall::duration::max()).is_never());
  EXPECT_TRUE(deadline::at(lastcall::time_point::max()).is_never());
  EXPECT_TRUE(deadline::after(-1s).expired());
}

TEST(Deadline, TheEarlierOfTwo) {
  const auto soon = deadline::after(1s), late = deadline::after(1h);
  EXPECT_EQ(earlier(soon, late).when(), soon.when());
  EXPECT_EQ(earlier(deadline::never(), late).when(), late.when());
}

TEST(Deadline, AWakeUpFarPastItGetsOneSlice) {
  const still_clock still;
  auto until = deadline::after(10s);
  still_clock::time += 10s + deadline::far_past;
  EXPECT_FALSE(until.grant_slice()) << "late as on a busy machine";
  still_clock::time += 1h;
  EXPECT_TRUE(until.grant_slice());
  EXPECT_EQ(until.remaining(), deadline::longest_slice);
  still_clock::time += 1h;
  EXPECT_FALSE(until.grant_slice()) << "one slice, not one per suspension";
}

TEST(Deadline, TheSliceIsNoLongerThanTheSpanWas) {
  const still_clock still;
  auto until = deadline::after(200ms);
  still_clock::time += 1h;
  EXPECT_TRUE(until.grant_slice());
  EXPECT_EQ(until.remaining(), 200ms);
  auto never = deadline::never();
  EXPECT_FALSE(never.grant_slice());
}

TEST(Deadline, TheSmallestSpanHasPassedToo) {
  EXPECT_TRUE(deadline::after(lastcall::duration::min()).expired());
  EXPECT_EQ(deadline::after(lastcall::duration::min()).remaining(), lastcall::duration::zero());
}
