// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "runtime/lock_queue.hpp"

#include <lastcall/testing/virtual_clock.hpp>

#include "interrupt/child.hpp"
#include "runtime/lock_taker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lock_taker;

namespace {

constexpr auto interval = 5ms;

struct LockQueue : testing::Test {
  lock_queue queue;
  LockQueue() { queue.open(me(), 1, interval); }
};

// Threads that come one after the other, and write down when each has its turn.
struct line_of_threads {
  lock_queue& queue;
  std::string turns{}; // guarded by the queue
  std::vector<std::jthread> threads{};

  void come(char name, deadline until = deadline::never()) {
    const std::size_t before = queue.waiters();
    threads.emplace_back([this, name, until] {
      if (take(queue, until) != lock_outcome::taken) return;
      turns += name;
      queue.give_up(me());
    });
    wait_for_waiters(queue, before + 1);
  }
};

} // namespace

TEST_F(LockQueue, OneRunsAtATime) {
  int plain = 0;
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        ASSERT_EQ(take(queue), lock_outcome::taken);
        ++plain;
        if (i % 16 == 0) {
          EXPECT_EQ(checkpoint(queue), lock_outcome::taken);
        }
        ++plain;
        queue.give_up(me());
      }
    });
  threads.clear();
  EXPECT_EQ(plain, 40'000);
  EXPECT_EQ(queue.holder(), 0);
}

TEST_F(LockQueue, NobodyIsAskedWithinTheInterval) {
  lastcall::testing::virtual_clock time;
  ASSERT_EQ(take(queue), lock_outcome::taken);
  EXPECT_EQ(queue.holder(), lastcall::sys::gettid());
  line_of_threads line{queue};
  line.come('a');
  time.wait_for_sleepers(1);
  time.advance(interval - 1ns);
  EXPECT_FALSE(asked());
  time.advance(1ns);
  time.wait_for_sleepers(1); // it has asked, and sleeps on
  EXPECT_TRUE(asked());
  queue.give_up(me());
}

TEST_F(LockQueue, AnAskedHolderHandsItToTheFirstAndTakesItsTurn) {
  lastcall::testing::virtual_clock time;
  ASSERT_EQ(take(queue), lock_outcome::taken);
  line_of_threads line{queue};
  for (char name = 'a'; name < 'h'; ++name) line.come(name);
  time.wait_for_sleepers(1);
  time.advance(interval);
  while (!asked()) std::this_thread::yield();
  // Once asked it is not free: each gives it to the next.
  ASSERT_EQ(checkpoint(queue), lock_outcome::taken);
  line.turns += 'M';
  EXPECT_EQ(line.turns.front(), 'a');
  EXPECT_FALSE(asked());
  queue.give_up(me());
  line.threads.clear();
  std::string all = line.turns;
  std::erase(all, 'M');
  EXPECT_EQ(all, "abcdefg");
}

TEST_F(LockQueue, GivenUpUnaskedItIsFreeForWhoComesFirst) {
  const lastcall::testing::virtual_clock time; // stands still: nobody asks
  ASSERT_EQ(take(queue), lock_outcome::taken);
  line_of_threads line{queue};
  line.come('a');
  int faster = 0;
  for (int i = 0; i < 1'000; ++i) {
    queue.give_up(me());
    faster += static_cast<int>(queue.take_at_once(me(), queue.entry()));
    if (me().holds == 0) {
      EXPECT_EQ(take(queue), lock_outcome::taken);
    }
  }
  EXPECT_GT(faster, 0);
  queue.give_up(me());
}

TEST_F(LockQueue, WhoeverWaitsNextKeepsTheTime) {
  lastcall::testing::virtual_clock time;
  ASSERT_EQ(take(queue), lock_outcome::taken);
  line_of_threads line{queue};
  line.come('a', deadline::after(2ms)); // keeps the time, and leaves
  line.come('b');
  line.come('c');
  time.wait_for_sleepers(1);
  time.advance(2ms);
  wait_for_waiters(queue, 2);
  time.wait_for_sleepers(1);
  time.advance(3ms);
  while (!asked()) std::this_thread::yield();
  queue.give_up(me());
  line.threads.clear();
  EXPECT_EQ(line.turns, "bc");
}

TEST_F(LockQueue, ARequestOfOneWhoLeftDoesNotStandForTheNext) {
  lastcall::testing::virtual_clock time;
  ASSERT_EQ(take(queue), lock_outcome::taken);
  line_of_threads line{queue};
  line.come('a', deadline::after(interval + 1ms));
  time.wait_for_sleepers(1);
  time.advance(interval);
  while (!asked()) std::this_thread::yield();
  time.wait_for_sleepers(1);
  time.advance(1ms);
  wait_for_waiters(queue, 0);
  EXPECT_EQ(checkpoint(queue), lock_outcome::taken); // nobody there
  line.come('b');
  time.wait_for_sleepers(1);
  EXPECT_FALSE(asked());
  time.advance(interval);
  while (!asked()) std::this_thread::yield();
  queue.give_up(me());
}

TEST_F(LockQueue, ATryDoesNotWait) {
  ASSERT_EQ(take(queue), lock_outcome::taken);
  std::jthread{[this] { EXPECT_EQ(take(queue, deadline::after(0s)), lock_outcome::late); }}.join();
  queue.give_up(me());
  std::jthread{[this] {
    ASSERT_EQ(take(queue, deadline::after(0s)), lock_outcome::taken);
    queue.give_up(me());
  }}.join();
}

// Eight takers who each do what the dice say. Time moves on only when one in the queue has had its turn, so
// the longest wait in intervals is a count of turns.
class LockQueueSeeds : public testing::TestWithParam<unsigned> {};
TEST_P(LockQueueSeeds, WithEightTakersNobodyWaitsLongerThanNineIntervals) {
  constexpr int takers = 8, times = 40;
  lock_queue queue;
  lastcall::testing::virtual_clock time;
  queue.open(me(), 1, interval);
  std::atomic<int> working{takers};
  lastcall::duration longest{}; // guarded by the queue
  std::vector<std::jthread> threads;
  threads.reserve(takers);
  for (unsigned t = 0; t < takers; ++t)
    threads.emplace_back([&, t] {
      std::minstd_rand dice{GetParam() * 31 + t};
      for (int i = 0; i < times; ++i) {
        const auto came = time.now();
        ASSERT_EQ(take(queue), lock_outcome::taken);
        longest = std::max(longest, time.now() - came);
        // Gives it up at once, after some time, or only when asked, at a checkpoint or for good.
        const auto what = dice() % 4;
        for (auto loops = dice() % 64; what != 0 && !asked() && (what > 1 || loops != 0); --loops)
          if (queue.waiters() != 0)
            std::this_thread::yield();
          else
            break;
        if (what == 2) {
          const auto asked_at = time.now();
          ASSERT_EQ(checkpoint(queue), lock_outcome::taken);
          longest = std::max(longest, time.now() - asked_at);
        }
        queue.give_up(me());
      }
      --working;
    });
  while (working != 0) {
    const auto turns = queue.turns();
    // Time moves for those in the queue, so all but the holder have to be there. Who was given the lock may
    // still be among the sleepers: moved for nobody, time would stand still for whoever came next. And who
    // has looked at the clock, but has not come to the queue, would be said to have waited in it.
    const auto others = static_cast<std::size_t>(std::max(1, working.load() - 1));
    if (time.sleepers() == 0 || queue.waiters() < others) {
      std::this_thread::yield();
      continue;
    }
    time.advance(interval);
    while (working != 0 && queue.turns() == turns && queue.waiters() != 0) std::this_thread::yield();
  }
  threads.clear();
  EXPECT_LE(longest, 9 * interval);
}
INSTANTIATE_TEST_SUITE_P(Seeds, LockQueueSeeds, testing::Range(1U, 9U));
