// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Signal state is not shared with a forked child (asyncio test_unix_events: TestFork; asio#1069).

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/busy_listener.hpp"
#include "interrupt/child.hpp"

#include <atomic>
#include <csignal>
#include <latch>
#include <semaphore>
#include <thread>
#include <vector>

#include <poll.h>
#include <sched.h>

using namespace lastcall;

TEST(Fork, ASignalInTheChildActsAsIfThereWereNoScopeAndTheParentDoesNotHearIt) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
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
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
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
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
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

// test_reinit_tls_after_fork and its kin: fork from many threads neither hangs nor hands the child more than
// itself.
TEST(Fork, FromSixteenThreadsEachChildIsAloneAndMayMakeAScope) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  std::latch all{16};
  std::atomic<int> fine{0};
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 16; ++t)
      crowd.emplace_back([&] {
        all.arrive_and_wait();
        const int status = testing_child::run([]() -> int {
          if (detail::here().core != nullptr || interrupt_pending()) return 1;
          {
            signal_scope own;
            ::raise(SIGINT);
            if (!interrupt_pending()) return 2;
          }
          ::raise(SIGTERM);
          return 3;
        });
        if (testing_child::ended_by(status, SIGTERM)) ++fine;
      });
  }
  EXPECT_EQ(fine, 16);
  EXPECT_EQ(scope.delivered(), 0U);
}

TEST(Fork, WithTheHeraldInsideAListenerTheChildIsFree) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  busy_listener busy;
  auto telling = busy.listen(scope, SIGINT);
  ::raise(SIGINT);
  busy.entered.acquire();
  const int status = testing_child::run([&]() -> int {
    if (!telling.reset()) return 1; // the call does not go on here
    scope.close();
    signal_scope own;
    ::raise(SIGTERM);
    return interrupt_pending() ? 7 : 2;
  });
  busy.let_go.release();
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(Fork, FromInsideAListenerTheChildHearsItsSignals) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  std::binary_semaphore done{0};
  int status = 0;
  const auto telling = scope.subscribe(SIGINT, [&](const request&) {
    status = testing_child::run([]() -> int {
      ::raise(SIGTERM);
      return 1;
    });
    done.release();
  });
  ::raise(SIGINT);
  done.acquire();
  EXPECT_TRUE(testing_child::ended_by(status, SIGTERM)) << status;
}

TEST(Fork, PostedCallsOfTheParentAreNotTheChilds) {
  signal_scope scope;
  int ran = 0;
  scope.post([&] { ++ran; });
  const int status = testing_child::run([&]() -> int {
    checkpoint();
    return ran == 0 ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  checkpoint();
  EXPECT_EQ(ran, 1);
}

TEST(Fork, AGrandchildIsNeitherItsParentNorItsGrandparent) {
  if (testing_child::is_blind) GTEST_SKIP() << "not under ThreadSanitizer";
  signal_scope scope;
  const int status = testing_child::run([]() -> int {
    signal_scope own;
    ::raise(SIGINT);
    const int inner = testing_child::run([]() -> int {
      if (interrupt_pending()) return 1;
      ::raise(SIGTERM);
      return 2;
    });
    return testing_child::ended_by(inner, SIGTERM) && own.delivered() == 1 ? 7 : 3;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  EXPECT_EQ(scope.delivered(), 0U);
}

// Process 1 makes a new pid namespace, and its child is a process 1, too: the id says they are the same.
TEST(Fork, AChildWithItsParentsProcessIdIsToldApart) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs a new pid namespace";
  const auto process_one = []() -> int {
    if (::getpid() != 1) return 8;
    signal_scope scope;
    const int wakeup = scope.wakeup_fd();
    ::raise(SIGINT);
    scope.acknowledge();
    if (::unshare(CLONE_NEWPID) != 0) return 8;
    const int inner = testing_child::run([]() -> int {
      if (::getpid() != 1) return 1;
      ::raise(SIGTERM); // acts by its old disposition, which a process 1 survives
      checkpoint();
      return interrupt_pending() ? 2 : 7;
    });
    pollfd parents{wakeup, POLLIN, 0};
    return testing_child::exited_with(inner, 7) && ::poll(&parents, 1, 0) == 0 ? 7 : 1;
  };
  // In a child: whoever has done this gets no more threads, and LeakSanitizer needs one at the end.
  const int status = testing_child::run([&]() -> int {
    if (::unshare(CLONE_NEWPID) != 0) return 77;
    return testing_child::exited_with(testing_child::run(process_one), 7) ? 7 : 1;
  });
  if (testing_child::exited_with(status, 77)) GTEST_SKIP() << "no new pid namespace here";
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}
