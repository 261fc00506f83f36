// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/busy_listener.hpp"

#include <csignal>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lastcall;

// The owner was faster than the herald: the request was taken off the table, the token replaced, and threads
// that held the old token never heard.
TEST(Acknowledge, AnOwnerFasterThanTheHeraldDoesNotTakeTheRequestFromTheOtherThreads) {
  busy_listener busy;
  signal_scope scope{{.listen = {SIGHUP}}};
  const auto listening = busy.listen(scope, SIGHUP);
  ::raise(SIGHUP);
  busy.entered.acquire();
  const auto before = scope.token();
  ::raise(SIGTERM);
  EXPECT_EQ(scope.acknowledge().size(), 1U);
  busy.let_go.release();
  EXPECT_FALSE(io::sleep_until(deadline::after(10s), before)) << "the old token fires";
  EXPECT_EQ(before.why()->signal, SIGTERM);
  EXPECT_FALSE(scope.token().stop_requested()) << "and the new one does not";
}

TEST(Acknowledge, EveryTokenOfARoundFiresBeforeTheScopeIsClosed) {
  std::vector<stop_token> tokens;
  {
    signal_scope scope{{.coalesce = 1h}};
    for (int i = 0; i < 200; ++i) {
      tokens.push_back(scope.token());
      ::raise(SIGINT);
      scope.acknowledge();
    }
    EXPECT_TRUE(scope.close().herald_ended);
  }
  for (const auto& token : tokens) EXPECT_TRUE(token.stop_requested());
}

// A handler whose record was just acknowledged sets the owner's bit a moment later.
TEST(Acknowledge, NothingIsPendingAfterItWhereNothingCame) {
  signal_scope scope{{.ladder = ladder_policy::patient}};
  std::uint64_t taken = 0; // all of them fit into `keep`
  std::jthread sender{[] {
    for (int i = 0; i < 500; ++i) ::raise(SIGINT);
  }};
  while (taken < 500)
    for (const auto& one : scope.acknowledge()) taken += one.count;
  EXPECT_EQ(taken, 500U);
  sender.join();
  EXPECT_FALSE(interrupt_pending());
}

// More than are kept, so that the acknowledged ones give way, the oldest first, and the room is used again.
TEST(Acknowledge, ThoseThatGiveWayAreTheOldestLapAfterLap) {
  signal_scope scope{{.ladder = ladder_policy::patient, .coalesce = 0ms, .keep = 3}};
  std::vector<int> expected;
  for (int round = 0; round < 10; ++round) {
    const int signal = round % 3 == 0 ? SIGTERM : SIGINT;
    ::raise(signal);
    expected.push_back(signal);
    if (expected.size() > 3) expected.erase(expected.begin());
    std::vector<int> kept;
    for (const request& one : scope.requests()) kept.push_back(one.signal);
    EXPECT_EQ(kept, expected) << round;
    const auto taken = scope.acknowledge();
    ASSERT_EQ(taken.size(), 1U) << round;
    EXPECT_EQ(taken.front().signal, signal) << round;
  }
  EXPECT_EQ(scope.lost(), 0U);
  // Pending ones do not give way.
  for (int i = 0; i < 5; ++i) ::raise(SIGINT);
  EXPECT_EQ(scope.requests().size(), 3U);
  EXPECT_EQ(scope.lost(), 2U);
  EXPECT_EQ(scope.acknowledge().size(), 3U);
}
