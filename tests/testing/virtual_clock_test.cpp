// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/scope/gate.hpp>
#include <lastcall/testing/virtual_clock.hpp>
#include <lastcall/wait/futex.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::testing::virtual_clock;

TEST(VirtualClock, StandsStillAndMovesByHand) {
  const virtual_clock time;
  const auto before = lastcall::clock::now();
  std::this_thread::sleep_for(2ms);
  EXPECT_EQ(lastcall::clock::now(), before);
}

TEST(VirtualClock, IsTheSteadyClockAgainAfterwards) {
  {
    virtual_clock time;
    time.advance(100h);
  }
  EXPECT_LT(lastcall::clock::now(), std::chrono::steady_clock::now() + 1h);
}

TEST(VirtualClock, WakesASleeperWhenItsTimeHasComeAndNotBefore) {
  virtual_clock time;
  const auto start = time.now();
  std::atomic<bool> awake{false};
  lastcall::time_point woke{};
  std::jthread sleeper{[&] {
    lastcall::io::sleep_for(5h);
    woke = lastcall::clock::now();
    awake = true;
  }};
  time.wait_for_sleepers(1);
  time.advance(5h - 1ns);
  EXPECT_EQ(time.sleepers(), 1U);
  EXPECT_FALSE(awake);
  time.advance(1ns);
  sleeper.join();
  EXPECT_EQ(woke - start, 5h);
}

TEST(VirtualClock, WakesSleepersInTheOrderOfTheirTimesEachExactlyThen) {
  virtual_clock time;
  const auto start = time.now();
  std::vector<std::jthread> sleepers;
  std::atomic<int> woken{0}, exact{0};
  for (const auto span : {3h, 1h, 2h})
    sleepers.emplace_back([&, span] {
      auto until = deadline::after(span);
      std::atomic<std::uint32_t> word{0};
      while (lastcall::wait::futex_wait(word, 0, until) == lastcall::wait::futex_result::woken) {
      }
      if (until.when() == start + span) exact.fetch_add(1); // no slice: nobody was late
      woken.fetch_add(1);
    });
  time.wait_for_sleepers(3);
  time.advance(10h);
  sleepers.clear();
  EXPECT_EQ(woken, 3);
  EXPECT_EQ(exact, 3);
}

TEST(VirtualClock, EndsTheWaitForAGateAtItsDeadline) {
  virtual_clock time;
  lastcall::gate door;
  const auto inside = door.enter();
  door.close();
  std::jthread waiter{[&] { EXPECT_FALSE(door.wait_until(deadline::after(24h))); }};
  time.wait_for_sleepers(1);
  time.advance(24h);
}

TEST(VirtualClock, AJumpIsASuspensionAndGrantsOneSlice) {
  virtual_clock time;
  lastcall::gate door;
  const auto inside = door.enter();
  door.close();
  std::atomic<bool> over{false};
  std::jthread waiter{[&] {
    EXPECT_FALSE(door.wait_until(deadline::after(10s)));
    over = true;
  }};
  time.wait_for_sleepers(1);
  time.jump(8h);
  time.wait_for_sleepers(1); // it waits once more
  EXPECT_FALSE(over);
  time.jump(8h);
  waiter.join();
  EXPECT_TRUE(over);
}

TEST(VirtualClock, ARequestAndATokenStillEndASleep) {
  virtual_clock time;
  lastcall::signal_scope scope{{.signals = {}}};
  std::stop_source stop;
  std::jthread other{[&] {
    EXPECT_FALSE(lastcall::io::sleep_for(1h, stop.get_token()));
    scope.request_stop("now");
  }};
  std::jthread asks{[&] {
    time.wait_for_sleepers(2);
    stop.request_stop();
  }};
  EXPECT_THROW(lastcall::io::sleep_for(1h), lastcall::interrupted);
}

TEST(VirtualClock, EndingItLetsSleepersSleepOnByTheKernelsTime) {
  std::atomic<bool> woken{false};
  std::jthread sleeper;
  {
    virtual_clock time;
    sleeper = std::jthread{[&] {
      lastcall::io::sleep_for(20ms);
      woken = true;
    }};
    time.wait_for_sleepers(1);
  }
  sleeper.join(); // nobody moves the time any more
  EXPECT_TRUE(woken);
}

TEST(VirtualClock, ManyShortSleepsNoneIsMissed) {
  virtual_clock time;
  std::atomic<bool> go_on{true};
  std::atomic<int> slept{0}, ended{0};
  std::vector<std::jthread> sleepers;
  for (int t = 0; t < 3; ++t)
    sleepers.emplace_back([&] {
      while (go_on) {
        lastcall::io::sleep_for(1s);
        slept.fetch_add(1);
      }
      ended.fetch_add(1);
    });
  for (int round = 0; round < 300; ++round) {
    time.wait_for_sleepers(3);
    time.advance(1s);
  }
  EXPECT_GE(slept, 3 * 299);
  for (go_on = false; ended < 3; std::this_thread::yield()) time.advance(1s);
  EXPECT_GE(slept, 3 * 300);
}
