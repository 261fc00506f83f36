// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/a_pipe.hpp"
#include "interrupt/signal_mask.hpp"
#include "sys/fault_plan.hpp"
#include "wait/nudge_signal.hpp"

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

using namespace lastcall;

namespace {

bool by_default(int signal) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  return (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

// Makes a call that may have to be woken, on a thread of its own, and says which signal was taken for it.
int taken_by_a_call() {
  int signal = 0;
  std::jthread{[&] {
    a_pipe p;
    p.put('x');
    char byte = 0;
    std::stop_source stop;
    EXPECT_EQ(io::read(p.out(), &byte, 1, stop.get_token()), 1U);
    signal = wait::nudge_signal();
    EXPECT_FALSE(by_default(signal));
  }}.join();
  return signal;
}

} // namespace

TEST(NudgeSignal, IsTakenAtTheFirstCallAndGivenBackAtTheThreadsEnd) {
  EXPECT_EQ(wait::nudge_signal(), 0);
  const int signal = taken_by_a_call();
  EXPECT_GE(signal, SIGRTMIN);
  EXPECT_EQ(wait::nudge_signal(), 0);
  EXPECT_TRUE(by_default(signal));
}

TEST(NudgeSignal, TheOwnerKeepsItUntilItsScopeIsClosed) {
  a_pipe p;
  p.put('x');
  char byte = 0;
  signal_scope scope{{.nudge_signal = SIGRTMIN + 3}};
  EXPECT_TRUE(by_default(SIGRTMIN + 3));
  io::read(p.out(), &byte, 1);
  EXPECT_EQ(wait::nudge_signal(), SIGRTMIN + 3);
  scope.close();
  EXPECT_TRUE(by_default(SIGRTMIN + 3));
}

TEST(NudgeSignal, IsNeverOneThatTheProgramUses) {
  io::prefer_nudge_signal(SIGRTMIN + 5);
  EXPECT_EQ(taken_by_a_call(), SIGRTMIN + 5);
  std::signal(SIGRTMIN + 5, [](int) {});
  std::signal(SIGRTMIN + 6, SIG_IGN);
  EXPECT_EQ(taken_by_a_call(), SIGRTMIN + 7);
  signal_mask::block({SIGRTMIN + 7}); // as for sigwait
  EXPECT_EQ(taken_by_a_call(), SIGRTMIN + 8);
}

TEST(NudgeSignal, WithNoneFreeTheCallSaysSo) {
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) std::signal(signal, SIG_IGN);
  a_pipe p;
  char byte = 0;
  std::stop_source stop;
  std::error_code error;
  EXPECT_EQ(io::read(p.out(), &byte, 1, stop.get_token(), error), 0U);
  EXPECT_EQ(error, std::errc::device_or_resource_busy);
  signal_scope scope;
  try {
    io::read(p.out(), &byte, 1);
    FAIL();
  } catch (const std::system_error& failure) {
    EXPECT_TRUE(std::string{failure.what()}.starts_with("sigaction")) << failure.what();
  }
}

TEST(NudgeSignal, OneThatSomebodyHasTakenOverIsLeftToHim) {
  a_pipe p;
  p.put('x');
  char byte = 0;
  signal_scope scope;
  io::read(p.out(), &byte, 1);
  const int signal = wait::nudge_signal();
  std::signal(signal, [](int) {});
  scope.close();
  EXPECT_FALSE(by_default(signal));
}

TEST(NudgeSignal, WhateverTheSystemRefusesTheCallFailsOrUsesAnotherSignal) {
  bool fired = true;
  for (int nth = 1; fired; ++nth) {
    std::jthread{[&] {
      a_pipe p;
      p.put('x');
      char byte = 0;
      std::stop_source stop;
      std::error_code error;
      fault_plan::fail_nth(nth, EAGAIN);
      if (io::read(p.out(), &byte, 1, stop.get_token(), error) == 1)
        EXPECT_GE(wait::nudge_signal(), SIGRTMIN);
      else
        EXPECT_EQ(error, std::errc::resource_unavailable_try_again) << nth;
      fired = fault_plan::disarm();
    }}.join();
    EXPECT_GE(taken_by_a_call(), SIGRTMIN) << "a refusal is not for good: " << nth;
  }
}

TEST(NudgeSignal, WhatIsNoneIsRefused) {
  for (const int signal : {-1, 0, SIGINT, SIGRTMIN - 1, SIGRTMAX + 1})
    EXPECT_THROW(io::prefer_nudge_signal(signal), std::invalid_argument) << signal;
  EXPECT_THROW(signal_scope({.nudge_signal = SIGUSR1}), std::invalid_argument);
  EXPECT_THROW(signal_scope({.listen = {SIGRTMIN}, .nudge_signal = SIGRTMIN}), std::invalid_argument);
}
