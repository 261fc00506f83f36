// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// How a pool ends: drained, dropped, destroyed, by whom and however often.
#include <lastcall/executor/thread_pool.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/runtime.hpp>

#include "executor/blocked_pool.hpp"
#include "runtime/quiet.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using executor_test::blocker;
using executor_test::names;
using executor_test::soon;
using lastcall::deadline;
using lastcall::executor_errc;
using lastcall::pool_report;
using lastcall::thread_pool;
using runtime_test::code_of;
using runtime_test::quiet;

TEST(PoolEnd, DrainRunsWhatWaitsAndRefusesWhatComes) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 1}};
  blocker first;
  std::atomic<int> ran{0};
  pool.post("first", first.task());
  first.begun.wait();
  for (int i = 0; i < 100; ++i) pool.post([&] { ++ran; });
  pool.close();
  EXPECT_TRUE(pool.closed());
  EXPECT_EQ(code_of([&] { pool.post([] {}); }), executor_errc::closed);
  EXPECT_EQ(code_of([&] { pool.submit([] {}); }), executor_errc::closed);
  std::error_code why;
  EXPECT_FALSE(pool.try_post(
      "late", [] {}, why));
  EXPECT_EQ(why, executor_errc::closed);
  first.release();
  const auto report = pool.drain(soon());
  EXPECT_TRUE(report.clean()) << describe(report);
  EXPECT_EQ(ran, 100);
  EXPECT_EQ(pool.size(), 0u);
}

TEST(PoolEnd, ADrainPastItsDeadlineSaysWhatRunsAndGoesOn) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.name = "slow", .threads = 1}};
  blocker stuck;
  std::atomic<bool> second{false};
  pool.post("stuck one", stuck.task());
  stuck.begun.wait();
  pool.post("second", [&] { second = true; });
  const auto late = pool.drain(deadline::after(10ms));
  ASSERT_EQ(late.unfinished.size(), 1u);
  EXPECT_EQ(late.unfinished[0].label, "stuck one");
  EXPECT_EQ(late.unfinished[0].thread, "slow-1");
  EXPECT_NE(late.unfinished[0].id, 0);
  EXPECT_NE(late.unfinished[0].where.find("slow-1"), std::string::npos) << late.unfinished[0].where;
  EXPECT_EQ(late.waiting, 1u);
  EXPECT_TRUE(late.late());
  stuck.release();
  EXPECT_TRUE(pool.drain(soon()).clean());
  EXPECT_TRUE(second);
}

TEST(PoolEnd, DropDiscardsWhatWaitsAndItsFuturesSaySo) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 1}};
  blocker first;
  auto held = std::make_shared<int>(1);
  pool.post("first", first.task());
  first.begun.wait();
  auto answer = pool.submit("answer", [held] { return *held; });
  for (int i = 0; i < 30; ++i) pool.post("more", [held] {});
  std::jthread later{[&] {
    EXPECT_TRUE(answer.wait_until(soon()));
    first.release();
  }};
  const auto report = pool.drop(soon());
  EXPECT_EQ(report.dropped, 31u);
  EXPECT_EQ(report.dropped_labels.size(), 16u);
  EXPECT_EQ(report.dropped_labels.front(), "answer");
  EXPECT_TRUE(report.unfinished.empty()) << describe(report);
  EXPECT_EQ(held.use_count(), 1);
  try {
    answer.take();
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), executor_errc::dropped);
    EXPECT_NE(std::string{error.what()}.find("answer"), std::string::npos) << error.what();
  }
}

TEST(PoolEnd, DropEndsWaitsThatTakeTheToken) {
  const lastcall::runtime it{quiet()};
  int never[2];
  ASSERT_EQ(::pipe(never), 0);
  constexpr std::size_t threads = 6;
  thread_pool pool{{.threads = threads}};
  std::atomic<std::size_t> cut{0};
  std::latch begun{threads};
  for (std::size_t i = 0; i < threads / 2; ++i) {
    pool.post("reads", [&](lastcall::stop_token stop) {
      begun.count_down();
      char byte = 0;
      if (!lastcall::io::read(never[0], &byte, 1, stop)) ++cut;
    });
    pool.post("sleeps", [&](std::stop_token stop) {
      begun.count_down();
      if (!lastcall::io::sleep_until(deadline::never(), stop)) ++cut;
    });
  }
  begun.wait();
  EXPECT_TRUE(pool.drop(soon()).clean());
  EXPECT_EQ(cut, threads);
}

TEST(PoolEnd, ATokenOfItsOwnStopsATaskAsThePoolDoes) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 2}};
  lastcall::stop_source own, other;
  std::latch begun{2};
  const auto sleeps = [&begun](lastcall::stop_token stop) {
    begun.count_down();
    lastcall::io::sleep_until(deadline::never(), stop);
    return std::string{stop.why()->text.view()};
  };
  auto by_own = pool.submit("own", sleeps, own.token());
  auto by_pool = pool.submit("pool", sleeps, other.token());
  own.request_stop({.text = "mine"});
  EXPECT_EQ(by_own.take(), "mine");
  begun.wait();
  EXPECT_TRUE(pool.drop(soon()).clean());
  EXPECT_EQ(by_pool.take(), "the pool is dropped");
}

TEST(PoolEnd, TheReserveRunsAlthoughAllOthersAreBlocked) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.name = "full", .threads = 4}};
  std::vector<std::unique_ptr<blocker>> stuck;
  for (int i = 0; i < 4; ++i) {
    stuck.push_back(std::make_unique<blocker>());
    pool.post("stuck " + std::to_string(i), stuck.back()->task());
    stuck.back()->begun.wait();
  }
  EXPECT_EQ(pool.submit_final("last words", [] { return 7; }).take(), 7);
  auto report = pool.drop(deadline::after(10ms));
  EXPECT_EQ(names(report), "stuck 0, stuck 1, stuck 2, stuck 3");
  EXPECT_EQ(pool.submit_final("also when it is closed", [] { return 8; }).take(), 8);
  for (auto& one : stuck) one->release();
  report = pool.drop(soon());
  EXPECT_TRUE(report.clean()) << describe(report);
}

TEST(PoolEnd, ATaskMayStopItsOwnPool) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 3}};
  std::optional<pool_report> drained, dropped;
  auto one = pool.submit("drains", [&] { drained = pool.drain(soon()); });
  one.take();
  EXPECT_TRUE(drained->clean()) << describe(*drained);
  thread_pool other{{.threads = 3}};
  other.submit("drops", [&] { dropped = other.drop(soon()); }).take();
  EXPECT_TRUE(dropped->clean()) << describe(*dropped);
}

TEST(PoolEnd, SoMayATaskOnTheReserve) {
  const lastcall::runtime it{quiet()};
  thread_pool pool{{.threads = 3}};
  EXPECT_TRUE(pool.submit_final("drops", [&] { return pool.drop(soon()); }).take().clean());
}

// Two tasks that wait for each other's end would wait for ever.
TEST(PoolEnd, SeveralAtOnceFromEverywhereDoNotWaitForEachOther) {
  for (int round = 0; round < 50; ++round) {
    const lastcall::runtime it{quiet()};
    thread_pool pool{{.threads = 3}};
    std::latch all{5};
    std::latch all_back{5};
    const auto stop = [&](auto how) {
      all.arrive_and_wait();
      if (how().late()) ADD_FAILURE();
      all_back.count_down();
    };
    pool.post("a", [&] { stop([&] { return pool.drop(soon()); }); });
    pool.post("b", [&] { stop([&] { return pool.drain(soon()); }); });
    auto last = pool.submit_final("c", [&] { stop([&] { return pool.drop(soon()); }); });
    std::jthread outside{[&] { stop([&] { return pool.drain(soon()); }); }};
    stop([&] { return pool.drop(soon()); });
    outside.join();
    last.take();
    all_back.wait();
    EXPECT_TRUE(pool.drop(soon()).clean());
  }
}

TEST(PoolEnd, ATaskMayDestroyItsPool) {
  const lastcall::runtime it{quiet()};
  std::latch gone{1};
  auto pool = std::make_shared<thread_pool>(lastcall::pool_options{.threads = 2});
  std::latch mine_is_gone{1};
  pool->post("the last owner", [&gone, &mine_is_gone, last = pool]() mutable {
    mine_is_gone.wait();
    last.reset();
    gone.count_down();
  });
  pool.reset();
  mine_is_gone.count_down();
  gone.wait();
}

TEST(PoolEnd, TheDestructorRunsWhatWaitsAndAsksWhatRunsToStop) {
  const lastcall::runtime it{quiet()};
  std::atomic<int> ran{0};
  bool reported = false;
  {
    thread_pool pool{{.threads = 1, .on_report = [&](const pool_report&) { reported = true; }}};
    pool.post("sleeps",
              [](lastcall::stop_token stop) { lastcall::io::sleep_until(deadline::never(), stop); });
    for (int i = 0; i < 10; ++i) pool.post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 10);
  EXPECT_FALSE(reported);
}

TEST(PoolEnd, TheDestructorLeavesBehindWhatDoesNotEndAndSaysSo) {
  lastcall::runtime it{quiet()};
  static blocker stuck; // its thread outlives this test's frame
  std::optional<pool_report> report;
  const auto began = lastcall::clock::now();
  {
    thread_pool pool{{.name = "left", .threads = 1, .on_report = [&](const pool_report& r) { report = r; }}};
    pool.post("stuck", stuck.task());
    stuck.begun.wait();
    pool.post("never begins", [] {});
  }
  const auto took = lastcall::clock::now() - began;
  EXPECT_GE(took, thread_pool::patience / 2);
  ASSERT_TRUE(report);
  EXPECT_EQ(names(*report), "stuck");
  EXPECT_EQ(report->dropped, 1u);
  stuck.release();
  executor_test::reap_those_left(stuck, it.generation());
}

TEST(PoolEnd, WhoWasLeftBehindIsNotWaitedForAgainButNamed) {
  static blocker stuck;
  lastcall::runtime it{quiet()};
  auto pool = std::make_unique<thread_pool>(lastcall::pool_options{.name = "left", .threads = 1});
  pool->post("stuck", stuck.task());
  stuck.begun.wait();
  EXPECT_EQ(names(pool->drop(deadline::after(1ms))), "stuck");
  const auto began = lastcall::clock::now();
  pool.reset(); // says nothing: it has been said
  const auto report = it.finalize(deadline::after(60s));
  EXPECT_LT(lastcall::clock::now() - began, 50s) << "it was waited for again";
  ASSERT_EQ(report.late.size(), 1u);
  EXPECT_EQ(report.late[0].name.substr(0, 5), "left-");
  EXPECT_TRUE(report.was_late());
  stuck.release();
  executor_test::reap_those_left(stuck, it.generation());
}

TEST(PoolEnd, AThreadThatComesBackAfterwardsFindsNothingGone) {
  for (int round = 0; round < 20; ++round) {
    auto stuck = std::make_unique<blocker>();
    lastcall::runtime it{quiet()};
    {
      thread_pool pool{{.threads = 2}};
      pool.post("stuck", stuck->task());
      stuck->begun.wait();
      pool.drop(deadline::after(0s));
    }
    if (round % 2 == 0) it.finalize(deadline::after(1s));
    stuck->release();
    if (round % 2 != 0) it.finalize(soon());
    executor_test::reap_those_left(*stuck, it.generation());
  }
}

} // namespace
