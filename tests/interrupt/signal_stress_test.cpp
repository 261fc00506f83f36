// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// No signal is lost when handlers raise further signals, when two arrive at once, and when handlers are
/// changed meanwhile (CPython test_signal: stress_delivery_dependent, stress_delivery_simultaneous,
/// stress_modifying_handlers); and how a parent sees a process that dies of one
/// (keyboard_interrupt_exit_code).

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/end_by_signal.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <thread>

#include <unistd.h>

using namespace lastcall;

namespace {

signal_options patient() { return {.listen = {SIGUSR1}, .ladder = ladder_policy::patient}; }

std::atomic<int> bottom_calls{0};
void bottom(int) { ++bottom_calls; }

struct sigaction disposition(int signal) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  return now;
}

// Somebody who takes SIGINT over whoever has it, and calls him. What it calls is written down before it is
// installed: between the two a signal may come.
struct sigaction below {};
void over(int signal, siginfo_t* info, void* context) {
  if ((below.sa_flags & SA_SIGINFO) != 0)
    below.sa_sigaction(signal, info, context);
  else
    below.sa_handler(signal);
}

class SignalStress : public ::testing::Test {
  void SetUp() override {
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, SIG_DFL);
    bottom_calls = 0;
  }
};

} // namespace

TEST_F(SignalStress, HandlersThatRaiseFurtherSignalsLoseNone) {
  std::signal(SIGINT, [](int) { ::raise(SIGTERM); });
  std::signal(SIGTERM, [](int) { ::raise(SIGUSR1); });
  std::signal(SIGUSR1, bottom);
  signal_scope scope{patient()};
  constexpr int rounds = 2000;
  for (int i = 0; i < rounds; ++i) ::raise(SIGINT);
  EXPECT_EQ(scope.delivered(SIGINT), 1U * rounds);
  EXPECT_EQ(scope.delivered(SIGTERM), 1U * rounds);
  EXPECT_EQ(scope.delivered(SIGUSR1), 1U * rounds);
  EXPECT_EQ(bottom_calls, rounds);
}

TEST_F(SignalStress, TwoThatArriveAtOnceAreBothHeard) {
  signal_scope scope{patient()};
  std::atomic<int> round{0};
  constexpr int rounds = 1000;
  std::jthread other{[&] {
    for (int i = 1; i <= rounds; ++i) {
      while (round < i) std::this_thread::yield();
      ::kill(::getpid(), SIGTERM);
    }
  }};
  for (std::uint64_t i = 1; i <= rounds; ++i) {
    ++round;
    ::kill(::getpid(), SIGINT);
    while (scope.delivered(SIGINT) < i || scope.delivered(SIGTERM) < i) std::this_thread::yield();
  }
  EXPECT_EQ(scope.delivered(), 2U * rounds);
}

TEST_F(SignalStress, HandlersChangedMeanwhileLoseNoneAndDoubleNone) {
  std::signal(SIGINT, bottom);
  signal_scope scope{patient()};
  below = disposition(SIGINT);
  const struct sigaction ours = below;
  struct sigaction theirs {};
  theirs.sa_sigaction = over;
  theirs.sa_flags = SA_SIGINFO | SA_RESTART;
  std::atomic<bool> done{false};
  std::jthread changing{[&] {
    while (!done) {
      ::sigaction(SIGINT, &theirs, nullptr);
      std::this_thread::yield();
      ::sigaction(SIGINT, &ours, nullptr);
    }
  }};
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) ::raise(SIGINT);
  done = true;
  changing.join();
  EXPECT_EQ(scope.delivered(SIGINT), 1U * count);
  EXPECT_EQ(bottom_calls, count);
}

TEST_F(SignalStress, AParentSeesAProcessThatDiesOfAnInterruptKilledByIt) {
  const int status = testing_child::run([]() -> int {
    try {
      signal_scope scope;
      ::raise(SIGINT);
      checkpoint();
    } catch (const interrupted& stop) {
      end_by_signal(stop.why().signal);
    }
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
}
