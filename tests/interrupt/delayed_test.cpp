// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// A shield is never silent: who is told, and what stays written.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

std::vector<std::string> of_kind(const timeline& log, event_kind kind) {
  std::vector<std::string> found;
  for (const auto& one : log.events())
    if (one.kind == kind) found.emplace_back(one.detail.view());
  return found;
}

void loop_until(std::binary_semaphore& told) {
  while (!told.try_acquire()) {
  }
}

} // namespace

// The owner computes, under a shield and outside of any wait.
TEST(Delayed, IsToldAtOnceOnTheHeraldWhileTheShieldIsUp) {
  signal_scope scope;
  std::binary_semaphore told{0};
  request what;
  std::thread::id where;
  const auto telling = scope.on_delayed([&](const request& one) {
    what = one;
    where = std::this_thread::get_id();
    told.release();
  });
  {
    const shield whole;
    ::raise(SIGTERM);
    loop_until(told);
  }
  EXPECT_EQ(what.signal, SIGTERM);
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Delayed, EachIsToldOnceInOrder) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  std::vector<int> told;
  auto telling = scope.on_delayed([&](const request& one) { told.push_back(one.signal); });
  {
    const shield outer;
    ::raise(SIGINT);
    const shield inner{1h};
    ::raise(SIGTERM);
    ::raise(SIGINT);
    std::thread{[] { ::raise(SIGTERM); }}.join();
    scope.request_stop("enough");
  }
  scope.close(); // the herald has acted on everything
  EXPECT_EQ(told, (std::vector<int>{SIGINT, SIGTERM, SIGINT, SIGTERM, 0}));
}

TEST(Delayed, WhatComesWithNoShieldUpIsNotTold) {
  signal_scope scope{{.signals = {SIGINT}, .listen = {SIGUSR1}}};
  int told = 0;
  auto telling = scope.on_delayed([&](const request&) { ++told; });
  { const shield over; }
  ::raise(SIGINT);
  scope.acknowledge();
  {
    const shield up{0s};
    ::raise(SIGINT);
    EXPECT_THROW(checkpoint(), interrupted); // it has run out
    ::raise(SIGINT);
    const shield whole;
    ::raise(SIGUSR1); // asks for nothing
  }
  scope.close();
  EXPECT_EQ(told, 1) << "only the first that the bounded one held back, however shortly";
}

TEST(Delayed, WhatAListenerThrowsIsContainedAndRecorded) {
  timeline log;
  signal_scope scope{{.log = &log}};
  auto telling = scope.on_delayed([](const request&) { throw std::runtime_error{"no terminal"}; });
  {
    const shield whole;
    ::raise(SIGINT);
  }
  scope.close();
  EXPECT_EQ(of_kind(log, event_kind::listener), std::vector<std::string>{"no terminal"});
}

TEST(Delayed, ASubscriptionThatHasEndedIsNotCalled) {
  signal_scope scope;
  std::atomic<int> told{0};
  auto telling = scope.on_delayed([&](const request&) { ++told; });
  telling.reset();
  const shield whole;
  ::raise(SIGINT);
  scope.close();
  EXPECT_EQ(told, 0);
}

TEST(Delayed, TheTimelineSaysWhatWasHeldBackAndForHowLong) {
  timeline log;
  signal_scope scope{{.log = &log}};
  {
    const shield whole;
    ::raise(SIGINT);
    ::raise(SIGTERM);
  }
  EXPECT_THROW(checkpoint(), interrupted);
  scope.close();
  EXPECT_EQ(of_kind(log, event_kind::shield).size(), 2U);
  const auto deliveries = of_kind(log, event_kind::delivery);
  ASSERT_EQ(deliveries.size(), 1U);
  EXPECT_NE(deliveries[0].find("2 held back, the first for "), std::string::npos) << deliveries[0];
}

TEST(Delayed, TheTimelineSaysWhenAShieldRanOut) {
  timeline log;
  signal_scope scope{{.log = &log}};
  std::binary_semaphore ran_out{0};
  const auto watching = log.add_sink([&](const event& one) {
    if (one.kind == event_kind::shield && one.detail.view().find("ran out") != std::string_view::npos)
      ran_out.release();
  });
  const shield up{1ms};
  ::raise(SIGINT);
  ran_out.acquire(); // by the herald: the owner looks at nothing
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Delayed, DeliveredAtOnceTheTimelineSpeaksOfNoDelay) {
  timeline log;
  signal_scope scope{{.log = &log}};
  ::raise(SIGINT);
  EXPECT_THROW(checkpoint(), interrupted);
  scope.close();
  EXPECT_TRUE(of_kind(log, event_kind::shield).empty());
  EXPECT_EQ(of_kind(log, event_kind::delivery), std::vector<std::string>{"delivered at a checkpoint"});
}
