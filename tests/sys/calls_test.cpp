// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/calls.hpp"
#include "sys/failure.hpp"
#include "sys/fault_plan.hpp"
#include "sys/thread.hpp"

#include <lastcall/sys/config.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <system_error>

using namespace lastcall;

TEST(Sys, CallsReturnTheErrorAsANegativeNumber) {
  struct sigaction now {};
  EXPECT_EQ(sys::sigaction(SIGINT, nullptr, &now), 0);
  EXPECT_EQ(sys::sigaction(12345, nullptr, &now), -EINVAL);
  std::atomic<std::uint32_t> word{1};
  EXPECT_EQ(sys::futex_wait(word, 2, -1), -EAGAIN);
  EXPECT_EQ(sys::futex_wait(word, 1, 1'000'000), -ETIMEDOUT);
  EXPECT_EQ(sys::futex_wake(word, 1), 0);
}

TEST(Sys, ItsClockIsTheSteadyClock) {
  const auto before = std::chrono::steady_clock::now().time_since_epoch().count();
  const auto now = sys::monotonic_ns();
  EXPECT_LE(before, now);
  EXPECT_GE(std::chrono::steady_clock::now().time_since_epoch().count(), now);
}

TEST(Sys, TheNthCallOfThisThreadFailsAndOnlyThat) {
  struct sigaction now {};
  fault_plan::fail_nth(2, EIO);
  EXPECT_EQ(sys::sigaction(SIGINT, nullptr, &now), 0);
  EXPECT_EQ(sys::sigaction(SIGINT, nullptr, &now), -EIO);
  EXPECT_EQ(sys::sigaction(SIGINT, nullptr, &now), 0);
  EXPECT_TRUE(fault_plan::disarm());
  EXPECT_EQ(fault_plan::failed(), sys::call::rt_sigaction);
}

TEST(Sys, AFailureNamesTheCallAndItsPurpose) {
  try {
    sys::throw_failure(sys::call::thread_create, EAGAIN, "to start the herald");
  } catch (const std::system_error& failure) {
    EXPECT_EQ(failure.code(), std::errc::resource_unavailable_try_again);
    EXPECT_NE(std::string{failure.what()}.find("pthread_create (to start the herald)"), std::string::npos);
  }
}

TEST(Sys, EveryCallHasAName) {
  for (int call = 0; call < static_cast<int>(sys::call::count_); ++call)
    EXPECT_FALSE(sys::name_of(static_cast<sys::call>(call)).empty());
}

TEST(Sys, ADeafThreadBlocksAllButFaultsAndLeavesItsCreatorsMask) {
  static sigset_t inside;
  pthread_t thread{};
  const auto look = [](void*) -> void* {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &inside);
    return nullptr;
  };
  ASSERT_EQ(sys::start_deaf_thread(thread, look, nullptr, "deaf"), 0);
  ASSERT_TRUE(sys::join(thread, 20'000'000'000));
  for (const int blocked : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1})
    EXPECT_EQ(sigismember(&inside, blocked), 1);
  for (const int open : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) EXPECT_EQ(sigismember(&inside, open), 0);
  sigset_t here;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &here);
  EXPECT_EQ(sigismember(&here, SIGINT), 0);
}

TEST(Config, AFailedAssertionSaysWhereAndWhy) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(LASTCALL_ASSERT(1 == 2, "numbers are broken"),
               "lastcall: .*calls_test.cpp:[0-9]+: numbers are broken");
}
