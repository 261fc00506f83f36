// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What is asked for wrongly, and what goes wrong.
#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "executor/blocked_pool.hpp"
#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>

namespace {

using namespace std::chrono_literals;
using executor_test::blocker;
using executor_test::soon;
using lastcall::deadline;
using lastcall::executor_errc;
using lastcall::thread_pool;
using lastcall::when_full;
using runtime_test::code_of;
using runtime_test::quiet;

std::string refusal_of(lastcall::pool_options options) {
  try {
    thread_pool{std::move(options)};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return {};
}

TEST(PoolFaults, SizesThatCannotBe) {
  const lastcall::runtime it{quiet()};
  EXPECT_EQ(refusal_of({.name = "p", .threads = 0}), "the pool \"p\" cannot have no threads");
  EXPECT_EQ(refusal_of({.name = "p", .threads = 1'000'000'000}),
            "the pool \"p\" cannot have 1000000000 threads: the most are 32768");
  EXPECT_EQ(refusal_of({.name = "p", .grow_to = static_cast<std::size_t>(-1)}),
            "the pool \"p\" cannot have 18446744073709551615 threads: the most are 32768");
  EXPECT_EQ(refusal_of({.name = "p", .threads = 4, .grow_to = 2}),
            "the pool \"p\" cannot have grow_to 2, which is less than its 4 threads");
  EXPECT_EQ(refusal_of({.name = "p", .capacity = 0}),
            "the pool \"p\" cannot have no capacity: no task could wait in it");
}

TEST(PoolFaults, WhatATaskThrowsGoesToTheHookAndTheThreadGoesOn) {
  const lastcall::runtime it{quiet()};
  std::mutex lock;
  std::vector<std::string> told;
  thread_pool pool{{.threads = 1, .on_failure = [&](std::string_view label, std::exception_ptr what) {
                      const std::scoped_lock guard{lock};
                      try {
                        std::rethrow_exception(what);
                      } catch (const std::exception& error) {
                        told.push_back(std::string{label} + ": " + error.what());
                      } catch (int number) {
                        told.push_back(std::string{label} + ": " + std::to_string(number));
                      }
                    }}};
  pool.post("one", [] { throw std::runtime_error("no"); });
  pool.post("two", [] { throw 5; });
  EXPECT_EQ(pool.submit([] { return 3; }).take(), 3);
  const auto report = pool.drain(soon());
  EXPECT_EQ(report.failed, 2u);
  EXPECT_EQ(told, (std::vector<std::string>{"one: no", "two: 5"}));
}

TEST(PoolFaults, WithoutAHookStandardErrorGetsALine) {
  const lastcall::runtime it{quiet()};
  testing::internal::CaptureStderr();
  {
    thread_pool pool{{.name = "p", .threads = 1}};
    pool.post("bad", [] { throw std::runtime_error("no"); });
    pool.drain(soon());
    thread_pool failing{{.name = "q", .threads = 1, .on_failure = [](auto, auto) { throw 6; }}};
    failing.post("worse", [] { throw std::runtime_error("not at all"); });
    failing.drain(soon());
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("lastcall: the task \"bad\" of the pool \"p\" failed: no\n"), std::string::npos)
      << said;
  EXPECT_NE(said.find("lastcall: the task \"worse\" of the pool \"q\" failed: not at all\n"),
            std::string::npos);
  EXPECT_NE(said.find("and so did on_failure: "), std::string::npos) << said;
}

TEST(PoolFaults, AFailingInitializerBreaksThePoolAndHangsNobody) {
  const lastcall::runtime it{quiet()};
  std::latch go_on{1};
  thread_pool pool{{.name = "p", .threads = 2, .initializer = [&] {
                      go_on.wait();
                      throw std::runtime_error("no licence");
                    }}};
  auto answer = pool.submit("answer", [] { return 1; });
  go_on.count_down();
  EXPECT_EQ(code_of([&] { answer.take(); }), executor_errc::broken);
  try {
    for (;;) pool.post("another", [] {}); // until the pool knows
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), executor_errc::broken);
    EXPECT_NE(std::string{error.what()}.find("its initializer failed: no licence"), std::string::npos)
        << error.what();
  }
  EXPECT_TRUE(pool.drain(soon()).unfinished.empty());
}

TEST(PoolFaults, AnInitializerRunsOnceOnEachThread) {
  const lastcall::runtime it{quiet()};
  std::atomic<int> made{0};
  thread_pool pool{{.threads = 3, .initializer = [&] { ++made; }}};
  std::latch all{3};
  for (int i = 0; i < 3; ++i) pool.post([&] { all.arrive_and_wait(); });
  EXPECT_TRUE(pool.drain(soon()).clean());
  EXPECT_EQ(made, 3);
}

TEST(PoolFaults, AThreadThatATaskEndsIsReplacedAndItsTaskSaysSo) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 1}};
  auto lost = pool.submit("ends its thread", []() -> int { ::pthread_exit(nullptr); });
  EXPECT_EQ(code_of([&] { lost.take(); }), executor_errc::unfinished);
  EXPECT_EQ(pool.submit([] { return 2; }).take(), 2);
}

class fullness : public testing::Test {
protected:
  void fill(thread_pool& pool) {
    pool.post("stuck", stuck.task());
    stuck.begun.wait();
    pool.post("waits", [this] { ++ran; });
    pool.post("waits, too", [this] { ++ran; });
    EXPECT_EQ(pool.waiting(), 2u);
  }
  lastcall::runtime it{quiet()};
  blocker stuck;
  std::atomic<int> ran{0};
};

TEST_F(fullness, Refuses) {
  thread_pool pool{{.name = "p", .threads = 1, .capacity = 2, .full = when_full::refuse}};
  fill(pool);
  EXPECT_EQ(code_of([&] { pool.post([] {}); }), executor_errc::full);
  EXPECT_EQ(code_of([&] { pool.submit([] {}); }), executor_errc::full);
  EXPECT_FALSE(pool.try_post("one too many", [] {}));
  EXPECT_EQ(pool.submit_final("the reserve has no bound", [] { return 1; }).take(), 1);
  stuck.release();
  EXPECT_TRUE(pool.drain(soon()).clean());
  EXPECT_EQ(ran, 2);
}

TEST_F(fullness, RunsHere) {
  thread_pool pool{{.threads = 1, .capacity = 2, .full = when_full::run_here}};
  fill(pool);
  const auto self = ::pthread_self();
  bool here = false;
  pool.post([&] { here = ::pthread_equal(::pthread_self(), self) != 0; });
  EXPECT_TRUE(here);
  EXPECT_EQ(pool.submit([] { return 4; }).take(), 4);
  stuck.release();
  EXPECT_TRUE(pool.drain(soon()).clean());
}

TEST_F(fullness, WaitsForRoomUntilItsDeadline) {
  thread_pool pool{{.threads = 1, .capacity = 2, .room_within = 5ms}};
  fill(pool);
  EXPECT_EQ(code_of([&] { pool.post([] {}); }), executor_errc::full);
  stuck.release();
  EXPECT_TRUE(pool.drain(soon()).clean());
}

TEST_F(fullness, WaitsForRoomAndGetsIt) {
  thread_pool pool{{.threads = 1, .capacity = 2}};
  fill(pool);
  const auto release = std::async(std::launch::async, [&] { stuck.release(); });
  for (int i = 0; i < 1000; ++i) pool.post([this] { ++ran; });
  EXPECT_TRUE(pool.drain(soon()).clean());
  EXPECT_EQ(ran, 1002);
}

TEST_F(fullness, AWaitForRoomEndsWhenThePoolIsClosed) {
  thread_pool pool{{.threads = 1, .capacity = 2}};
  fill(pool);
  const auto closes = std::async(std::launch::async, [&] { pool.close(); });
  EXPECT_EQ(code_of([&] { pool.post([] {}); }), executor_errc::closed);
  stuck.release();
}

TEST_F(fullness, ATaskOfThePoolDoesNotWaitForItself) {
  thread_pool pool{{.threads = 1, .capacity = 1}};
  pool.post("posts", [&] {
    for (int i = 0; i < 100; ++i) pool.post([this] { ++ran; });
  });
  while (ran != 100) std::this_thread::yield();
  EXPECT_TRUE(pool.drain(soon()).clean());
}

} // namespace
