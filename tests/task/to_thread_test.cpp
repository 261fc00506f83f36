// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/task/cancel_scope.hpp>
#include <lastcall/task/nursery.hpp>
#include <lastcall/task/sleep.hpp>
#include <lastcall/task/to_thread.hpp>
#include <lastcall/testing/virtual_loop.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using lastcall::executor_errc;
using lastcall::loop;
using lastcall::task;
using lastcall::thread_pool;
using lastcall::to_thread;
using lastcall::when_cancelled;
using lastcall::testing::virtual_loop;

class ToThread : public testing::Test {
protected:
  // Before the pool: its threads may look at these until they have ended.
  std::latch taken_{2};
  std::atomic<bool> end_{false};
  lastcall::runtime program_;
  thread_pool pool_{{.name = "pool", .threads = 2}};
};

TEST_F(ToThread, RunsElsewhereAndGivesTheValue) {
  loop it;
  it.run([&]() -> task<> {
    const auto there = co_await to_thread(pool_, [] { return std::this_thread::get_id(); });
    EXPECT_NE(there, std::this_thread::get_id());
    // Outside of the co_await expression: GCC 12 destroys a closure that owns something and is made in one
    // twice.
    auto gives = [p = std::make_unique<int>(7)]() mutable { return std::move(p); };
    EXPECT_EQ(*co_await to_thread(pool_, "move", std::move(gives)), 7);
    co_await to_thread(pool_, [] {});
  });
}

TEST_F(ToThread, ThrowsWhatTheFunctionThrows) {
  loop it;
  it.run([&]() -> task<> {
    EXPECT_THROW(co_await to_thread(pool_, []() -> int { throw std::range_error{"x"}; }), std::range_error);
    EXPECT_THROW(co_await to_thread(pool_, [] { throw 42; }), int);
  });
}

TEST_F(ToThread, TheLoopGoesOnMeanwhile) {
  virtual_loop loop;
  loop.run([&]() -> task<> {
    std::binary_semaphore go{0};
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
      n.start([&]() -> task<> {
        co_await lastcall::this_task::checkpoint();
        go.release();
      });
      co_await to_thread(pool_, [&] { go.acquire(); });
    });
  });
}

TEST_F(ToThread, ACancellationWaitsForTheFunctionWhoseTokenFires) {
  loop it;
  it.run([&]() -> task<> {
    std::string why;
    int value = 0;
    lastcall::cancel_scope scope{{.name = "scope"}};
    EXPECT_FALSE(co_await scope.run([&]() -> task<> {
      it.handle().post([&] { scope.cancel("enough"); });
      value = co_await to_thread(pool_, [&](const lastcall::stop_token& stop) {
        std::binary_semaphore fired{0};
        const lastcall::stop_callback on{stop, [&](const lastcall::reason& of) {
                                           why = of.text.view();
                                           fired.release();
                                         }};
        fired.acquire();
        return 7;
      });
      co_await lastcall::sleep_for(1h);
      ADD_FAILURE();
    }));
    EXPECT_EQ(value, 7); // what it returned counts
    EXPECT_EQ(why, "enough");
  });
}

TEST_F(ToThread, ACancellationAbandonsWhereAskedAndTheFunctionsErrorIsReported) {
  std::binary_semaphore go{0};
  std::vector<std::string> told;
  loop it{{.on_exception = [&](const lastcall::loop_exception& what) { told.emplace_back(what.where); }}};
  it.run([&]() -> task<> {
    EXPECT_FALSE(co_await lastcall::move_on_after(1ms, [&]() -> task<> {
      co_await to_thread(
          pool_,
          [&] {
            go.acquire();
            throw std::runtime_error{"nobody waits for this"};
          },
          when_cancelled::abandon);
      ADD_FAILURE();
    }));
    go.release();
    while (told.empty()) co_await lastcall::sleep_for(1ms);
  });
  EXPECT_EQ(told, std::vector<std::string>{"to_thread, abandoned,"});
}

TEST_F(ToThread, ACancellationThatIsDueRunsNothing) {
  loop it;
  it.run([&]() -> task<> {
    lastcall::cancel_scope scope;
    scope.cancel("before");
    EXPECT_FALSE(co_await scope.run([&]() -> task<> { co_await to_thread(pool_, [] { ADD_FAILURE(); }); }));
  });
}

// The trap of the published text: all threads are taken for ever, and the stop needs one.
TEST_F(ToThread, TheStopFindsAThreadWhenAllAreTaken) {
  loop it;
  it.run([&]() -> task<> {
    bool stopped = false;
    co_await lastcall::move_on_after(1ms, [&]() -> task<> {
      co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
        for (int i = 0; i < 2; ++i)
          n.start([&]() -> task<> {
            co_await to_thread(
                pool_, "for ever",
                [&] {
                  taken_.count_down();
                  end_.wait(false);
                },
                when_cancelled::abandon);
          });
        co_await lastcall::this_task::checkpoint(); // they begin
        taken_.wait();
        co_await lastcall::sleep_for(1h);
      });
    });
    co_await lastcall::to_thread_final(pool_, "stop", [&] { stopped = true; });
    EXPECT_TRUE(stopped);
  });
  end_ = true;
  end_.notify_all();
}

TEST_F(ToThread, AClosedPoolRefusesWithItsReason) {
  loop it;
  it.run([&]() -> task<> {
    pool_.close();
    try {
      co_await to_thread(pool_, [] {});
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), executor_errc::closed);
    }
    co_await lastcall::this_task::checkpoint(); // and the coroutine is none the worse
  });
}

TEST_F(ToThread, WhatThePoolDropsComesBackWithThat) {
  std::latch taken{2};
  std::binary_semaphore go{0};
  for (int i = 0; i < 2; ++i)
    pool_.post("blocks", [&](const std::stop_token& stop) {
      taken.count_down();
      std::binary_semaphore fired{0};
      const std::stop_callback on{stop, [&] { fired.release(); }};
      fired.acquire();
    });
  taken.wait();
  loop it;
  std::jthread dropper;
  it.run([&]() -> task<> {
    it.handle().post([&] { dropper = std::jthread{[&] { pool_.drop(lastcall::deadline::after(5s)); }}; });
    try {
      co_await to_thread(pool_, [] { ADD_FAILURE() << "it was dropped"; });
      ADD_FAILURE();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), executor_errc::dropped);
    }
  });
}

TEST_F(ToThread, ManyAtOnceAllComeBack) {
  loop it;
  it.run([&]() -> task<> {
    int sum = 0;
    co_await lastcall::with_nursery([&](lastcall::nursery& n) -> task<> {
      for (int i = 0; i < 1000; ++i)
        n.start([&, i]() -> task<> { sum += co_await to_thread(pool_, [i] { return i; }); });
      co_return;
    });
    EXPECT_EQ(sum, 999 * 1000 / 2);
  });
}

} // namespace
