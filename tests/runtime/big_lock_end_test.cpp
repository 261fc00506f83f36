// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Threads of ours, and those that finalize, when the big lock is closed.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/big_lock.hpp>
#include <lastcall/runtime/daemon_thread.hpp>
#include <lastcall/runtime/finalizer.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "runtime/big_lock_gate.hpp"
#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::big_lock;
using lastcall::daemon_thread;
using lastcall::deadline;
using lastcall::runtime_errc;
using lastcall::the_big_lock;
using runtime_test::code_of;
using runtime_test::patient;
using runtime_test::quiet;
namespace io = lastcall::io;

namespace {

struct BigLockEnd : testing::Test {
  std::optional<lastcall::runtime> runtime{patient()};
  void next() { runtime.emplace(patient()); }
  lastcall::finalization_report end(lastcall::duration within = 30s) {
    return runtime->finalize(deadline::after(within));
  }
};

// For daemons that are in code of their own through all of the end.
struct BigLockEndWithDaemonsElsewhere : BigLockEnd {
  BigLockEndWithDaemonsElsewhere() {
    end();
    runtime.emplace(quiet());
  }
};

void wait_for_waiters(std::size_t count) {
  while (lastcall::detail::the_lock_queue().waiters() != count) std::this_thread::yield();
}

// Has the lock until it is closed, so that nobody in the queue gets it before.
class holder_to_the_end {
public:
  holder_to_the_end() { holds_.wait(); }

private:
  std::latch holds_{1};
  daemon_thread thread_{"holder", "a test", [this] {
                          const std::unique_lock turn{the_big_lock()};
                          holds_.count_down();
                          while (!lastcall::detail::the_lock_queue().is_closed()) std::this_thread::yield();
                        }};
};

// A daemon, and how its function was left.
class watched_daemon {
public:
  explicit watched_daemon(std::function<void()> fn)
      : thread_{"watched", "a test", [this, fn = std::move(fn)] {
                  try {
                    fn();
                    returned_ = true;
                  } catch (const lastcall::runtime_ended&) {
                    unwound_ = true;
                    throw;
                  }
                }} {}
  void join() { thread_.join(deadline::after(30s)); }
  bool unwound() const { return unwound_; }
  bool returned() const { return returned_; }
  bool parked() {
    while (!thread_.rests()) std::this_thread::yield();
    return code_of([this] { thread_.join(deadline::after(30s)); }) == runtime_errc::never_ends;
  }

private:
  std::atomic<bool> unwound_{false}, returned_{false};
  daemon_thread thread_;
};

} // namespace

TEST_F(BigLockEnd, WhoWaitsForItIsUnwound) {
  const holder_to_the_end holder;
  watched_daemon one{[] { const std::unique_lock its_turn{the_big_lock()}; }};
  watched_daemon two{[] { static_cast<void>(the_big_lock().try_lock_until(deadline::never())); }};
  wait_for_waiters(2);
  const auto report = end();
  one.join();
  two.join();
  EXPECT_TRUE(one.unwound());
  EXPECT_TRUE(two.unwound());
  EXPECT_EQ(report.daemons_left + report.daemons_parked, 0U);
}

TEST_F(BigLockEnd, WhoFinalizesKeepsWhatItHas) {
  const std::unique_lock turn{the_big_lock()};
  EXPECT_TRUE(end().clean());
  EXPECT_TRUE(the_big_lock().is_mine());
  next();
  EXPECT_TRUE(the_big_lock().is_mine());
  std::jthread{[] { EXPECT_FALSE(the_big_lock().try_lock()); }}.join();
}

// Its std::unique_lock gives up what it no longer has.
TEST_F(BigLockEnd, WhoComesBackFromAWaitIsUnwound) {
  std::latch waits{1};
  watched_daemon one{[&] {
    const std::unique_lock its_turn{the_big_lock()};
    waits.count_down();
    io::sleep_until(deadline::never());
  }};
  waits.wait();
  EXPECT_EQ(end().daemons_left, 0U);
  one.join();
  EXPECT_TRUE(one.unwound());
}

TEST_F(BigLockEnd, WhoWaitsInsideReleasedIsUnwound) {
  std::latch waits{1};
  watched_daemon one{[&] {
    const std::unique_lock its_turn{the_big_lock()};
    const big_lock::released outside;
    waits.count_down();
    io::sleep_until(deadline::never());
  }};
  waits.wait();
  EXPECT_EQ(end().daemons_left, 0U);
  one.join();
  EXPECT_TRUE(one.unwound());
}

TEST_F(BigLockEnd, WhoIsAtACheckpointWithItIsUnwound) {
  std::latch runs{1};
  watched_daemon one{[&] {
    const std::unique_lock its_turn{the_big_lock()};
    runs.count_down();
    for (;;) lastcall::checkpoint();
  }};
  runs.wait();
  const auto report = end();
  one.join();
  EXPECT_TRUE(one.unwound());
  EXPECT_TRUE(report.clean());
}

TEST_F(BigLockEndWithDaemonsElsewhere, WhoLeavesReleasedAsUsualIsParked) {
  std::latch waits{1}, go_on{1};
  watched_daemon one{[&] {
    const std::unique_lock its_turn{the_big_lock()};
    const big_lock::released outside;
    waits.count_down();
    go_on.wait();
  }};
  waits.wait();
  end();
  go_on.count_down();
  EXPECT_TRUE(one.parked());
}

TEST_F(BigLockEndWithDaemonsElsewhere, ATryIsRefused) {
  std::latch runs{1}, ended{1};
  std::atomic<int> taken{-1};
  watched_daemon one{[&] {
    runs.count_down();
    ended.wait();
    taken = static_cast<int>(the_big_lock().try_lock());
  }};
  runs.wait(); // one that had not begun by the end would not begin at all
  end();
  next(); // open again, but not for it
  ended.count_down();
  one.join();
  EXPECT_EQ(taken, 0);
  EXPECT_TRUE(one.returned());
}

TEST_F(BigLockEnd, TheSecondTouchParks) {
  const holder_to_the_end holder;
  watched_daemon one{[] {
    try {
      the_big_lock().lock();
    } catch (const lastcall::runtime_ended&) { // and goes on
    }
    the_big_lock().lock();
  }};
  wait_for_waiters(1);
  end();
  EXPECT_TRUE(one.parked());
}

TEST_F(BigLockEndWithDaemonsElsewhere, AHolderThatDoesNotGiveItUpIsNamedAndNotWaitedFor) {
  std::latch holds{1}, go_on{1};
  daemon_thread stuck{"stuck", "a test", [&] {
                        const std::unique_lock its_turn{the_big_lock()};
                        holds.count_down();
                        go_on.wait();
                      }};
  holds.wait();
  std::string said;
  const lastcall::finalizer last{[&] {
    try {
      the_big_lock().lock();
    } catch (const std::system_error& error) {
      said = error.what();
      EXPECT_EQ(error.code(), runtime_errc::never_ends);
    }
  }};
  const auto report = end(200ms);
  EXPECT_NE(said.find("held by \"stuck\""), std::string::npos) << said;
  EXPECT_NE(describe(report).find("the big lock was still held by stuck"), std::string::npos)
      << describe(report);
  EXPECT_EQ(code_of([] { the_big_lock().lock(); }), runtime_errc::never_ends);
  EXPECT_FALSE(the_big_lock().try_lock());
  // In the next one it is not the holder any more, and gives nothing up.
  next();
  const std::unique_lock turn{the_big_lock()};
  go_on.count_down();
  EXPECT_TRUE(stuck.join(deadline::after(30s)));
  std::jthread{[] { EXPECT_FALSE(the_big_lock().try_lock()); }}.join();
}

TEST_F(BigLockEnd, WhatIsRegisteredForTheEndGetsIt) {
  int called = 0;
  lastcall::at_exit([&] {
    const std::unique_lock turn{the_big_lock()};
    ++called;
  });
  const lastcall::finalizer last{[&] {
    const std::unique_lock turn{the_big_lock()};
    ++called;
  }};
  EXPECT_TRUE(end().clean());
  EXPECT_EQ(called, 2);
  const std::unique_lock turn{the_big_lock()}; // who has finalized gets it, too
}

TEST_F(BigLockEnd, OpensAgainForEverybody) {
  end();
  next();
  const std::unique_lock turn{the_big_lock()};
  std::latch had_it{1};
  const lastcall::thread other{"other", [&] {
                                 const std::unique_lock its_turn{the_big_lock()};
                                 had_it.count_down();
                               }};
  while (!had_it.try_wait()) lastcall::checkpoint();
}

// bpo-9901, with the runtime around it.
TEST_F(BigLockEnd, ManyRuntimesWithEightDaemonsThatLoopOnIt) {
  const char* asked = std::getenv("LASTCALL_ROUNDS");
  const long rounds = asked != nullptr ? std::strtol(asked, nullptr, 10) : 300;
  for (int round = 0; round < rounds; ++round) {
    std::atomic<std::uint64_t> turns{0};
    std::vector<daemon_thread> daemons;
    daemons.reserve(8);
    for (int d = 0; d < 8; ++d)
      daemons.emplace_back("looper", "a test", [&turns, d] {
        for (int i = d;; ++i) {
          const std::unique_lock turn{the_big_lock()};
          turns.fetch_add(1, std::memory_order_relaxed);
          if (i % 3 == 0) lastcall::checkpoint();
          if (i % 5 == 0) big_lock::released_while([] { std::this_thread::yield(); });
          if (i % 7 == 0) io::sleep_for(1us);
        }
      });
    while (turns.load() < 8) std::this_thread::yield();
    const auto report = end();
    ASSERT_EQ(report.daemons_left + report.daemons_parked, 0U) << "round " << round;
    for (auto& one : daemons) ASSERT_TRUE(one.join(deadline::after(30s)));
    next();
  }
}
