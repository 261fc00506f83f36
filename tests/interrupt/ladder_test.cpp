// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/be_deaf.hpp"
#include "interrupt/busy_listener.hpp"
#include "interrupt/child.hpp"
#include "interrupt/custody.hpp"

#include <csignal>
#include <semaphore>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

struct steps {
  std::counting_semaphore<> climbed{0};
  subscription watch(signal_scope& scope) {
    return scope.on_ladder([this](ladder_step, const request&) { climbed.release(); });
  }
};

} // namespace

TEST(Ladder, EveryTransition) {
  using enum ladder_step;
  EXPECT_EQ(next_step(none, ladder_policy::normal), request);
  EXPECT_EQ(next_step(request, ladder_policy::normal), hurry);
  EXPECT_EQ(next_step(hurry, ladder_policy::normal), force);
  EXPECT_EQ(next_step(force, ladder_policy::normal), force);
  EXPECT_EQ(next_step(none, ladder_policy::patient), request);
  EXPECT_EQ(next_step(request, ladder_policy::patient), request);
  EXPECT_EQ(next_step(none, ladder_policy::eager), request);
  EXPECT_EQ(next_step(request, ladder_policy::eager), force);
}

TEST(Ladder, TheThirdSignalEndsADeafProgramByThatSignal) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.coalesce = 0ms}};
    steps seen;
    const auto watching = seen.watch(scope);
    std::jthread terminal{[&] {
      for (int presses = 0; presses < 3; ++presses) {
        ::kill(::getpid(), SIGINT);
        seen.climbed.acquire();
      }
    }};
    be_deaf();
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
}

TEST(Ladder, EagerForcesAtTheSecondSignal) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.ladder = ladder_policy::eager, .coalesce = 0ms}};
    ::raise(SIGINT);
    ::raise(SIGTERM);
    be_deaf();
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
}

TEST(Ladder, PatientRecordsAndNeverForces) {
  signal_scope scope{{.ladder = ladder_policy::patient, .coalesce = 0ms}};
  for (int i = 0; i < 10; ++i) ::raise(SIGINT);
  EXPECT_EQ(scope.close().pending.size(), 10U);
  EXPECT_EQ(scope.step(), ladder_step::request);
}

TEST(Ladder, EqualSignalsInTheWindowAreOneStepAndAllAreRecorded) {
  signal_scope scope{{.coalesce = 1h}};
  for (int i = 0; i < 5; ++i) ::raise(SIGINT);
  EXPECT_EQ(scope.close().pending.size(), 5U);
  EXPECT_EQ(scope.step(), ladder_step::request);
}

TEST(Ladder, DifferentSignalsInTheWindowAreTwoSteps) {
  signal_scope scope{{.coalesce = 1h}};
  ::raise(SIGINT);
  ::raise(SIGTERM);
  EXPECT_EQ(scope.close().pending.size(), 2U);
  EXPECT_EQ(scope.step(), ladder_step::hurry);
}

TEST(Ladder, CallsDoNotClimbBeyondRequest) {
  signal_scope scope{{.coalesce = 0ms}};
  for (int i = 0; i < 10; ++i) scope.request_stop("again");
  EXPECT_EQ(scope.close().pending.size(), 10U);
  EXPECT_EQ(scope.step(), ladder_step::request);
}

TEST(Ladder, AcknowledgingLeadsBackToItsFoot) {
  signal_scope scope{{.coalesce = 0ms}};
  for (int i = 0; i < 20; ++i) {
    ::raise(SIGINT);
    scope.acknowledge();
  }
  EXPECT_EQ(scope.step(), ladder_step::none);
  scope.close();
}

// The herald waits in a listener for ever; the handler itself forces.
TEST(Ladder, TheHandlerForcesWhenTheHeraldIsStuck) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.coalesce = 0ms}};
    busy_listener forever;
    const auto listening = forever.listen(scope, SIGINT);
    ::raise(SIGINT);
    forever.entered.acquire();
    ::raise(SIGINT);
    ::raise(SIGINT);
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
}

TEST(Ladder, TheHandlerForcesAtTheSecondSignalWhenEager) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.ladder = ladder_policy::eager, .coalesce = 0ms}};
    busy_listener forever;
    const auto listening = forever.listen(scope, SIGINT);
    ::raise(SIGINT);
    forever.entered.acquire();
    ::raise(SIGTERM);
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
}

TEST(Ladder, TheHandlerNeverForcesWhenPatient) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.ladder = ladder_policy::patient, .coalesce = 0ms}};
    busy_listener forever;
    const auto listening = forever.listen(scope, SIGINT);
    ::raise(SIGINT);
    forever.entered.acquire();
    for (int i = 0; i < 100; ++i) ::raise(SIGINT);
    ::_exit(scope.delivered() == 101 ? 7 : 1);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

// The bell is rung without end by signals that only some part listens to; the presses are still counted.
TEST(Ladder, TheHandlerForcesInAStormOfOtherSignalsToo) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.listen = {SIGHUP}, .coalesce = 0ms}};
    busy_listener forever;
    const auto listening = forever.listen(scope, SIGHUP);
    std::jthread storm{[] {
      for (;;) ::raise(SIGHUP);
    }};
    forever.entered.acquire();
    for (int presses = 0; presses < 3; ++presses) ::raise(SIGINT);
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
}

// A handler held up between its record and its count, and the record acknowledged meanwhile: it counted for
// the round that came after, and a program whose herald was busy was ended one press too early.
TEST(Ladder, APressOfARoundThatIsOverDoesNotForceInTheHandler) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.ladder = ladder_policy::eager, .coalesce = 0ms}};
    busy_listener forever;
    const auto listening = forever.listen(scope, SIGINT);
    ::raise(SIGINT);
    forever.entered.acquire();
    const auto heard = lastcall::detail::the_custody.heard.load();
    const auto late = lastcall::detail::press_round();
    scope.acknowledge();
    const auto later = clock::now().time_since_epoch().count() + 1;
    for (int i = 0; i < 10; ++i) lastcall::detail::count_press(SIGINT, late, later + i, heard + 2);
    const auto now = lastcall::detail::press_round();
    lastcall::detail::count_press(SIGINT, now, later + 20, heard + 3);
    lastcall::detail::count_press(SIGTERM, now, later + 21, heard + 4); // the second of its round
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
}

TEST(Ladder, DuplicatesWithinTheWindowNeverForceInTheHandler) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.coalesce = 1h}};
    std::counting_semaphore<> until_told{0};
    auto stuck = scope.subscribe(SIGINT, [&](const request&) { until_told.acquire(); });
    for (int i = 0; i < 100; ++i) ::raise(SIGINT);
    until_told.release(100);
    return scope.close().pending.size() == 100 ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Ladder, AStuckHeraldIsLeftBehindAtTheDeadlineAndSaid) {
  const int status = testing_child::run([]() -> int {
    signal_scope scope{{.ladder = ladder_policy::patient, .coalesce = 0ms}};
    busy_listener forever;
    const auto listening = forever.listen(scope, SIGINT);
    for (int i = 0; i < 10; ++i) ::raise(SIGINT);
    forever.entered.acquire();
    const auto end = scope.close(deadline::after(50ms));
    ::_exit(!end.herald_ended && end.pending.size() == 10 ? 7 : 1);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}
