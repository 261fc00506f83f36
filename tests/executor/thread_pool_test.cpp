// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "executor/blocked_pool.hpp"
#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <signal.h>

namespace {

using namespace std::chrono_literals;
using executor_test::soon;
using lastcall::deadline;
using lastcall::thread_pool;
using runtime_test::quiet;

TEST(ThreadPool, RunsWhatIsPosted) {
  const lastcall::runtime it{quiet()};
  std::atomic<int> sum{0};
  thread_pool pool{{.name = "sum", .threads = 3}};
  for (int i = 1; i <= 10000; ++i) pool.post("add", [&sum, i] { sum += i; });
  const auto report = pool.drain(soon());
  EXPECT_TRUE(report.clean()) << describe(report);
  EXPECT_EQ(sum, 50005000);
}

TEST(ThreadPool, GivesResultsAndWhatWasThrown) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 2}};
  auto seven = pool.submit("seven", [] { return std::make_unique<int>(7); });
  auto nothing = pool.submit([](lastcall::stop_token) {});
  auto bad = pool.submit("bad", []() -> int { throw std::runtime_error("no"); });
  auto odd = pool.submit("odd", []() -> int { throw 5; });
  EXPECT_TRUE(seven.wait_until(soon()));
  EXPECT_EQ(*seven.take(), 7);
  nothing.take();
  EXPECT_FALSE(nothing.valid());
  EXPECT_THROW(bad.take(), std::runtime_error);
  EXPECT_THROW(odd.take(), int);
}

TEST(ThreadPool, TakesWhatCanOnlyBeMovedAndWhatIsLarge) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 2}};
  auto owned = std::make_unique<int>(5);
  std::array<long, 40> large{};
  large.back() = 6;
  EXPECT_EQ(pool.submit([owned = std::move(owned)] { return *owned; }).take(), 5);
  EXPECT_EQ(pool.submit([large] { return large.back(); }).take(), 6);
  std::atomic<long> sum{0};
  pool.post("a label that is longer than what a report keeps of it", [&, large] { sum += large.back(); });
  EXPECT_TRUE(pool.drain(soon()).clean());
  EXPECT_EQ(sum, 6);
}

TEST(ThreadPool, NamesItsThreads) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.name = "indexer", .threads = 3}};
  std::set<std::string> seen;
  std::mutex lock;
  std::latch all{3};
  for (int i = 0; i < 3; ++i)
    pool.post([&] {
      char name[16]{};
      ::pthread_getname_np(::pthread_self(), name, sizeof name);
      EXPECT_TRUE(pool.runs_here());
      {
        const std::scoped_lock guard{lock};
        seen.insert(name);
      }
      all.arrive_and_wait(); // one on each
    });
  EXPECT_TRUE(pool.drain(soon()).clean());
  EXPECT_EQ(seen, (std::set<std::string>{"indexer-1", "indexer-2", "indexer-3"}));
  EXPECT_FALSE(pool.runs_here());
}

TEST(ThreadPool, CountsWhatRunsAndWhatWaits) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 2}};
  executor_test::blocker one, two;
  pool.post("one", one.task());
  pool.post("two", two.task());
  one.begun.wait();
  two.begun.wait();
  for (int i = 0; i < 5; ++i) pool.post([] {});
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_EQ(pool.running(), 2u);
  EXPECT_EQ(pool.waiting(), 5u);
  one.release();
  two.release();
  EXPECT_TRUE(pool.drain(soon()).clean());
  EXPECT_EQ(pool.running(), 0u);
}

// A worker takes many tasks at once; those behind one that does not return must find another worker.
TEST(ThreadPool, NoTaskWaitsBehindOneThatDoesNotReturnWhileAThreadIsFree) {
  for (int round = 0; round < 100; ++round) {
    const lastcall::runtime it{quiet()};
    thread_pool pool{{.threads = 3}};
    executor_test::blocker first, second;
    std::latch all_others{200};
    for (int i = 0; i < 100; ++i) pool.post([&] { all_others.count_down(); });
    pool.post("first", first.task());
    pool.post("second", second.task());
    for (int i = 0; i < 100; ++i) pool.post([&] { all_others.count_down(); });
    all_others.wait();
    first.release();
    second.release();
    EXPECT_TRUE(pool.drain(soon()).clean());
  }
}

// A worker that stole one of several from a second one once left the rest to nobody, while others slept.
TEST(ThreadPool, EachOfAsManyTasksAsThreadsGetsOne) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 6}};
  for (int round = 0; round < 200; ++round) {
    std::latch all{6};
    for (int i = 0; i < 6; ++i) pool.post([&] { all.arrive_and_wait(); });
    all.wait();
    while (pool.running() != 0) std::this_thread::yield();
  }
  EXPECT_TRUE(pool.drain(soon()).clean());
}

TEST(ThreadPool, GrowsWhenAllAreAtWorkAndShrinksAgain) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 1, .grow_to = 4, .idle_for = 1ms}};
  EXPECT_EQ(pool.size(), 1u);
  for (int round = 0; round < 20; ++round) {
    std::latch all{4};
    for (int i = 0; i < 4; ++i) pool.post([&] { all.arrive_and_wait(); });
    all.wait();
    while (pool.size() > 1 || pool.running() != 0) std::this_thread::yield(); // nobody looks at the latch
  }
  EXPECT_TRUE(pool.drain(soon()).clean());
}

TEST(ThreadPool, TasksPostTasks) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 3}};
  std::latch all{1 + 2 + 4 + 8 + 16 + 32 + 64 + 128};
  struct tree {
    thread_pool& pool;
    std::latch& all;
    int depth;
    void operator()() const {
      for (int i = 0; i < 2 && depth > 0; ++i) pool.post("node", tree{pool, all, depth - 1});
      all.count_down();
    }
  };
  pool.post("root", tree{pool, all, 7});
  all.wait();
  EXPECT_TRUE(pool.drain(soon()).clean());
}

TEST(ThreadPool, ManyPostAtOnceAndEachTaskRunsOnce) {
  const lastcall::runtime it{quiet()};
  constexpr std::size_t posters = 4, each = 5000;
  std::vector<std::atomic<int>> ran(posters * each);
  thread_pool pool{{.threads = 3, .grow_to = 5, .idle_for = 1ms, .capacity = 50}};
  {
    std::vector<std::jthread> all;
    for (std::size_t p = 0; p < posters; ++p)
      all.emplace_back([&, p] {
        for (std::size_t i = 0; i < each; ++i) pool.post([&, p, i] { ++ran[p * each + i]; });
      });
  }
  EXPECT_TRUE(pool.drain(soon()).clean());
  for (const auto& times : ran) ASSERT_EQ(times, 1);
}

// Whatever a drain that comes in the middle refuses is refused to its poster; the rest runs.
TEST(ThreadPool, WhatIsPostedWhileItIsDrainedRunsOrIsRefused) {
  for (int round = 0; round < 100; ++round) {
    const lastcall::runtime it{quiet()};
    std::atomic<int> accepted{0}, ran{0};
    thread_pool pool{{.threads = 2}};
    {
      std::vector<std::jthread> all;
      std::latch ready{3};
      for (int p = 0; p < 2; ++p)
        all.emplace_back([&] {
          ready.arrive_and_wait();
          while (pool.try_post("t", [&] { ++ran; })) ++accepted;
        });
      ready.arrive_and_wait();
      EXPECT_TRUE((round % 2 == 0 ? pool.drain(soon()) : pool.drop(soon())).unfinished.empty());
    }
    if (round % 2 == 0)
      EXPECT_EQ(ran, accepted);
    else
      EXPECT_LE(ran, accepted);
  }
}

TEST(Future, AWaitEndsByItsDeadlineAndByItsToken) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 1}};
  executor_test::blocker stuck;
  auto answer = pool.submit("stuck", stuck.task());
  std::error_code error;
  EXPECT_FALSE(answer.wait_until(deadline::after(1ms)));
  EXPECT_FALSE(answer.wait_until(deadline::after(1ms), error));
  EXPECT_FALSE(error);
  std::stop_source stop;
  std::jthread later{[&] { stop.request_stop(); }};
  EXPECT_FALSE(answer.wait_until(deadline::never(), stop.get_token()));
  EXPECT_FALSE(answer.ready());
  stuck.release();
  EXPECT_TRUE(answer.wait_until(soon(), error));
  answer.take();
}

TEST(Future, ARequestEndsTheOwnersWait) {
  const lastcall::runtime it{quiet()};
  lastcall::signal_scope signals;
  thread_pool pool{{.threads = 1}};
  executor_test::blocker stuck;
  auto answer = pool.submit("stuck", stuck.task());
  ::raise(SIGTERM);
  EXPECT_THROW(answer.take(), lastcall::interrupted);
  EXPECT_TRUE(answer.valid());
  std::error_code error;
  EXPECT_FALSE(answer.wait_until(soon(), error));
  EXPECT_EQ(error, lastcall::stop_errc::interrupted);
  signals.acknowledge();
  stuck.release();
  answer.take();
}

TEST(Future, WhatATaskHoldsIsGoneWhenItsResultIsThere) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 2}};
  for (int round = 0; round < 1000; ++round) {
    auto held = std::make_shared<int>(1);
    auto answer = pool.submit([held] { return *held; });
    EXPECT_EQ(answer.take(), 1);
    EXPECT_EQ(held.use_count(), 1);
  }
}

} // namespace
