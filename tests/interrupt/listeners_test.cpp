// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Several parts of a program listen, come and go.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/busy_listener.hpp"
#include "interrupt/child.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <functional>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

signal_options listening() {
  return {.listen = {SIGHUP, SIGUSR1, SIGRTMIN}, .ladder = ladder_policy::patient};
}

void send(int signal) { EXPECT_EQ(::raise(signal), 0); }

// `close` lets the herald act on all that came, so what was told is complete after it.
using told = std::vector<std::pair<char, int>>;

std::vector<int> signals_of(const std::vector<request>& all) {
  std::vector<int> found;
  for (const request& one : all) found.push_back(one.signal);
  return found;
}

} // namespace

TEST(Listeners, EachGetsEachArrivalOnceAndInOrder) {
  signal_scope scope{listening()};
  told seen;
  const auto listen = [&](char who, int signal) {
    return scope.subscribe(signal, [&seen, who](const request& r) { seen.emplace_back(who, r.signal); });
  };
  const auto a = listen('a', SIGHUP), b = listen('b', SIGHUP), c = listen('c', SIGUSR1),
             d = listen('d', SIGINT);
  for (const int signal : {SIGHUP, SIGUSR1, SIGINT, SIGHUP}) send(signal);
  const auto end = scope.close();
  EXPECT_EQ(
      seen,
      (told{{'a', SIGHUP}, {'b', SIGHUP}, {'c', SIGUSR1}, {'d', SIGINT}, {'a', SIGHUP}, {'b', SIGHUP}}));
  EXPECT_TRUE(end.unheard.empty());
  EXPECT_EQ(signals_of(end.pending), std::vector{SIGINT});
}

TEST(Listeners, OneThatSubscribesInsideACallIsToldOfTheNextArrivalOn) {
  signal_scope scope{listening()};
  told seen;
  subscription inner;
  const auto outer = scope.subscribe(SIGHUP, [&](const request& r) {
    seen.emplace_back('o', r.signal);
    if (seen.size() == 1)
      inner = scope.subscribe(SIGHUP, [&](const request& i) { seen.emplace_back('i', i.signal); });
  });
  send(SIGHUP);
  send(SIGHUP);
  scope.close();
  EXPECT_EQ(seen, (told{{'o', SIGHUP}, {'o', SIGHUP}, {'i', SIGHUP}}));
}

TEST(Listeners, OneThatReplacesItselfInsideItsCallMissesNothingAndHearsNothingTwice) {
  signal_scope scope{listening()};
  int calls = 0;
  subscription own;
  std::function<void(const request&)> listen = [&](const request& r) {
    calls += static_cast<int>(r.count);
    own.reset();
    own = scope.subscribe(SIGHUP, listen);
  };
  own = scope.subscribe(SIGHUP, listen);
  for (int i = 0; i < 100; ++i) send(SIGHUP);
  const auto end = scope.close();
  EXPECT_EQ(calls, 100);
  EXPECT_TRUE(end.unheard.empty());
}

// Trio's catch_signals_race_condition_on_exit: what was not read when the reader went.
TEST(Listeners, WhatOneLeavesUnreadGoesToTheNextInOrder) {
  signal_scope scope{listening()};
  std::binary_semaphore entered{0}, go_on{0};
  std::vector<int> first, second;
  subscription leaving;
  leaving = scope.subscribe(SIGHUP, [&](const request& r) {
    first.push_back(r.signal);
    entered.release();
    go_on.acquire();
    leaving.reset();
  });
  send(SIGHUP);
  entered.acquire();
  const auto other = scope.subscribe(SIGUSR1, [&](const request& r) { second.push_back(r.signal); });
  for (const int signal : {SIGHUP, SIGUSR1, SIGHUP}) send(signal); // unread: the herald is in the call
  std::binary_semaphore told_of_both{0};
  go_on.release();
  const auto next = scope.subscribe(SIGHUP, [&](const request& r) {
    second.push_back(r.signal);
    told_of_both.release();
  });
  told_of_both.acquire();
  told_of_both.acquire();
  send(SIGHUP);
  const auto end = scope.close();
  EXPECT_EQ(first, std::vector{SIGHUP});
  EXPECT_EQ(std::count(second.begin(), second.end(), SIGHUP), 3);
  EXPECT_EQ(std::count(second.begin(), second.end(), SIGUSR1), 1);
  EXPECT_TRUE(end.unheard.empty());
}

TEST(Listeners, WhatCameBeforeAnybodyListenedComesFirst) {
  signal_scope scope{listening()};
  for (int i = 0; i < 3; ++i) send(SIGRTMIN);
  std::vector<time_point> when;
  std::counting_semaphore<> calls{0};
  const auto late = scope.subscribe(SIGRTMIN, [&](const request& r) {
    when.push_back(r.when);
    calls.release();
  });
  send(SIGRTMIN);
  for (int i = 0; i < 4; ++i) calls.acquire();
  scope.close();
  ASSERT_EQ(when.size(), 4U);
  EXPECT_TRUE(std::is_sorted(when.begin(), when.end()));
}

TEST(Listeners, OneThatReplacesItselfIsHandedEachArrivalThatWaitedOnce) {
  signal_scope scope{listening()};
  for (int i = 0; i < 50; ++i) send(SIGRTMIN);
  std::atomic<int> calls{0};
  subscription own;
  std::function<void(const request&)> listen = [&](const request& r) {
    calls += static_cast<int>(r.count);
    own.reset();
    own = scope.subscribe(SIGRTMIN, listen);
  };
  {
    // The first call waits until `own` is this one.
    std::binary_semaphore subscribed{0};
    own = scope.subscribe(SIGRTMIN, [&](const request& r) {
      subscribed.acquire();
      listen(r);
    });
    subscribed.release();
    while (calls < 50) std::this_thread::yield();
  }
  EXPECT_TRUE(scope.close().unheard.empty());
  EXPECT_EQ(calls, 50);
}

TEST(Listeners, WhatNobodyListenedToIsInTheScopesEndInOrder) {
  signal_scope scope{listening()};
  {
    const auto gone = scope.subscribe(SIGHUP, [](const request&) { FAIL(); });
  }
  for (const int signal : {SIGHUP, SIGUSR1, SIGINT, SIGHUP}) send(signal);
  const auto end = scope.close();
  EXPECT_EQ(signals_of(end.unheard), (std::vector{SIGHUP, SIGUSR1, SIGHUP}));
  EXPECT_EQ(signals_of(end.pending), std::vector{SIGINT}) << "the owner's";
}

TEST(Listeners, ThousandsThatNobodyListensToAreMergedAndCounted) {
  signal_scope scope{listening()};
  for (int i = 0; i < 5000; ++i) send(i % 2 == 0 ? SIGHUP : SIGUSR1);
  const auto end = scope.close();
  std::uint64_t sum = 0;
  for (const request& one : end.unheard) sum += one.count;
  EXPECT_EQ(sum, 5000U);
  EXPECT_LE(end.unheard.size(), 256U + 64U);
}

TEST(Listeners, WhatAHeraldThatIsLeftBehindHadInHandIsReported) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{listening()};
    busy_listener forever;
    const auto busy = forever.listen(scope, SIGHUP);
    send(SIGHUP);
    forever.entered.acquire();
    for (const int signal : {SIGUSR1, SIGHUP}) send(signal);
    const auto end = scope.close(deadline::after(50ms));
    ::_exit(!end.herald_ended && signals_of(end.unheard) == std::vector{SIGUSR1, SIGHUP} ? 7 : 1);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

// In CPython's words: handlers are changed while signals arrive, and none is lost.
TEST(Listeners, ComeAndGoWhileSignalsArriveAndNoneIsLost) {
  signal_scope scope{listening()};
  std::atomic<std::uint64_t> heard{0};
  std::atomic<bool> over{false};
  std::vector<std::jthread> changing;
  for (int t = 0; t < 2; ++t)
    changing.emplace_back([&] {
      // One at a time, so that each arrival is heard once at most.
      static std::mutex alone;
      while (!over) {
        const std::scoped_lock guard{alone};
        const auto listening = scope.subscribe(SIGHUP, [&](const request& r) { heard += r.count; });
        std::this_thread::yield();
      }
    });
  for (int i = 0; i < 5000; ++i) send(SIGHUP);
  over = true;
  changing.clear();
  std::uint64_t unheard = 0;
  for (const request& one : scope.close().unheard) unheard += one.count;
  EXPECT_EQ(heard + unheard, 5000U);
}

TEST(Listeners, OfTheLadderMayComeAndGoInsideTheirCalls) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  int calls = 0, inner_calls = 0;
  subscription own, inner;
  own = scope.on_ladder([&](ladder_step, const request&) {
    ++calls;
    inner = scope.on_ladder([&](ladder_step, const request&) { ++inner_calls; });
    own.reset();
  });
  send(SIGINT);
  scope.close();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(inner_calls, 0);
}

TEST(Listeners, EachCallbackRunsOnTheThreadItsDocumentationNames) {
  timeline log;
  signal_scope scope{{.listen = {SIGHUP}, .log = &log}};
  const auto owner = std::this_thread::get_id();
  std::vector<std::thread::id> heralds;
  std::thread::id poster;
  const auto here = [&] { heralds.push_back(std::this_thread::get_id()); };
  const auto hup = scope.subscribe(SIGHUP, [&](const request&) { here(); });
  const auto steps = scope.on_ladder([&](ladder_step, const request&) { here(); });
  const std::stop_callback fired{scope.token(), here};
  scope.post([&] { poster = std::this_thread::get_id(); });
  send(SIGHUP);
  send(SIGINT);
  EXPECT_THROW(checkpoint(), interrupted);
  scope.close();
  EXPECT_EQ(poster, owner);
  ASSERT_EQ(heralds.size(), 3U);
  for (const auto id : heralds) {
    EXPECT_NE(id, owner);
    EXPECT_EQ(id, heralds[0]);
  }
}
