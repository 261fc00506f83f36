// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/big_lock.hpp>

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/interrupt/with.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using lastcall::big_lock;
using lastcall::deadline;
using lastcall::runtime_errc;
using lastcall::the_big_lock;
using runtime_test::code_of;
using runtime_test::exit_status_of;
using runtime_test::quiet;

namespace {

// Whether somebody else could have it at this moment.
bool free_for_others() {
  bool taken = false;
  std::jthread{[&] {
    taken = the_big_lock().try_lock();
    if (taken) the_big_lock().unlock();
  }}.join();
  return taken;
}

void wait_for_waiters(std::size_t count) {
  while (lastcall::detail::the_lock_queue().waiters() != count) std::this_thread::yield();
}

struct BigLock : testing::Test {
  lastcall::runtime runtime{quiet()};
};

} // namespace

TEST(BigLockWithoutARuntime, IsAnError) {
  EXPECT_EQ(code_of([] { the_big_lock().lock(); }), runtime_errc::no_runtime);
  EXPECT_EQ(code_of([] { static_cast<void>(the_big_lock().try_lock_until(deadline::never())); }),
            runtime_errc::no_runtime);
  EXPECT_FALSE(the_big_lock().try_lock());
  { const big_lock::released nothing; }
  EXPECT_FALSE(the_big_lock().holder());
}

TEST_F(BigLock, OneThreadHasIt) {
  const std::unique_lock turn{the_big_lock()};
  EXPECT_TRUE(the_big_lock().is_mine());
  EXPECT_FALSE(free_for_others());
}

TEST_F(BigLock, GivenUpItIsFree) {
  { const std::unique_lock turn{the_big_lock()}; }
  EXPECT_FALSE(the_big_lock().is_mine());
  EXPECT_TRUE(free_for_others());
}

TEST_F(BigLock, ATimedTryComesBack) {
  const std::unique_lock turn{the_big_lock()};
  std::jthread{[] { EXPECT_FALSE(the_big_lock().try_lock_until(deadline::after(1ms))); }}.join();
}

TEST_F(BigLock, KnowsItsHolder) {
  EXPECT_FALSE(the_big_lock().holder());
  std::latch in{1}, out{1};
  lastcall::thread importer{"importer", [&] {
                              const std::unique_lock turn{the_big_lock()};
                              in.count_down();
                              out.wait();
                            }};
  in.wait();
  const auto who = the_big_lock().holder();
  out.count_down();
  ASSERT_TRUE(who);
  EXPECT_EQ(who->name, "importer");
  EXPECT_EQ(who->thread, importer.id());
}

TEST_F(BigLock, NamesAThreadOfOthersAsTheKernelDoes) {
  std::jthread{[] {
    ::pthread_setname_np(::pthread_self(), "foreigner");
    const std::unique_lock turn{the_big_lock()};
    EXPECT_EQ(the_big_lock().holder()->name, "foreigner");
  }}.join();
}

TEST_F(BigLock, IsHandedOverAtACheckpoint) {
  std::unique_lock turn{the_big_lock()};
  std::latch had_it{1};
  std::jthread other{[&] {
    const std::unique_lock its_turn{the_big_lock()};
    had_it.count_down();
  }};
  while (!had_it.try_wait()) lastcall::checkpoint();
  EXPECT_TRUE(the_big_lock().is_mine());
}

TEST_F(BigLock, IsHandedOverAtACheckpointUnderAShield) {
  std::unique_lock turn{the_big_lock()};
  const lastcall::shield whole;
  std::latch had_it{1};
  std::jthread other{[&] {
    const std::unique_lock its_turn{the_big_lock()};
    had_it.count_down();
  }};
  while (!had_it.try_wait()) lastcall::checkpoint();
  EXPECT_TRUE(the_big_lock().is_mine());
}

TEST_F(BigLock, ARequestIsDeliveredWithTheLockBack) {
  lastcall::signal_scope scope;
  bool delivered = false;
  try {
    const std::unique_lock turn{the_big_lock()};
    std::jthread other{[] {
      const std::unique_lock its_turn{the_big_lock()};
      ::kill(::getpid(), SIGTERM);
    }};
    wait_for_waiters(1);
    for (;;) {
      try {
        lastcall::checkpoint();
      } catch (const lastcall::interrupted&) {
        EXPECT_TRUE(the_big_lock().is_mine());
        throw;
      }
    }
  } catch (const lastcall::interrupted&) {
    delivered = true;
  }
  EXPECT_TRUE(delivered);
  EXPECT_FALSE(the_big_lock().is_mine());
  scope.acknowledge();
}

TEST_F(BigLock, ReleasedGivesItUpForABlock) {
  const std::unique_lock turn{the_big_lock()};
  {
    const big_lock::released outside;
    EXPECT_FALSE(the_big_lock().is_mine());
    EXPECT_TRUE(free_for_others());
    const big_lock::released nothing_left;
  }
  EXPECT_TRUE(the_big_lock().is_mine());
}

TEST_F(BigLock, ReleasedIsTakenBackOnce) {
  const std::unique_lock turn{the_big_lock()};
  big_lock::released outside;
  outside.take_back();
  EXPECT_TRUE(the_big_lock().is_mine());
  outside.take_back();
}

TEST_F(BigLock, ReleasedWhileReturnsWhatItsFunctionDoes) {
  const std::unique_lock turn{the_big_lock()};
  int number = 1;
  EXPECT_EQ(&big_lock::released_while([&]() -> int& { return number; }), &number);
  const auto only_moved = big_lock::released_while([] { return std::make_unique<int>(7); });
  EXPECT_EQ(*only_moved, 7);
  EXPECT_TRUE(big_lock::released_while(free_for_others));
  EXPECT_TRUE(the_big_lock().is_mine());
}

TEST_F(BigLock, ReleasedWhileTakesItBackBeforeAnExceptionLeaves) {
  const std::unique_lock turn{the_big_lock()};
  EXPECT_THROW(big_lock::released_while([] { throw std::runtime_error{"no"}; }), std::runtime_error);
  EXPECT_TRUE(the_big_lock().is_mine());
}

TEST_F(BigLock, IsLockable) {
  lastcall::with(the_big_lock(), [] { EXPECT_TRUE(the_big_lock().is_mine()); });
  const std::scoped_lock turn{the_big_lock()};
  EXPECT_TRUE(the_big_lock().is_mine());
}

TEST_F(BigLock, AForkedChildHoldsItIfItsParentDid) {
  EXPECT_EQ(exit_status_of([] { return free_for_others() ? 0 : 1; }), 0);
  const std::unique_lock turn{the_big_lock()};
  EXPECT_EQ(exit_status_of([] {
              if (!the_big_lock().is_mine() || free_for_others()) return 1;
              the_big_lock().unlock();
              return free_for_others() ? 0 : 2;
            }),
            0);
}

TEST_F(BigLock, IsFreeInAForkedChildWhenAnotherThreadHadIt) {
  std::latch in{1}, out{1};
  std::jthread other{[&] {
    const std::unique_lock turn{the_big_lock()};
    in.count_down();
    out.wait();
  }};
  in.wait();
  EXPECT_EQ(exit_status_of([] { return the_big_lock().try_lock() ? 0 : 1; }), 0);
  out.count_down();
}

using BigLockDeathTest = BigLock;
TEST_F(BigLockDeathTest, TakenTwiceByOneThread) {
  const std::unique_lock turn{the_big_lock()};
  EXPECT_DEATH(the_big_lock().lock(), "it is not recursive");
  EXPECT_DEATH(static_cast<void>(the_big_lock().try_lock()), "it is not recursive");
}

TEST_F(BigLockDeathTest, GivenUpByAThreadThatDoesNotHoldIt) {
  EXPECT_DEATH(the_big_lock().unlock(), "does not hold it");
  const std::unique_lock turn{the_big_lock()};
  EXPECT_DEATH(std::jthread{[] { the_big_lock().unlock(); }}.join(), "does not hold it");
}

TEST_F(BigLockDeathTest, AThreadsEndWithTheLockHeld) {
  EXPECT_DEATH(std::jthread{[] { the_big_lock().lock(); }}.join(), "a thread has ended with the big lock");
}
