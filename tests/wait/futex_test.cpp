// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/wait/futex.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

using namespace std::chrono_literals;
using lastcall::clock;
using lastcall::deadline;
using lastcall::wait::futex_result;
using lastcall::wait::futex_wait;

TEST(Futex, DoesNotSleepOnAWordThatHasChanged) {
  std::atomic<std::uint32_t> word{1};
  auto never = deadline::never();
  EXPECT_EQ(futex_wait(word, 0, never), futex_result::woken);
}

TEST(Futex, GivesUpAtTheDeadlineAndAtOnceWhenItHasPassed) {
  std::atomic<std::uint32_t> word{0};
  auto until = deadline::after(10ms);
  const auto start = clock::now();
  while (futex_wait(word, 0, until) == futex_result::woken) {
  }
  EXPECT_GE(clock::now() - start, 10ms);
  EXPECT_EQ(futex_wait(word, 0, until), futex_result::timed_out);
}

TEST(Futex, WakesAllWhoWait) {
  std::atomic<std::uint32_t> word{0};
  std::vector<std::jthread> waiters;
  for (int i = 0; i < 4; ++i)
    waiters.emplace_back([&] {
      auto never = deadline::never();
      while (word.load() == 0) futex_wait(word, 0, never);
    });
  word = 1;
  lastcall::wait::futex_wake_all(word);
}

// The clock jumps an hour while the wait sleeps, as if the process had been stopped.
TEST(Futex, AWaitThatOversleptIsGivenItsSliceOnce) {
  static std::atomic<int> looks{0};
  const auto before = clock::exchange_source(
      []() noexcept { return std::chrono::steady_clock::now() + (looks.fetch_add(1) < 2 ? 0h : 1h); });
  std::atomic<std::uint32_t> word{0};
  auto until = deadline::after(10ms); // the first look; the wait's own is the second
  while (futex_wait(word, 0, until) == futex_result::woken && until.when() < clock::now() - 30min) {
  }
  EXPECT_GT(until.when(), std::chrono::steady_clock::now() + 30min) << "moved past the jump";
  while (futex_wait(word, 0, until) == futex_result::woken) {
  }
  EXPECT_TRUE(until.expired());
  clock::exchange_source(before);
}
