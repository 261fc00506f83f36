// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/executor/queue.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include <signal.h>

namespace {

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::executor_errc;
using lastcall::queue;
using lastcall::queue_end;
using runtime_test::code_of;

deadline soon() { return deadline::after(30s); }

TEST(Queue, GivesInOrderWhatWasPut) {
  queue<std::unique_ptr<int>> jobs;
  for (int i = 0; i < 5; ++i) jobs.put(std::make_unique<int>(i));
  EXPECT_EQ(jobs.size(), 5u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(*jobs.get(), i);
  EXPECT_FALSE(jobs.try_get());
}

TEST(Queue, CannotHaveACapacityOfZero) { EXPECT_THROW(queue<int>{0}, std::invalid_argument); }

TEST(Queue, WithoutRoomTheValueIsStillTheCallers) {
  queue<std::unique_ptr<int>> one{1};
  one.put(std::make_unique<int>(1));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(one.put_until(std::move(second), deadline::after(1ms)));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
  one.shut_down();
  EXPECT_EQ(code_of([&] { one.put_until(std::move(second), soon()); }), executor_errc::shut_down);
  EXPECT_NE(second, nullptr);
}

TEST(Queue, AWaitForSomethingEndsWhenItComes) {
  queue<int> jobs;
  std::jthread later{[&] { jobs.put(7); }};
  EXPECT_EQ(jobs.get_until(soon()), 7);
}

TEST(Queue, ShutDownGracefullyGivesWhatIsLeftAndThenRefuses) {
  queue<int> jobs;
  jobs.put(1);
  jobs.put(2);
  EXPECT_EQ(jobs.shut_down(), 0u);
  EXPECT_EQ(code_of([&] { jobs.put(3); }), executor_errc::shut_down);
  EXPECT_EQ(jobs.get(), 1);
  EXPECT_EQ(jobs.get(), 2);
  EXPECT_EQ(code_of([&] { jobs.get(); }), executor_errc::shut_down);
  EXPECT_FALSE(jobs.join_until(deadline::after(1ms))) << "two were got and are not done";
  jobs.done();
  jobs.done();
  EXPECT_TRUE(jobs.join_until(soon()));
}

TEST(Queue, ShutDownAtOnceDiscardsAndCountsThatAsDone) {
  queue<std::shared_ptr<int>> jobs;
  auto kept = std::make_shared<int>(1);
  for (int i = 0; i < 3; ++i) jobs.put(kept);
  jobs.get();
  EXPECT_EQ(jobs.shut_down(queue_end::immediate), 2u);
  EXPECT_EQ(kept.use_count(), 1);
  EXPECT_EQ(code_of([&] { jobs.get(); }), executor_errc::shut_down);
  EXPECT_FALSE(jobs.join_until(deadline::after(1ms)));
  jobs.done();
  EXPECT_TRUE(jobs.join_until(soon()));
  EXPECT_EQ(jobs.shut_down(queue_end::immediate), 0u) << "again";
}

// Whether they sleep already or are only about to does not matter: either way they end.
TEST(Queue, ShutDownWakesAllThatWait) {
  for (const auto how : {queue_end::graceful, queue_end::immediate}) {
    queue<int> empty, full{1}, unfinished;
    full.put(1);
    unfinished.put(1);
    std::atomic<int> refused{0}, joined{0};
    std::latch ready{3 * 4};
    {
      std::vector<std::jthread> waiters;
      for (int i = 0; i < 4; ++i) {
        waiters.emplace_back([&] {
          ready.count_down();
          if (code_of([&] { empty.get(); }) == executor_errc::shut_down) ++refused;
        });
        waiters.emplace_back([&] {
          ready.count_down();
          if (code_of([&] { full.put(2); }) == executor_errc::shut_down) ++refused;
        });
        waiters.emplace_back([&] {
          ready.count_down();
          if (unfinished.join_until(soon())) ++joined;
        });
      }
      ready.wait();
      empty.shut_down(how);
      full.shut_down(how);
      unfinished.shut_down(how);
      if (how == queue_end::graceful) {
        EXPECT_EQ(unfinished.get(), 1);
        unfinished.done();
      }
    }
    EXPECT_EQ(refused, 8);
    EXPECT_EQ(joined, 4);
  }
}

TEST(Queue, AWaitEndsByItsToken) {
  queue<int> jobs{1};
  std::stop_source stop;
  std::jthread later{[&] { stop.request_stop(); }};
  EXPECT_FALSE(jobs.get_until(soon(), stop.get_token()));
  jobs.put(1);
  EXPECT_FALSE(jobs.put_until(2, soon(), stop.get_token()));
  EXPECT_FALSE(jobs.join_until(soon(), stop.get_token()));
}

TEST(Queue, AWaitOfTheOwnerEndsByARequest) {
  lastcall::signal_scope signals;
  queue<int> jobs;
  ::raise(SIGTERM);
  EXPECT_THROW(jobs.get(), lastcall::interrupted);
  std::error_code error;
  EXPECT_FALSE(jobs.get_until(soon(), error));
  EXPECT_EQ(error, lastcall::stop_errc::interrupted);
  EXPECT_FALSE(jobs.try_get()) << "who does not wait is not interrupted";
  signals.acknowledge();
  jobs.put(1);
  EXPECT_EQ(jobs.get_until(soon(), error), 1);
  EXPECT_FALSE(error);
}

TEST(Queue, AWaiterThatLeavesPassesItsWakeUpOn) {
  for (int round = 0; round < 200; ++round) {
    queue<int> jobs;
    std::stop_source stop;
    std::optional<int> got;
    std::latch ready{2};
    std::jthread leaves{[&] {
      ready.count_down();
      if (const auto one = jobs.get_until(soon(), stop.get_token())) jobs.put(int{*one});
    }};
    std::jthread stays{[&] {
      ready.count_down();
      got = jobs.get_until(soon());
    }};
    ready.wait();
    std::jthread asks{[&] { stop.request_stop(); }};
    jobs.put(round);
    stays.join();
    EXPECT_EQ(got, round);
  }
}

TEST(Queue, ManyProducersAndConsumersLoseNothing) {
  constexpr int producers = 4, each = 5000;
  queue<int> jobs{16};
  std::atomic<long> sum{0};
  {
    std::vector<std::jthread> consumers, all;
    for (int i = 0; i < 3; ++i)
      consumers.emplace_back([&] {
        std::error_code error;
        while (const auto one = jobs.get_until(deadline::never(), error)) {
          sum += *one;
          jobs.done();
        }
        EXPECT_EQ(error, executor_errc::shut_down);
      });
    for (int i = 0; i < producers; ++i)
      all.emplace_back([&] {
        for (int k = 1; k <= each; ++k) jobs.put(int{k});
      });
    for (auto& one : all) one.join();
    EXPECT_TRUE(jobs.join_until(soon()));
    jobs.shut_down();
  }
  EXPECT_EQ(sum, long{producers} * each * (each + 1) / 2);
}

} // namespace
