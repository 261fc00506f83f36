// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The lock when its runtime ends, and in the next one.
#include "runtime/lock_queue.hpp"

#include "interrupt/child.hpp"
#include "runtime/lock_taker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <random>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lock_taker;

namespace {

struct LockGenerations : testing::Test {
  lock_queue queue;
  LockGenerations() { queue.open(me(), 1, 5ms); }
  void reopen(lastcall::detail::lock_generation next) {
    ASSERT_TRUE(queue.close(me(), deadline::after(30s)));
    queue.open(me(), next, 5ms);
  }
};

// A thread that takes the lock and does nothing more until told to.
class silent_holder {
public:
  explicit silent_holder(lock_queue& queue)
      : thread_{[this, &queue] {
          outcome_ = take(queue);
          in_.count_down();
          out_.wait();
          then_(queue);
        }} {
    in_.wait();
  }
  ~silent_holder() { end(); }
  void end(void (*then)(lock_queue&) = [](lock_queue& queue) { queue.give_up(me()); }) {
    if (!thread_.joinable()) return;
    then_ = then;
    out_.count_down();
    thread_.join();
  }

private:
  std::latch in_{1}, out_{1};
  lock_outcome outcome_{};
  void (*then_)(lock_queue&) = nullptr;
  std::jthread thread_;
};

} // namespace

TEST(LockBeforeTheFirstGeneration, NobodyTakesIt) {
  lock_queue queue;
  EXPECT_EQ(take(queue), lock_outcome::never);
}

TEST_F(LockGenerations, ClosingLetsThoseWhoWaitGo) {
  ASSERT_EQ(take(queue), lock_outcome::taken);
  std::vector<std::jthread> threads;
  threads.reserve(3);
  for (int t = 0; t < 3; ++t) threads.emplace_back([this] { EXPECT_EQ(take(queue), lock_outcome::over); });
  wait_for_waiters(queue, 3);
  EXPECT_TRUE(queue.close(me(), deadline::after(30s)));
  threads.clear();
  EXPECT_NE(me().holds, 0U); // who closes it keeps it
  queue.give_up(me());
}

TEST_F(LockGenerations, ClosedItIsForTheExemptOnly) {
  EXPECT_TRUE(queue.close(me(), deadline::after(30s)));
  std::jthread{[this] { EXPECT_EQ(take(queue), lock_outcome::over); }}.join();
  ASSERT_EQ(take(queue), lock_outcome::taken);
  std::jthread helper{[this] {
    me().exempt_of = 1;
    ASSERT_EQ(take(queue), lock_outcome::taken);
    queue.give_up(me());
  }};
  wait_for_waiters(queue, 1);
  queue.give_up(me());
  helper.join();
}

TEST_F(LockGenerations, ClosingAsksTheHolder) {
  silent_holder other{queue};
  std::jthread closing{[this] { EXPECT_TRUE(queue.close(me(), deadline::after(30s))); }};
  wait_for_waiters(queue, 1);
  other.end([](lock_queue& its) {
    while (!asked()) std::this_thread::yield();
    EXPECT_EQ(checkpoint(its), lock_outcome::over);
    EXPECT_EQ(me().holds, 0U);
  });
  closing.join();
  EXPECT_EQ(queue.holder(), 0);
}

TEST_F(LockGenerations, AHolderThatDoesNotGiveItUpIsKnown) {
  silent_holder other{queue};
  EXPECT_FALSE(queue.close(me(), deadline::after(1ms)));
  EXPECT_NE(queue.holder(), 0);
  EXPECT_EQ(take(queue), lock_outcome::stuck); // and not waited for
  other.end();
  ASSERT_EQ(take(queue), lock_outcome::taken); // it has come to its senses
  queue.give_up(me());
}

TEST_F(LockGenerations, ExemptThreadsDoNotWaitForEachOtherWithoutEnd) {
  EXPECT_TRUE(queue.close(me(), deadline::after(1ms)));
  std::latch in{1}, out{1};
  std::jthread helper{[&] {
    me().exempt_of = 1;
    EXPECT_EQ(take(queue), lock_outcome::taken);
    in.count_down();
    out.wait();
    queue.give_up(me());
  }};
  in.wait();
  EXPECT_EQ(take(queue), lock_outcome::stuck);
  out.count_down();
}

TEST_F(LockGenerations, AnOldHolderHasNothingToGiveUpInTheNext) {
  silent_holder other{queue};
  EXPECT_FALSE(queue.close(me(), deadline::after(1ms)));
  queue.open(me(), 2, 5ms);
  ASSERT_EQ(take(queue), lock_outcome::taken);
  other.end();
  EXPECT_EQ(queue.holder(), lastcall::sys::gettid());
  std::jthread{[this] { EXPECT_EQ(take(queue, deadline::after(0s)), lock_outcome::late); }}.join();
  queue.give_up(me());
}

TEST_F(LockGenerations, AnOldHolderIsToldAtItsCheckpoint) {
  silent_holder other{queue};
  EXPECT_FALSE(queue.close(me(), deadline::after(1ms)));
  queue.open(me(), 2, 5ms);
  other.end([](lock_queue& its) { EXPECT_EQ(checkpoint(its), lock_outcome::over); });
}

TEST_F(LockGenerations, WhoCameInAnOldOneNeverGetsItInTheNext) {
  const auto entry = queue.entry();
  reopen(2);
  EXPECT_FALSE(queue.take_at_once(me(), entry));
  EXPECT_EQ(queue.take(me(), entry, deadline::never()), lock_outcome::over);
  EXPECT_EQ(queue.take(me(), lock_queue::entry_of(1), deadline::never()), lock_outcome::over);
}

TEST_F(LockGenerations, WhoCameWhileItWasClosedNeverGetsItInTheNext) {
  ASSERT_TRUE(queue.close(me(), deadline::after(30s)));
  const auto entry = queue.entry();
  queue.open(me(), 2, 5ms);
  EXPECT_FALSE(queue.take_at_once(me(), entry));
  EXPECT_EQ(queue.take(me(), entry, deadline::never()), lock_outcome::over);
}

TEST_F(LockGenerations, WhoOpensTheNextKeepsWhatItHolds) {
  ASSERT_EQ(take(queue), lock_outcome::taken);
  reopen(2);
  EXPECT_EQ(me().holds, 2U);
  EXPECT_EQ(queue.holder(), lastcall::sys::gettid());
  queue.give_up(me());
  EXPECT_EQ(queue.holder(), 0);
}

// bpo-9901: initialize, threads loop on the lock, finalize, thousands of times.
TEST_F(LockGenerations, TenThousandWithEightTakersEach) {
  const char* asked_for = std::getenv("LASTCALL_ROUNDS");
  const unsigned rounds =
      asked_for != nullptr ? static_cast<unsigned>(std::strtoul(asked_for, nullptr, 10)) : 10'000;
  std::atomic<unsigned> round{1}, over{0};
  std::atomic<bool> last{false};
  unsigned inside_of = 1; // guarded by the queue; written between generations
  std::atomic<std::uint64_t> wrong{0}, turns{0};
  std::vector<std::jthread> threads;
  threads.reserve(8);
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (unsigned mine = 1; !last; ++mine) {
        for (unsigned now = round; now < mine && !last; now = round) round.wait(now);
        if (last) return;
        for (;;) {
          if (take(queue) != lock_outcome::taken) break;
          if (inside_of != mine) ++wrong;
          turns.fetch_add(1, std::memory_order_relaxed);
          if (checkpoint(queue) != lock_outcome::taken) break;
          queue.give_up(me());
        }
        ++over;
        over.notify_one();
      }
    });
  std::minstd_rand dice{1};
  for (unsigned now = 1; now <= rounds; ++now) {
    // With some of them in the queue, asleep or about to sleep; now and then with all of them at it.
    if (const auto enough = dice() % 9; me().holds != 0)
      while (queue.waiters() < enough) std::this_thread::yield();
    else
      for (const auto before = turns.load(); turns.load() == before;) std::this_thread::yield();
    ASSERT_TRUE(queue.close(me(), deadline::after(30s)));
    if (me().holds != 0) queue.give_up(me());
    for (unsigned gone = over; gone != 8 * now; gone = over) over.wait(gone);
    ASSERT_EQ(queue.holder(), 0);
    inside_of = now + 1;
    queue.open(me(), now + 1, 5ms);
    if (dice() % 32 != 0) {
      ASSERT_EQ(take(queue), lock_outcome::taken);
    }
    last = now == rounds;
    round = now + 1;
    round.notify_all();
  }
  if (me().holds != 0) queue.give_up(me());
  threads.clear();
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_GT(turns.load(), 0U);
}

TEST_F(LockGenerations, AForkedChildHoldsWhatItHeld) {
  ASSERT_EQ(take(queue), lock_outcome::taken);
  std::jthread waiter{[this] {
    ASSERT_EQ(take(queue), lock_outcome::taken);
    queue.give_up(me());
  }};
  wait_for_waiters(queue, 1);
  queue.before_fork();
  const int status = testing_child::run([&] {
    queue.in_child(lastcall::detail::lock_seat_here());
    if (queue.holder() != lastcall::sys::gettid() || queue.waiters() != 0) return 1;
    queue.give_up(me());
    return take(queue, deadline::after(0s)) == lock_outcome::taken ? 0 : 2;
  });
  queue.in_parent();
  EXPECT_TRUE(testing_child::exited_with(status, 0));
  queue.give_up(me());
}

TEST_F(LockGenerations, InAForkedChildALockOfAnotherThreadIsFree) {
  silent_holder other{queue};
  queue.before_fork();
  const int status = testing_child::run([&] {
    queue.in_child(lastcall::detail::lock_seat_here());
    return queue.holder() == 0 && take(queue, deadline::after(0s)) == lock_outcome::taken ? 0 : 1;
  });
  queue.in_parent();
  EXPECT_TRUE(testing_child::exited_with(status, 0));
}
