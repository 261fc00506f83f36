// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <csignal>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

// Runs one call that posts another one, which asks for the stop, while `wait` waits on the owner.
template <class Wait>
int chain(Wait wait) {
  return testing_child::run(
      [&]() -> int {
        signal_scope scope;
        bool ran = false;
        scope.post([&] {
          scope.post([&] {
            ran = true;
            scope.request_stop("done");
          });
        });
        wait();
        return ran ? 7 : 1;
      },
      10);
}

} // namespace

// The sleeper took "the bits are as before" for "they are held back", and slept on with the new call waiting.
TEST(Post, ACallThatComesWhileAnotherRunsIsRunInTheSameSleep) {
  const int status = chain([] {
    std::error_code error;
    io::sleep_for(1h, error);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Post, ACallThatComesWhileAnotherRunsIsRunInTheSameWaitForRequest) {
  const int status = chain([] { io::wait_for_request(deadline::after(1h)); });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Post, ACallThatPostsItselfForEverDoesNotOutliveTheSleep) {
  signal_scope scope;
  std::function<void()> again = [&] { scope.post(again); };
  scope.post(again);
  io::sleep_for(5ms);
  EXPECT_FALSE(io::wait_for_request(deadline::after(5ms)));
}

// The checkpoint that ran the call went on with the scope the call had destroyed, and took the new one's
// records.
TEST(Post, ACallMayReplaceTheScope) {
  auto scope = std::make_unique<signal_scope>();
  scope->post([&] {
    scope.reset();
    scope = std::make_unique<signal_scope>();
    ::raise(SIGTERM);
  });
  std::error_code error;
  checkpoint(error);
  checkpoint(error);
  EXPECT_EQ(error, stop_errc::interrupted);
  EXPECT_EQ(scope->acknowledge().size(), 1U);
}

TEST(Post, AWaitForRequestSurvivesACallThatDestroysTheScope) {
  auto scope = std::make_unique<signal_scope>();
  scope->post([&] { scope.reset(); });
  EXPECT_FALSE(io::wait_for_request(deadline::after(1h)));
  EXPECT_EQ(scope, nullptr);
}

TEST(Post, WhatIsLeftAtTheEndIsReportedAndNoted) {
  timeline log;
  signal_scope scope{{.log = &log}};
  int ran = 0;
  for (int i = 0; i < 3; ++i) scope.post([&] { ++ran; });
  EXPECT_EQ(scope.close().dropped_posts, 3U);
  EXPECT_EQ(ran, 0);
  bool noted = false;
  for (const auto& one : log.events())
    noted |= one.kind == event_kind::abandoned && one.detail == "3 never ran";
  EXPECT_TRUE(noted);
}

TEST(Post, WhatIsLeftAtTheEndRunsInOrderWhereTheScopeWasMadeSo) {
  std::vector<int> ran;
  signal_scope scope{{.leftover = leftover_calls::run}};
  scope.post([&] {
    ran.push_back(1);
    scope.post([&] { ran.push_back(3); });
  });
  scope.post([] { throw std::runtime_error{"contained"}; });
  scope.post([&] { ran.push_back(2); });
  EXPECT_EQ(scope.close().dropped_posts, 0U);
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
}

TEST(Post, WhatIsLeftRunsInTheDestructorAlsoWhileUnwinding) {
  int ran = 0;
  try {
    signal_scope scope{{.leftover = leftover_calls::run}};
    scope.post([&] {
      ++ran;
      checkpoint(); // delivers nothing in a posted call
    });
    ::raise(SIGINT);
    throw std::runtime_error{"on the way out"};
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(ran, 1);
}

TEST(Post, OneThatPostsItselfForEverEndsWithTheDeadlineOfClose) {
  signal_scope scope{{.leftover = leftover_calls::run}};
  std::function<void()> again = [&] { scope.post(again); };
  scope.post(again);
  EXPECT_EQ(scope.close(deadline::after(5ms)).dropped_posts, 1U);
}

TEST(Post, TheQueueIsBounded) {
  signal_scope scope;
  int ran = 0;
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += scope.post([&] { ++ran; }) ? 1 : 0;
  EXPECT_EQ(taken, 256);
  checkpoint();
  EXPECT_EQ(ran, 256);
  EXPECT_TRUE(scope.post([] {})) << "there is room again";
}
