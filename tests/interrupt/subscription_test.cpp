// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/busy_listener.hpp"
#include "interrupt/child.hpp"

#include <csignal>
#include <memory>
#include <semaphore>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

// Declared after its scope, a subscription is destroyed before it: a listener that never returns held up the
// destructor for ever, and `close` never got to leave the herald behind.
TEST(Subscription, ItsEndDoesNotWaitForEverForACallThatNeverReturns) {
  const int status = testing_child::run([]() -> int {
    busy_listener forever;
    signal_scope scope{{.ladder = ladder_policy::patient}};
    {
      const auto listening = forever.listen(scope, SIGINT);
      ::raise(SIGINT);
      forever.entered.acquire();
    }
    ::_exit(scope.close(deadline::after(10ms)).herald_ended ? 1 : 7); // what the herald refers to lives on
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Subscription, SaysWhetherTheCallInProgressHasEnded) {
  busy_listener busy;
  signal_scope scope;
  auto listening = busy.listen(scope, SIGINT);
  ::raise(SIGINT);
  busy.entered.acquire();
  EXPECT_FALSE(listening.reset(deadline::after(1ms)));
  EXPECT_TRUE(listening.reset()) << "there is nothing any more to end";
  busy.let_go.release();
  EXPECT_TRUE(scope.close().herald_ended);
}

TEST(Subscription, ItsEndWaitsForACallThatReturnsInTime) {
  std::binary_semaphore entered{0};
  signal_scope scope;
  bool through = false; // no atomic: the end of the subscription orders it
  auto listening = scope.subscribe(SIGINT, [&](const request&) {
    entered.release();
    for (int spins = 0; spins < 1'000'000; ++spins) asm volatile("");
    through = true;
  });
  ::raise(SIGINT);
  entered.acquire();
  EXPECT_TRUE(listening.reset(deadline::after(10s)));
  EXPECT_TRUE(through);
}

// What a listener had captured lived until the scope's end, and so did a place for it: a program that
// subscribes anew for every job grew for ever.
TEST(Subscription, WhatItsFunctionHoldsGoesWithIt) {
  signal_scope scope;
  const auto held = std::make_shared<int>(1);
  for (int i = 0; i < 100; ++i) {
    auto listening = scope.subscribe(SIGINT, [held](const request&) {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Subscription, EndedFromInsideItsCallItLetsGoOfWhatItHoldsAfterIt) {
  signal_scope scope;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = held;
  subscription own;
  own = scope.subscribe(SIGINT, [&own, held = std::move(held)](const request&) {
    own.reset();
    EXPECT_EQ(*held, 1);
  });
  ::raise(SIGINT);
  scope.close();
  EXPECT_TRUE(watch.expired());
}

// The child has the herald's lock and not the herald: it waited for ever for a call that does not go on
// there.
TEST(Subscription, AForkedChildDoesNotWaitForACallOfItsParentsHerald) {
  busy_listener busy;
  signal_scope scope{{.ladder = ladder_policy::patient}};
  auto listening = busy.listen(scope, SIGINT);
  ::raise(SIGINT);
  busy.entered.acquire();
  const int status = testing_child::run(
      [&]() -> int {
        listening.reset(deadline::never());
        return 7;
      },
      10);
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  busy.let_go.release();
}
