// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/signal_mask.hpp"

#include <csignal>
#include <future>
#include <stdexcept>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using lastcall::deadline;
using lastcall::request;
using lastcall::signal_scope;

namespace {

// A listener on the herald is the way for a test to wait until the herald has acted.
struct heard {
  std::promise<request> first;
  std::function<void(const request&)> fn() {
    return [this](const request& what) { first.set_value(what); };
  }
  request get() { return first.get_future().get(); }
};

struct sigaction disposition(int signal) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  return now;
}

void own_handler(int) {}

} // namespace

TEST(SignalScope, RecordsNumberSenderAndTime) {
  signal_scope scope;
  const auto before = lastcall::clock::now();
  ::kill(::getpid(), SIGTERM);
  ASSERT_TRUE(lastcall::io::wait_for_request(deadline::after(10s)));
  const auto came = scope.requests();
  ASSERT_EQ(came.size(), 1U);
  EXPECT_EQ(came[0].cause, lastcall::cause::signal);
  EXPECT_EQ(came[0].signal, SIGTERM);
  EXPECT_EQ(came[0].sender_pid, ::getpid());
  EXPECT_EQ(came[0].sender_uid, ::getuid());
  EXPECT_GE(came[0].when, before);
  EXPECT_LE(came[0].when, lastcall::clock::now());
  EXPECT_EQ(scope.delivered(SIGTERM), 1U);
  EXPECT_EQ(scope.lost(), 0U);
}

TEST(SignalScope, FiresItsTokenOnTheHeraldWithTheReason) {
  signal_scope scope;
  std::promise<std::thread::id> where;
  const std::stop_callback callback{scope.token(), [&] { where.set_value(std::this_thread::get_id()); }};
  ::kill(::getpid(), SIGINT);
  EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
  ASSERT_TRUE(scope.token().why());
  EXPECT_EQ(scope.token().why()->signal, SIGINT);
}

TEST(SignalScope, TwoSignalsAtOnceAreBothRecorded) {
  signal_scope scope;
  const auto before = signal_mask::block({SIGINT, SIGTERM});
  ::raise(SIGTERM);
  ::raise(SIGINT);
  signal_mask::restore(before);
  ASSERT_TRUE(lastcall::io::wait_for_request(deadline::after(10s)));
  EXPECT_EQ(scope.delivered(), 2U);
  EXPECT_EQ(scope.requests().size(), 2U);
}

TEST(SignalScope, ASecondOneIsRefusedAndChangesNothing) {
  signal_scope scope;
  EXPECT_THROW(signal_scope{}, std::logic_error);
  ::raise(SIGINT);
  EXPECT_THROW(lastcall::checkpoint(), lastcall::interrupted);
}

TEST(SignalScope, RefusesSignalsThatCannotBeHandled) {
  for (const int bad : {0, -1, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, 32, 33, 65, 1000})
    EXPECT_THROW(signal_scope{{.signals = {bad}}}, std::invalid_argument) << bad;
  EXPECT_THROW((signal_scope{{.signals = {SIGINT}, .listen = {SIGINT}}}), std::invalid_argument);
  EXPECT_EQ(disposition(SIGINT).sa_handler, SIG_DFL);
}

TEST(SignalScope, InstallsRestartingHandlersOnTheAlternateStack) {
  signal_scope scope;
  const auto now = disposition(SIGINT);
  EXPECT_EQ(now.sa_flags & (SA_RESTART | SA_SIGINFO | SA_ONSTACK), SA_RESTART | SA_SIGINFO | SA_ONSTACK);
}

TEST(SignalScope, GivesTheOldDispositionBack) {
  std::signal(SIGINT, own_handler);
  { signal_scope scope; }
  EXPECT_EQ(disposition(SIGINT).sa_handler, own_handler);
  EXPECT_EQ(disposition(SIGTERM).sa_handler, SIG_DFL);
}

TEST(SignalScope, LeavesADispositionThatIsNoLongerOurs) {
  {
    signal_scope scope;
    std::signal(SIGINT, own_handler);
  }
  EXPECT_EQ(disposition(SIGINT).sa_handler, own_handler);
}

TEST(SignalScope, LeavesIgnoredSignalsIgnoredUnlessAsked) {
  std::signal(SIGINT, SIG_IGN);
  {
    signal_scope scope;
    EXPECT_EQ(disposition(SIGINT).sa_handler, SIG_IGN);
    lastcall::interrupt_main(SIGINT);
    EXPECT_FALSE(lastcall::interrupt_pending());
  }
  {
    signal_scope scope{{.ignored = lastcall::inherited_ignore::take}};
    ::raise(SIGINT);
    EXPECT_TRUE(lastcall::interrupt_pending());
  }
  EXPECT_EQ(disposition(SIGINT).sa_handler, SIG_IGN);
}

TEST(SignalScope, SubscribersGetEachArrivalInOrderAlsoOfListenedSignals) {
  signal_scope scope{{.listen = {SIGHUP}}};
  std::vector<int> seen;
  std::promise<void> done;
  auto hup = scope.subscribe(SIGHUP, [&](const request& r) { seen.push_back(r.signal); });
  auto term = scope.subscribe(SIGTERM, [&](const request& r) {
    seen.push_back(r.signal);
    done.set_value();
  });
  ::raise(SIGHUP);
  ::raise(SIGHUP);
  EXPECT_FALSE(lastcall::interrupt_pending()) << "a listened signal asks nobody to stop";
  ::raise(SIGTERM);
  done.get_future().wait();
  EXPECT_EQ(seen, (std::vector{SIGHUP, SIGHUP, SIGTERM}));
  EXPECT_EQ(scope.requests().size(), 1U);
  EXPECT_THROW((void)scope.subscribe(SIGUSR1, [](const request&) {}), std::invalid_argument);
}

TEST(SignalScope, AListenerThatThrowsIsContainedAndNamed) {
  lastcall::timeline log;
  signal_scope scope{{.log = &log}};
  heard second;
  auto bad = scope.subscribe(SIGINT, [](const request&) { throw std::runtime_error{"out of paper"}; });
  auto good = scope.subscribe(SIGINT, second.fn());
  ::raise(SIGINT);
  EXPECT_EQ(second.get().signal, SIGINT);
  bool named = false;
  for (const auto& e : log.events())
    named |= e.kind == lastcall::event_kind::listener && e.detail == "out of paper";
  EXPECT_TRUE(named);
}

TEST(SignalScope, ASubscriptionEndsFromInsideItsOwnCall) {
  signal_scope scope;
  int calls = 0;
  std::promise<void> done;
  lastcall::subscription own = scope.subscribe(SIGINT, [&](const request&) {
    ++calls;
    own.reset();
  });
  auto other = scope.subscribe(SIGTERM, [&](const request&) { done.set_value(); });
  ::raise(SIGINT);
  ::raise(SIGINT);
  ::raise(SIGTERM);
  done.get_future().wait();
  EXPECT_EQ(calls, 1);
}

TEST(SignalScope, ARequestByCallIsDeliveredLikeASignal) {
  signal_scope scope;
  std::jthread other{[&] { scope.request_stop("the disk is full"); }};
  try {
    lastcall::io::sleep_for(10s);
    FAIL() << "slept to the end";
  } catch (const lastcall::interrupted& stop) {
    EXPECT_EQ(stop.why().cause, lastcall::cause::call);
    EXPECT_EQ(stop.why().text, "the disk is full");
  }
}

TEST(SignalScope, WhatArrivesInTheLastMomentIsInTheResult) {
  signal_scope scope;
  ::raise(SIGTERM);
  const auto end = scope.close();
  ASSERT_EQ(end.pending.size(), 1U);
  EXPECT_EQ(end.pending[0].signal, SIGTERM);
  EXPECT_TRUE(end.herald_ended);
  EXPECT_EQ(scope.requests().size(), 1U);
  EXPECT_TRUE(scope.token().stop_requested());
  EXPECT_EQ(scope.delivered(SIGTERM), 1U);
  EXPECT_FALSE(lastcall::interrupt_pending());
}

TEST(SignalScope, AcknowledgedRequestsAreNotPendingAnyMore) {
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_THROW(lastcall::checkpoint(), lastcall::interrupted);
  EXPECT_THROW(lastcall::checkpoint(), lastcall::interrupted) << "level-triggered";
  EXPECT_EQ(scope.acknowledge().size(), 1U);
  lastcall::checkpoint();
  EXPECT_FALSE(scope.token().stop_requested());
  EXPECT_EQ(scope.step(), lastcall::ladder_step::none);
  ::raise(SIGTERM);
  EXPECT_THROW(lastcall::checkpoint(), lastcall::interrupted);
  EXPECT_EQ(scope.why()->signal, SIGTERM);
  EXPECT_EQ(scope.requests().size(), 2U);
  EXPECT_EQ(scope.close().pending.size(), 1U);
}

TEST(SignalScope, CanBeMadeAThousandTimes) {
  for (int i = 0; i < 1000; ++i) {
    signal_scope scope;
    if (i % 100 == 0) {
      ::raise(SIGINT);
      EXPECT_TRUE(lastcall::interrupt_pending());
    }
  }
}
