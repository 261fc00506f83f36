// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <semaphore>
#include <thread>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

// A loop that never looks at anything. Under ThreadSanitizer a handler waits until its thread makes a call
// or an atomic access (docs/limits.md), so there the loop makes one.
[[noreturn]] void be_deaf() {
  [[maybe_unused]] std::atomic<int> word{0};
  for (;;) {
#if defined(__SANITIZE_THREAD__)
    word.load(std::memory_order_relaxed);
#else
    asm volatile("");
#endif
  }
}

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
    std::binary_semaphore entered{0}, never{0};
    const auto stuck = scope.subscribe(SIGINT, [&](const request&) {
      entered.release();
      never.acquire();
    });
    ::raise(SIGINT);
    entered.acquire();
    ::raise(SIGINT);
    ::raise(SIGINT);
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
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
    std::binary_semaphore entered{0}, never{0};
    auto stuck = scope.subscribe(SIGINT, [&](const request&) {
      entered.release();
      never.acquire();
    });
    for (int i = 0; i < 10; ++i) ::raise(SIGINT);
    entered.acquire();
    const auto end = scope.close(deadline::after(50ms));
    ::_exit(!end.herald_ended && end.pending.size() == 10 ? 7 : 1);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}
