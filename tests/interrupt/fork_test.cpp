// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

using namespace lastcall;

namespace {

// In the child of a process with threads, ThreadSanitizer refuses new threads and shows its own handler in
// place of the program's, so nothing can be said there about handlers (docs/limits.md).
#if defined(__SANITIZE_THREAD__)
constexpr bool child_is_blind = true;
#else
constexpr bool child_is_blind = false;
#endif

} // namespace

TEST(Fork, ASignalInTheChildActsAsIfThereWereNoScopeAndTheParentDoesNotHearIt) {
  if (child_is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const int status = testing_child::run([]() -> int {
    ::raise(SIGTERM);
    return 1;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
  EXPECT_EQ(scope.delivered(), 0U);
  EXPECT_FALSE(interrupt_pending());
  ::raise(SIGINT);
  EXPECT_THROW(checkpoint(), interrupted) << "the parent's scope works on";
}

TEST(Fork, TheChildMayCloseTheInheritedScope) {
  if (child_is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const int status = testing_child::run([&]() -> int {
    const auto end = scope.close();
    struct sigaction now {};
    ::sigaction(SIGINT, nullptr, &now);
    return end.pending.empty() && now.sa_handler == SIG_DFL ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  EXPECT_TRUE(scope.close().herald_ended);
}

TEST(Fork, TheChildMayMakeAScopeOfItsOwn) {
  if (child_is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const int status = testing_child::run([&]() -> int {
    {
      signal_scope own;
      ::raise(SIGINT);
      try {
        checkpoint();
        return 1;
      } catch (const interrupted&) {
      }
      scope.close(); // the inherited one: must not take the new one's signals away
      own.acknowledge();
      ::raise(SIGINT);
      if (!interrupt_pending()) return 2;
    }
    ::raise(SIGTERM);
    return 3;
  });
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
  EXPECT_EQ(scope.delivered(), 0U);
}

TEST(Fork, ARequestOfTheParentIsNotTheChilds) {
  signal_scope scope;
  ::raise(SIGINT);
  const int status = testing_child::run([]() -> int {
    checkpoint();
    return interrupt_pending() ? 1 : 7;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(Fork, TheChildDoesNotEvenSeeARequestOfItsParent) {
  signal_scope scope;
  ::raise(SIGINT);
  const int status = testing_child::run([]() -> int { return interrupt_pending() ? 1 : 7; });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

// A handler on another thread, between the claim of a record's place and its publication, left a hole in the
// child's copy that nobody would ever fill: the child's own scope heard nothing.
TEST(Fork, AChildMadeInAStormHearsItsOwnSignals) {
  if (child_is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope{{.ladder = ladder_policy::patient}};
  std::atomic<bool> over{false};
  std::vector<std::jthread> storm;
  for (int t = 0; t < 2; ++t)
    storm.emplace_back([&] {
      while (!over.load()) ::raise(SIGINT);
    });
  for (int i = 0; i < 200 && !::testing::Test::HasFailure(); ++i) {
    const int status = testing_child::run([]() -> int {
      signal_scope own;
      ::raise(SIGTERM);
      return own.requests().size() == 1 && interrupt_pending() ? 7 : 1;
    });
    EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  }
  over = true;
}
