// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A pool and the end of the runtime it belongs to, of the process, of the process that forked it.
#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>
#include <lastcall/sys/config.hpp>

#include "executor/blocked_pool.hpp"
#include "runtime/quiet.hpp"
#include "runtime/thread_registry.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using executor_test::blocker;
using executor_test::soon;
using lastcall::deadline;
using lastcall::executor_errc;
using lastcall::pool_report;
using lastcall::runtime_errc;
using lastcall::thread_pool;
using runtime_test::code_of;
using runtime_test::exit_status_of;
using runtime_test::quiet;
using runtime_test::status_after_exit_of;

TEST(PoolAndRuntime, APoolNeedsOne) {
  EXPECT_EQ(code_of([] { thread_pool{}; }), runtime_errc::no_runtime);
}

TEST(PoolAndRuntime, AtTheEndWhatIsQueuedStillRuns) {
  std::atomic<int> ran{0};
  lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 1}};
  std::latch begun{1};
  pool.post("waits for the end", [&](lastcall::stop_token stop) {
    begun.count_down();
    lastcall::io::sleep_until(deadline::never(), stop);
  });
  begun.wait();
  for (int i = 0; i < 100; ++i) pool.post([&] { ++ran; });
  const auto report = it.finalize(soon());
  EXPECT_TRUE(report.clean()) << describe(report);
  EXPECT_EQ(ran, 100);
  EXPECT_EQ(code_of([&] { pool.post([] {}); }), runtime_errc::over);
  EXPECT_EQ(code_of([&] { pool.submit_final("late", [] {}); }), runtime_errc::over);
  EXPECT_TRUE(pool.drain(soon()).clean());
}

TEST(PoolAndRuntime, WhileItEndsPostingIsRefusedByName) {
  lastcall::runtime it{quiet()};
  thread_pool pool{{.name = "p", .threads = 1}};
  std::optional<std::error_code> why;
  std::string text;
  pool.post("tries", [&](lastcall::stop_token stop) {
    lastcall::io::sleep_until(deadline::never(), stop);
    try {
      pool.post("too late", [] {});
    } catch (const std::system_error& error) {
      why = error.code();
      text = error.what();
    }
  });
  EXPECT_TRUE(it.finalize(soon()).clean());
  EXPECT_EQ(why, runtime_errc::ending);
  EXPECT_NE(text.find("\"too late\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"p\""), std::string::npos) << text;
}

// In CPython it cannot run: the pool's threads are joined before.
TEST(PoolAndRuntime, StoppingThePoolAtExitWorksAlthoughItsThreadsAreJoinedBefore) {
  std::atomic<int> ran{0};
  std::optional<pool_report> report;
  std::optional<int> last_words;
  lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 2}};
  for (int i = 0; i < 50; ++i) pool.post([&] { ++ran; });
  lastcall::at_exit([&] {
    last_words = pool.submit_final("last words", [] { return 7; }).take();
    report = pool.drain(soon());
  });
  EXPECT_TRUE(it.finalize(soon()).clean());
  EXPECT_EQ(ran, 50);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->clean()) << describe(*report);
  EXPECT_EQ(last_words, 7);
}

// Its threads had not begun when the runtime was over, and their places were theirs for ever.
TEST(PoolAndRuntime, ThreadsThatBeginTooLateAreNotWaitedFor) {
  lastcall::runtime it{quiet()};
  lastcall::detail::the_registry().end_generation(it.generation(), nullptr);
  thread_pool pool{{.threads = 2}};
  EXPECT_TRUE(pool.drain(soon()).clean());
  while (!code_of([&] { pool.submit_final("late", [] {}); })) std::this_thread::yield();
}

TEST(PoolAndRuntime, WhereDaemonsAreForbiddenTheReserveIsJoined) {
  auto options = quiet();
  options.daemons = lastcall::daemon_policy::forbidden;
  lastcall::runtime it{options};
  thread_pool pool{{.threads = 1}};
  EXPECT_EQ(pool.submit_final("seven", [] { return 7; }).take(), 7);
  EXPECT_TRUE(it.finalize(soon()).clean());
  EXPECT_EQ(code_of([&] { pool.submit_final("late", [] {}); }), runtime_errc::over);
}

TEST(PoolAndRuntime, ATaskThatNeverReturnsCostsTheEndItsDeadlineAndIsNamed) {
  static blocker stuck;
  lastcall::runtime it{quiet()};
  static std::optional<thread_pool> pool;
  pool.emplace(lastcall::pool_options{.name = "pool", .threads = 1});
  pool->post("stuck", stuck.task());
  stuck.begun.wait();
  const auto report = it.finalize(deadline::after(50ms));
  ASSERT_EQ(report.late.size(), 1u) << describe(report);
  EXPECT_EQ(report.late[0].name, "pool-1");
  stuck.release();
  executor_test::reap_those_left(stuck, it.generation());
}

TEST(PoolAndRuntime, ATaskInTheMiddleOfTheExitDoesNotHangIt) {
  EXPECT_EQ(status_after_exit_of([] {
              static lastcall::runtime it{quiet()};
              static thread_pool pool{{.threads = 1}};
              static std::latch begun{1};
              pool.post("sleeps", [](lastcall::stop_token stop) {
                begun.count_down();
                lastcall::io::sleep_until(deadline::never(), stop);
              });
              begun.wait();
              pool.close(); // does not wait
              return 3;
            }),
            3);
}

TEST(PoolAndRuntime, AQueuedTaskStillRunsAtTheExitOfTheProcess) {
  int out[2];
  ASSERT_EQ(::pipe(out), 0);
  EXPECT_EQ(status_after_exit_of([&] {
              static lastcall::runtime it{quiet()};
              static thread_pool pool{{.threads = 1}};
              for (int i = 0; i < 5; ++i)
                pool.post("write", [fd = out[1]] {
                  if (::write(fd, "x", 1) != 1) ::_exit(1);
                });
              return 0;
            }),
            0);
  ::close(out[1]);
  char all[6];
  std::size_t got = 0;
  for (ssize_t n = 0; (n = ::read(out[0], all + got, sizeof all - got)) > 0;)
    got += static_cast<std::size_t>(n);
  EXPECT_EQ(got, 5u);
}

TEST(PoolAndRuntime, TheNextRuntimeHasPoolsOfItsOwn) {
  std::optional<thread_pool> old;
  for (int round = 0; round < 20; ++round) {
    lastcall::runtime it{quiet()};
    thread_pool pool{{.threads = 2}};
    if (old) {
      EXPECT_EQ(code_of([&] { old->post([] {}); }), runtime_errc::over);
    }
    EXPECT_EQ(pool.submit([round] { return round; }).take(), round);
    old.reset();
    old.emplace(lastcall::pool_options{.threads = 1});
    it.finalize(soon());
  }
}

TEST(PoolAndRuntime, InAForkedChildItRefusesAndDoesNotHang) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 2}};
  blocker stuck;
  pool.post("stuck", stuck.task());
  stuck.begun.wait();
  auto pending = pool.submit("pending", [&] { stuck.ended.wait(); });
  EXPECT_EQ(exit_status_of([&] {
              if (code_of([&] { pool.post([] {}); }) != executor_errc::forked) return 1;
              if (code_of([&] { pool.submit_final("x", [] {}); }) != executor_errc::forked) return 2;
              if (!pool.drop(soon()).clean() || !pool.drain(soon()).clean()) return 3;
              if (code_of([&] { pending.take(); }) != executor_errc::forked) return 4;
              if (pool.size() != 0 || pool.running() != 0 || pool.waiting() != 0 || !pool.closed()) return 5;
              pool.~thread_pool(); // neither waits nor frees
              // ThreadSanitizer has no new threads in a child of a process with threads.
              if (LASTCALL_CONFIG_THREAD_SANITIZER) return 6;
              thread_pool own{{.threads = 1}};
              return own.submit([] { return 6; }).take();
            }),
            6);
  stuck.release();
  pending.take();
}

TEST(PoolAndRuntime, ATaskThatForksLeavesAChildThatEndsWithIt) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 2}};
  const auto child = pool.submit("forks", [] { return ::fork(); }).take();
  ASSERT_GT(child, 0); // the child's thread goes back into the pool's loop, and ends the process
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_TRUE(pool.drain(soon()).clean());
}

} // namespace
