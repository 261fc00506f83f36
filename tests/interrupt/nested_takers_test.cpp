// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Several parts of a program take one signal on top of each other, keep what they found and call it, and
/// leave in whatever order they leave.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <array>
#include <csignal>
#include <memory>
#include <vector>

using namespace lastcall;

namespace {

int bottom_calls = 0;
void bottom(int) { ++bottom_calls; }

/// A part of the program that does as one should: calls what it found, puts it back. `Number` tells several
/// apart.
template <int Number>
class taker {
public:
  taker() {
    calls = 0;
    struct sigaction action {};
    action.sa_sigaction = &handle;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigaction(SIGINT, &action, &found);
  }
  ~taker() { ::sigaction(SIGINT, &found, nullptr); } // also where somebody is on top: as most do
  taker(const taker&) = delete;
  taker& operator=(const taker&) = delete;

  static inline int calls = 0;

private:
  static void handle(int signal, siginfo_t* info, void* context) {
    ++calls;
    if ((found.sa_flags & SA_SIGINFO) != 0)
      found.sa_sigaction(signal, info, context);
    else if (found.sa_handler != SIG_DFL && found.sa_handler != SIG_IGN)
      found.sa_handler(signal);
  }
  static inline struct sigaction found {};
};

struct sigaction disposition() {
  struct sigaction now {};
  ::sigaction(SIGINT, nullptr, &now);
  return now;
}

signal_options patient() { return {.ladder = ladder_policy::patient}; }

// What one signal adds up to.
struct heard {
  int bottom, first, second;
  bool operator==(const heard&) const = default;
};
heard one_signal() {
  bottom_calls = taker<1>::calls = taker<2>::calls = 0;
  ::raise(SIGINT);
  return {bottom_calls, taker<1>::calls, taker<2>::calls};
}

class NestedTakers : public ::testing::Test {
  void SetUp() override { std::signal(SIGINT, bottom); }
};

} // namespace

TEST_F(NestedTakers, WhoTakesASignalOverAScopeAndCallsItIsServed) {
  signal_scope scope{patient()};
  const taker<1> over;
  EXPECT_EQ(one_signal(), (heard{1, 1, 0}));
  EXPECT_EQ(scope.delivered(SIGINT), 1U);
}

TEST_F(NestedTakers, TheOneOnTopGoesFirst) {
  {
    signal_scope scope{patient()};
    { const taker<1> over; }
    EXPECT_EQ(one_signal(), (heard{1, 0, 0}));
    EXPECT_EQ(scope.delivered(SIGINT), 1U);
  }
  EXPECT_EQ(disposition().sa_handler, bottom);
}

TEST_F(NestedTakers, TheScopeGoesFirstAndWhatItFoundGoesOnHearing) {
  auto scope = std::make_unique<signal_scope>(patient());
  auto over = std::make_unique<taker<1>>();
  scope = nullptr;
  EXPECT_EQ(one_signal(), (heard{1, 1, 0})) << "each once, by way of a scope that is gone";
  over = nullptr; // puts our handler back, which nobody is behind any more
  EXPECT_EQ(one_signal(), (heard{1, 0, 0}));
  EXPECT_EQ(disposition().sa_handler, bottom) << "the first arrival has given it back";
}

TEST_F(NestedTakers, AScopeOverSomebodyWhoCallsAnEarlierScopeGoesRoundOnce) {
  auto scope = std::make_unique<signal_scope>(patient());
  auto over = std::make_unique<taker<1>>();
  scope = nullptr;
  scope = std::make_unique<signal_scope>(patient());
  EXPECT_EQ(one_signal(), (heard{1, 1, 0}));
  EXPECT_EQ(scope->delivered(SIGINT), 1U);
  scope = nullptr;
  EXPECT_EQ(one_signal(), (heard{1, 1, 0}));
  over = nullptr;
  EXPECT_EQ(one_signal(), (heard{1, 0, 0}));
}

TEST_F(NestedTakers, WhoeverPutsAnEarlierScopesHandlerBackOverALaterScopeCutsNobodyOff) {
  auto scope = std::make_unique<signal_scope>(patient());
  auto over = std::make_unique<taker<1>>();
  scope = nullptr;
  scope = std::make_unique<signal_scope>(patient());
  over = nullptr; // what it found is the first scope's
  EXPECT_EQ(one_signal(), (heard{1, 0, 0}));
  EXPECT_EQ(scope->delivered(SIGINT), 1U);
  scope = nullptr;
  EXPECT_EQ(disposition().sa_handler, bottom);
}

TEST_F(NestedTakers, TwoOverTheScopeLeaveInTheWrongOrder) {
  auto scope = std::make_unique<signal_scope>(patient());
  auto first = std::make_unique<taker<1>>();
  auto second = std::make_unique<taker<2>>();
  EXPECT_EQ(one_signal(), (heard{1, 1, 1}));
  scope = nullptr;
  EXPECT_EQ(one_signal(), (heard{1, 1, 1}));
  second = nullptr;
  EXPECT_EQ(one_signal(), (heard{1, 1, 0}));
  first = nullptr;
  EXPECT_EQ(one_signal(), (heard{1, 0, 0}));
  EXPECT_EQ(disposition().sa_handler, bottom);
}

// Each scope found what the last one had left behind; without entries of their own they called each other.
TEST_F(NestedTakers, OneThatNeverLeavesSitsOnThousandsOfScopes) {
  auto scope = std::make_unique<signal_scope>(patient());
  const taker<1> over;
  for (int i = 0; i < 2000; ++i) {
    scope = nullptr;
    scope = std::make_unique<signal_scope>(patient());
    ASSERT_EQ(one_signal(), (heard{1, 1, 0})) << i;
    ASSERT_EQ(scope->delivered(SIGINT), 1U) << i;
  }
}

TEST_F(NestedTakers, ThousandsWhoTakeASignalAwayFromAScopeForGoodDoNotUseAnythingUp) {
  for (int i = 0; i < 2000; ++i) {
    signal_scope scope{patient()};
    ::raise(SIGINT);
    ASSERT_EQ(scope.delivered(SIGINT), 1U) << i;
    std::signal(SIGINT, bottom);
  }
  EXPECT_EQ(bottom_calls, 2000);
}

TEST_F(NestedTakers, AScopeThatWasRefusedIsNoTaker) {
  const signal_scope scope{patient()};
  EXPECT_THROW(signal_scope{}, std::logic_error);
  EXPECT_EQ(one_signal(), (heard{1, 0, 0}));
}
