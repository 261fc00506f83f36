// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Children that are forked while a shield is up.
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <csignal>
#include <optional>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

constexpr shield_options inheriting{.forked = in_child::inherit};
constexpr shield_options ignoring{.forked = in_child::ignore};

// Ends a shield that its parent put up, in the child, and goes on.
template <class Fn>
int in_child_under(const shield_options& options, Fn&& fn) {
  std::optional<shield> up{std::in_place, options};
  return testing_child::run([&]() -> int { return fn(up); });
}

struct by_default_again {
  ~by_default_again() { std::signal(SIGTERM, SIG_DFL); }
};

bool shielded_now() { return detail::here().shielded(); }

} // namespace

TEST(ForkShield, ResetIsTheDefaultAndTheFirstSignalActs) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const shield plain;
  const shield bounded{1h};
  const int status = testing_child::run([]() -> int {
    ::raise(SIGTERM);
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
  EXPECT_EQ(scope.delivered(), 0U);
  EXPECT_TRUE(shielded_now()) << "the parent's is as it was";
}

// The counts of shields that were up in the parent go down in the child as they end there.
TEST(ForkShield, ResetLeavesTheChildAScopeAndShieldsOfItsOwn) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const int status = testing_child::run([]() -> int {
    std::optional<shield> outer{std::in_place};
    std::optional<shield> bounded{std::in_place, 1h};
    std::optional<shield> inner{std::in_place};
    const int result = testing_child::run([&]() -> int {
      signal_scope own;
      std::error_code error;
      ::raise(SIGINT);
      checkpoint(error);
      if (!error) return 1;
      {
        const shield fresh;
        checkpoint(error);
        if (error) return 2;
      }
      inner.reset();
      bounded.reset();
      {
        const shield fresh{1h};
        checkpoint(error);
        if (error) return 3;
      }
      outer.reset();
      const shield last;
      checkpoint(error);
      return error ? 4 : 7;
    });
    return testing_child::exited_with(result, 7) ? 7 : WEXITSTATUS(result);
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(ForkShield, InheritKeepsSignalsUntilTheShieldEndsThere) {
  signal_scope scope;
  const int status = in_child_under(inheriting, [](auto& up) -> int {
    ::raise(SIGTERM);
    ::raise(SIGTERM);
    if (!shielded_now()) return 1;
    checkpoint(); // nothing is due: the scope is the parent's
    if (interrupt_pending()) return 2;
    up.reset();
    return 3;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
  EXPECT_EQ(scope.delivered(), 0U);
}

TEST(ForkShield, InheritWithoutASignalEndsInNothing) {
  signal_scope scope;
  const int status = in_child_under(inheriting, [](auto& up) -> int {
    up.reset();
    return shielded_now() ? 1 : 7;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(ForkShield, WhatInheritKeptAHandlerFoundBeforeGetsOnceWithItsSender) {
  static volatile std::sig_atomic_t heard = 0;
  static volatile pid_t sender = 0;
  struct sigaction own {};
  own.sa_flags = SA_SIGINFO;
  own.sa_sigaction = [](int, siginfo_t* info, void*) {
    heard = heard + 1;
    sender = info->si_pid;
  };
  ::sigaction(SIGTERM, &own, nullptr);
  const by_default_again afterwards;
  signal_scope scope;
  const int status = in_child_under(inheriting, [](auto& up) -> int {
    const pid_t from = ::getpid();
    ::kill(from, SIGTERM);
    ::kill(from, SIGTERM);
    if (heard != 0) return 1;
    up.reset();
    return heard == 1 && sender == from ? 7 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(ForkShield, WhatInheritKeptAScopeOfTheChildGets) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const int status = in_child_under(inheriting, [](auto& up) -> int {
    ::raise(SIGTERM);
    signal_scope own;
    up.reset();
    const auto all = own.requests();
    return all.size() == 1 && all[0].signal == SIGTERM && interrupt_pending() ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(ForkShield, IgnoreDropsSignalsUntilTheShieldEndsThere) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const int status = in_child_under(ignoring, [](auto& up) -> int {
    ::raise(SIGTERM);
    ::raise(SIGINT);
    up.reset();
    if (shielded_now()) return 1;
    ::raise(SIGINT);
    return 2;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGINT)) << status;
}

TEST(ForkShield, OfNestedOnesTheOutermostThatDoesMoreThanResetCounts) {
  signal_scope scope;
  const shield plain;
  std::optional<shield> outer{std::in_place, inheriting};
  std::optional<shield> inner{std::in_place, ignoring};
  const int inside = testing_child::run([&]() -> int {
    ::raise(SIGTERM);
    inner.reset();
    return 7;
  });
  EXPECT_TRUE(testing_child::exited_with(inside, 7)) << "kept beyond the end of the inner one: " << inside;
  const int after = testing_child::run([&]() -> int {
    ::raise(SIGTERM);
    inner.reset();
    outer.reset();
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(after, SIGTERM)) << "and not ignored by it: " << after;
}

TEST(ForkShield, AGrandchildIsUnderItToo) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const int status = in_child_under(inheriting, [](auto& up) -> int {
    ::raise(SIGTERM); // the child's
    const int inner = testing_child::run([&]() -> int {
      ::raise(SIGINT);
      up.reset();
      return 1;
    });
    return testing_child::ended_by(inner, SIGINT) ? 7 : 2;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(ForkShield, OfAThreadThatDoesNotForkMeansNothingInTheChild) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const shield up{inheriting};
  int status = 0;
  std::jthread{[&] {
    status = testing_child::run([]() -> int {
      if (shielded_now()) return 1;
      ::raise(SIGTERM);
      return 2;
    });
  }}.join();
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
}

TEST(ForkShield, WhatTheParentHeldBackStaysWithTheParent) {
  signal_scope scope;
  {
    const shield up{inheriting};
    ::raise(SIGINT);
    const int status = testing_child::run([]() -> int { return interrupt_pending() ? 1 : 7; });
    EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  }
  EXPECT_THROW(checkpoint(), interrupted);
}
