// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/with.hpp>
#include <lastcall/testing/interrupt_everywhere.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <mutex>
#include <stdexcept>

#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::checkpoint;
using lastcall::signal_scope;
using lastcall::testing::interrupt_everywhere;

TEST(InterruptEverywhere, VisitsEachCheckpointOnceAndThenRunsUndisturbed) {
  int runs = 0, steps = 0;
  const auto report = interrupt_everywhere([&] {
    ++runs;
    for (int i = 0; i < 5; ++i) {
      checkpoint();
      ++steps;
    }
  });
  EXPECT_TRUE(report.ok()) << describe(report);
  EXPECT_EQ(runs, 6);
  EXPECT_EQ(steps, 0 + 1 + 2 + 3 + 4 + 5);
  EXPECT_EQ(report.points, 5U);
  EXPECT_EQ(report.interrupted, 5U);
}

TEST(InterruptEverywhere, CountsCallsAsWellAndTheirCodesAsDelivery) {
  int told = 0;
  const auto report = interrupt_everywhere([&] {
    std::error_code error;
    lastcall::io::sleep_for(1us);
    checkpoint(error);
    if (error) ++told;
    lastcall::io::sleep_for(1us, error);
    if (error) ++told;
  });
  EXPECT_TRUE(report.ok()) << describe(report);
  EXPECT_GE(report.points, 3U);
  EXPECT_EQ(report.interrupted + report.completed, report.points);
  EXPECT_GE(told, 3) << "what is not acknowledged is told again";
}

TEST(InterruptEverywhere, ACallThatWaitsIsNotDisturbedByTheCounting) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const auto report = interrupt_everywhere([&](signal_scope&) {
    char byte = 'x';
    lastcall::io::write(pipe[1], &byte, 1);
    lastcall::io::read(pipe[0], &byte, 1);
    lastcall::io::sleep_for(2ms);
  });
  EXPECT_TRUE(report.ok()) << describe(report);
  EXPECT_GE(report.points, 3U);
}

TEST(InterruptEverywhere, TakesThePathOfASignalWhereAsked) {
  std::vector<int> came;
  const auto report = interrupt_everywhere(
      [&](signal_scope& scope) {
        try {
          checkpoint();
        } catch (const lastcall::interrupted& stop) {
          came.push_back(stop.why().signal);
          EXPECT_EQ(scope.acknowledge().size(), 1U);
        }
        checkpoint();
      },
      {.signal = SIGTERM});
  EXPECT_TRUE(report.ok()) << describe(report);
  EXPECT_EQ(came, std::vector{SIGTERM});
  EXPECT_EQ(report.completed, 1U) << "acknowledged, and gone on";
  EXPECT_EQ(report.interrupted, 1U);
}

TEST(InterruptEverywhere, ARequestUnderAShieldAtTheVeryEndIsPendingAndNotLost) {
  const auto report = interrupt_everywhere([] { lastcall::shielded([] { checkpoint(); }); });
  EXPECT_TRUE(report.ok()) << describe(report);
  EXPECT_EQ(report.completed, 1U);
}

TEST(InterruptEverywhere, WithLeavesTheLockAtEveryPoint) {
  std::mutex lock;
  const auto report = interrupt_everywhere(
      [&] {
        lastcall::with(lock, [] {
          checkpoint();
          lastcall::io::sleep_for(1us);
        });
      },
      {.verify = [&]() -> std::string {
        if (!lock.try_lock()) return "the lock is held";
        lock.unlock();
        return {};
      }});
  EXPECT_TRUE(report.ok()) << describe(report);
}

TEST(InterruptEverywhere, SeesPointsInPostedCalls) {
  int posted = 0;
  const auto report = interrupt_everywhere([&](signal_scope& scope) {
    scope.post([&] {
      checkpoint(); // under the shield of posted calls: waits
      ++posted;
    });
    checkpoint();
    checkpoint();
  });
  EXPECT_TRUE(report.ok()) << describe(report);
  EXPECT_EQ(report.points, 3U);
  EXPECT_EQ(posted, 4) << "in each run, whatever comes";
}

TEST(InterruptEverywhere, ReportsWhatIsThrownAndWhere) {
  int left = 0;
  const auto report = interrupt_everywhere(
      [&] {
        checkpoint();
        try {
          checkpoint();
        } catch (const lastcall::interrupted&) {
          throw std::runtime_error{"cannot stop here"};
        }
      },
      {.prepare = [&] { ++left; }});
  EXPECT_FALSE(report.ok());
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].point, 2U);
  EXPECT_EQ(left, 3);
  EXPECT_EQ(describe(report), "2 requests: 1 runs interrupted, 1 completed, 1 failed\n"
                              "  a request at point 2: threw cannot stop here");
}

TEST(InterruptEverywhere, VerifyIsAskedOfTheUndisturbedRunToo) {
  const auto report = interrupt_everywhere([] {}, {.verify = [] { return "never right"; }});
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].point, 0U);
}

TEST(InterruptEverywhere, GivesUpAfterTheMostPointsAndSaysSo) {
  const auto report = interrupt_everywhere(
      [] {
        for (int i = 0; i < 100; ++i) checkpoint();
      },
      {.most_points = 10});
  EXPECT_FALSE(report.ok());
  EXPECT_FALSE(report.exhausted);
  EXPECT_EQ(report.interrupted, 10U);
  EXPECT_NE(describe(report).find("more points"), std::string::npos);
}

TEST(InterruptEverywhere, LeavesNothingBehind) {
  interrupt_everywhere([] { checkpoint(); });
  EXPECT_EQ(lastcall::detail::here().due.load(), 0U);
  const signal_scope scope;
  EXPECT_NO_THROW(checkpoint());
  EXPECT_THROW(interrupt_everywhere([] {}), std::logic_error) << "one scope at a time";
}
