// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Requests that come while an application starts, runs and stops. `raise` delivers to this very thread, so
// each comes exactly where the test wants it. The status is looked at before any end by signal: see
// endings_test.
#include <lastcall/lifecycle/application.hpp>

#include "lifecycle/scripted.hpp"

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using lastcall::application;
using lastcall::component_fate;
using lastcall::deadline;
using lastcall::ladder_policy;
using lastcall::start_policy;
using lifecycle_test::diary;
using lifecycle_test::scripted;

const auto raise_term = [](auto&) { std::raise(SIGTERM); };

/// True when the token fires; a generous limit instead of a hang where it does not.
bool fires(const std::stop_token& token) { return !lastcall::io::sleep_until(deadline::after(30s), token); }

TEST(Request, DuringAStartStepwiseLeavesTheLaterOnesOut) {
  diary log;
  application app{"shop", {.start = start_policy::stepwise}};
  app.add<scripted>("a", log, raise_term);
  app.add<scripted>("b", log);
  EXPECT_EQ(app.run(), 0);
  EXPECT_EQ(log.text(), "+a -a");
  EXPECT_EQ(app.last_report().components[1].fate, component_fate::never_started);
}

TEST(Request, DuringAStartWholeFinishesAllStartsAndSkipsTheMiddle) {
  diary log;
  application app{"shop", {.start = start_policy::whole}};
  app.add<scripted>("a", log, raise_term);
  app.add<scripted>("b", log);
  EXPECT_EQ(app.run([&] { log.add("main"); }), 0);
  EXPECT_EQ(log.text(), "+a +b -b -a");
}

TEST(Request, IsNotDeliveredInsideAStartOrAStopButTheTokenFires) {
  diary log;
  bool fired = false;
  application app{"shop"};
  const auto no_delivery = [&](lastcall::context& at) {
    std::raise(SIGTERM);
    lastcall::checkpoint();
    lastcall::io::sleep_for(1ms);
    if (log.text() == "+a") fired = fires(at.token());
  };
  app.add<scripted>("a", log, no_delivery, no_delivery);
  EXPECT_EQ(app.run(), 0);
  EXPECT_TRUE(fired);
  EXPECT_EQ(app.last_report().components[0].fate, component_fate::stopped);
}

TEST(Request, WhileWaitingStopsAtOnceAndIsReportedWithItsSender) {
  diary log;
  application app{"shop"};
  app.add<scripted>("a", log);
  std::jthread sender;
  // "running" is announced on this thread, just before the wait.
  auto told = app.events().add_sink([&](const lastcall::event& what) {
    if (what.detail == "running") sender = std::jthread{[] { ::kill(::getpid(), SIGTERM); }};
  });
  EXPECT_EQ(app.run(), 0);
  ASSERT_EQ(app.last_report().requests.size(), 1u);
  EXPECT_EQ(app.last_report().requests[0].signal, SIGTERM);
  EXPECT_EQ(app.last_report().requests[0].sender_pid, ::getpid());
  EXPECT_EQ(app.last_report().why.find("stopped by SIGTERM"), 0u);
}

TEST(Request, ReachesAnApplicationOnAThreadThatIsNotMain) {
  diary log;
  int status = -1;
  std::jthread elsewhere{[&] {
    application app{"shop"};
    app.add<scripted>("a", log);
    auto told = app.events().add_sink([&](const lastcall::event& what) {
      if (what.detail == "running") ::kill(::getpid(), SIGTERM);
    });
    status = app.run();
  }};
  elsewhere.join();
  EXPECT_EQ(status, 0);
  EXPECT_EQ(log.text(), "+a -a");
}

TEST(Request, ReachesEachOfTwoApplicationsInTurn) {
  diary log;
  for (const auto* name : {"first", "second"}) {
    application app{"shop"};
    app.add<scripted>(name, log, raise_term);
    EXPECT_EQ(app.run(), 0);
  }
  EXPECT_EQ(log.text(), "+first -first +second -second");
}

TEST(Request, ReachesTheMainFunctionAtItsCheckpoint) {
  diary log;
  application app{"shop"};
  app.add<scripted>("a", log);
  EXPECT_EQ(app.run([&] {
    std::raise(SIGTERM);
    lastcall::checkpoint();
    log.add("never");
  }),
            0);
  EXPECT_EQ(log.text(), "+a -a");
}

TEST(Request, ASecondOneShortensTheDeadlineAndFiresTheTokenOfTheStop) {
  diary log;
  application app{"shop", {.grace = 1h, .hurry = 10min}};
  bool fired = false;
  deadline before = deadline::never(), later = deadline::never();
  app.add<scripted>("after", log, nullptr, [&](auto& at) { EXPECT_TRUE(at.stop_requested()); });
  app.add<scripted>("a", log, raise_term, [&](auto& at) {
    before = at.due();
    std::raise(SIGINT); // another signal: equal ones within 200 ms are one step
    fired = fires(at.token());
    later = at.due();
  });
  EXPECT_EQ(app.run(), 130);
  EXPECT_TRUE(fired);
  EXPECT_GT(before.remaining(), 20min);
  EXPECT_LT(later.remaining(), 10min);
  EXPECT_EQ(log.text(), "+after +a -a -after");
}

TEST(Request, ThePatientLadderRecordsAllAndCutsNothing) {
  diary log;
  application app{"shop", {.grace = 1h, .ladder = ladder_policy::patient}};
  app.add<scripted>("a", log, raise_term, [&](auto& at) {
    for (int i = 0; i < 5; ++i) {
      std::raise(SIGINT);
      std::raise(SIGTERM);
    }
    EXPECT_FALSE(at.stop_requested());
    EXPECT_GT(at.due().remaining(), 30min);
  });
  EXPECT_EQ(app.run(), 130);
  EXPECT_EQ(app.last_report().requests.size(), 11u);
  EXPECT_EQ(app.last_report().components[0].fate, component_fate::stopped);
}

TEST(Request, InTheLastMomentStillShowsInTheStatus) {
  diary log;
  lastcall::application_options options;
  options.log = [](const lastcall::event& what) {
    if (what.kind == lastcall::event_kind::stop_end) std::raise(SIGINT);
  };
  application app{"shop", options};
  app.add<scripted>("a", log);
  EXPECT_EQ(app.run_for(0ms), 130);
  EXPECT_EQ(app.last_report().why, "its time was over");
}

TEST(SlowStart, IsNamedWhileItRuns) {
  diary log;
  std::stop_source named;
  lastcall::application_options options;
  options.slow_start = 1ms;
  options.log = [&](const lastcall::event& what) {
    if (what.kind == lastcall::event_kind::late && what.name == "slow") named.request_stop();
  };
  application app{"shop", options};
  app.add<scripted>("slow", log, [&](auto&) { EXPECT_TRUE(fires(named.get_token())); });
  EXPECT_EQ(app.run_for(0ms), 0);
  EXPECT_TRUE(app.last_report().components[0].start_was_slow);
}

TEST(Budget, WhenNothingIsLeftEachStopIsStillCalledAndTold) {
  diary log;
  application app{"shop", {.grace = 0s, .last_moment = 1min}};
  const auto told = [](auto& at) {
    EXPECT_TRUE(at.out_of_time());
    EXPECT_TRUE(at.stop_requested());
  };
  app.add<scripted>("a", log, nullptr, told);
  app.add<scripted>("b", log, nullptr, told);
  EXPECT_EQ(app.run_for(0ms), 0);
  EXPECT_EQ(log.text(), "+a +b -b -a");
  EXPECT_TRUE(app.last_report().components[0].told_no_time);
}

} // namespace
