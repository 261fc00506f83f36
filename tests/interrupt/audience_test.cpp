// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// The herald may sleep on at a first request while there is nobody to tell (herald.cpp). Nobody must be able
/// to see that it did.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/a_pipe.hpp"
#include "interrupt/child.hpp"

#include <csignal>
#include <semaphore>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

// What users see is whether tokens fire and listeners are called; all here wait for that, with a limit.
bool fires(const stop_token& token) {
  std::binary_semaphore fired{0};
  const std::stop_callback tell{std::stop_token{token}, [&] { fired.release(); }};
  return fired.try_acquire_for(20s);
}

// The owner reads from an empty pipe, and the signal comes to another thread at some moment around that.
void be_interrupted_from_elsewhere() {
  const a_pipe nothing;
  char byte = 0;
  std::binary_semaphore begun{0};
  const std::jthread other{[&] {
    begun.acquire();
    ::raise(SIGINT);
  }};
  begun.release();
  EXPECT_THROW(io::read(nothing.out(), &byte, 1), interrupted);
}

} // namespace

TEST(Audience, ATokenAskedForAfterTheRequestFires) {
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_TRUE(fires(scope.token()));
}

TEST(Audience, TheStepIsThatOfTheRequestAtOnce) {
  signal_scope scope{{.coalesce = 0ms}};
  EXPECT_EQ(scope.step(), ladder_step::none);
  ::raise(SIGINT);
  EXPECT_EQ(scope.step(), ladder_step::request);
  ::raise(SIGINT);
  EXPECT_EQ(scope.step(), ladder_step::hurry);
  scope.acknowledge();
  EXPECT_EQ(scope.step(), ladder_step::none);
}

TEST(Audience, WhoSubscribesAfterARequestIsToldOfTheNextOne) {
  signal_scope scope{{.coalesce = 0ms, .keep = 8}};
  ::raise(SIGINT);
  std::binary_semaphore told{0};
  std::vector<int> heard;
  std::vector<ladder_step> climbed;
  const auto listening = scope.subscribe(SIGTERM, [&](const request& what) {
    heard.push_back(what.signal);
    told.release();
  });
  const auto first = scope.subscribe(SIGINT, [&](const request& what) { heard.push_back(what.signal); });
  const auto climbing = scope.on_ladder([&](ladder_step step, const request&) { climbed.push_back(step); });
  ::raise(SIGTERM);
  ASSERT_TRUE(told.try_acquire_for(20s));
  EXPECT_TRUE(scope.close().herald_ended);
  EXPECT_EQ(heard, std::vector{SIGTERM});
  EXPECT_EQ(climbed, std::vector{ladder_step::hurry});
}

TEST(Audience, AnAcknowledgedRequestStillFiresTheTokenThatWasAskedForLate) {
  signal_scope scope;
  ::raise(SIGINT);
  const auto token = scope.token();
  EXPECT_EQ(scope.acknowledge().size(), 1U);
  EXPECT_TRUE(fires(token));
  EXPECT_FALSE(scope.token().stop_requested());
}

TEST(Audience, WithoutOneTheThirdRequestStillEndsTheProgramByThatSignal) {
  const int status = testing_child::run([]() -> int {
    const signal_scope scope{{.coalesce = 0ms}};
    ::raise(SIGINT);
    ::raise(SIGINT);
    ::raise(SIGINT);
    for (;;) ::pause();
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
}

TEST(Audience, AmongManyRoundsEveryTokenFires) {
  signal_scope scope;
  for (int round = 0; round < 300; ++round) {
    ::raise(SIGINT);
    ASSERT_TRUE(fires(scope.token())) << round;
    EXPECT_EQ(scope.acknowledge().size(), 1U) << round;
  }
}

TEST(Audience, ATokenAskedForAfterARequestOnAnotherThreadFires) {
  signal_scope scope;
  for (int round = 0; round < 300; ++round) {
    be_interrupted_from_elsewhere();
    ASSERT_TRUE(fires(scope.token())) << round;
    EXPECT_EQ(scope.acknowledge().size(), 1U) << round;
  }
}

TEST(Audience, WithoutOneARequestOnAnotherThreadEndsEveryCall) {
  for (int round = 0; round < 300; ++round) {
    signal_scope scope;
    be_interrupted_from_elsewhere();
    EXPECT_EQ(scope.step(), ladder_step::request) << round;
    EXPECT_EQ(scope.acknowledge().size(), 1U) << round;
    be_interrupted_from_elsewhere();
    EXPECT_EQ(scope.acknowledge().size(), 1U) << round;
  }
}

// A bounded shield needs the herald, for it sleeps up to the bound: it must be rung for when the shield was
// up before the signal came, and when it is put up after the call that the signal has ended.
TEST(Audience, WithoutOneABoundRunsOutAfterARequestOnAnotherThread) {
  const a_pipe nothing;
  char byte = 0;
  for (int round = 0; round < 50; ++round) {
    signal_scope scope;
    std::binary_semaphore begun{0};
    const std::jthread other{[&] {
      begun.acquire();
      ::raise(SIGINT);
    }};
    const shield held{1ms};
    begun.release();
    EXPECT_THROW(io::read(nothing.out(), &byte, 1), interrupted) << round;
    scope.acknowledge();
  }
  for (int round = 0; round < 50; ++round) {
    signal_scope scope;
    be_interrupted_from_elsewhere();
    const shield held{1ms};
    EXPECT_THROW(io::read(nothing.out(), &byte, 1), interrupted) << round;
    scope.acknowledge();
  }
}
