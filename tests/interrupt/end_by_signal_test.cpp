// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/end_by_signal.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"

#include <csignal>
#include <thread>

#include <sched.h>
#include <sys/resource.h>

using testing_child::ended_by;
using testing_child::exited_with;

namespace {

// A core file of a test is litter.
void no_core() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

} // namespace

TEST(EndBySignal, EndsByThatSignal) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGKILL, SIGRTMIN})
    EXPECT_TRUE(ended_by(testing_child::run([signal]() -> int {
                           no_core();
                           lastcall::end_by_signal(signal);
                         }),
                         signal))
        << signal;
}

TEST(EndBySignal, AlsoWhenTheSignalIsBlockedAndIgnored) {
  const int status = testing_child::run([]() -> int {
    std::signal(SIGTERM, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    lastcall::end_by_signal(SIGTERM);
  });
  EXPECT_TRUE(ended_by(status, SIGTERM)) << status;
}

TEST(EndBySignal, AlsoFromAnotherThreadAndFromItsOwnHandler) {
  EXPECT_TRUE(ended_by(testing_child::run([]() -> int {
                         std::thread{[] { lastcall::end_by_signal(SIGINT); }}.join();
                         return 1;
                       }),
                       SIGINT));
  EXPECT_TRUE(ended_by(testing_child::run([]() -> int {
                         std::signal(SIGTERM, [](int signal) { lastcall::end_by_signal(signal); });
                         ::raise(SIGTERM);
                         return 1;
                       }),
                       SIGTERM));
}

TEST(EndBySignal, RespectsTheLimitOfCores) {
  const int status = testing_child::run([]() -> int {
    no_core();
    lastcall::end_by_signal(SIGQUIT);
  });
  EXPECT_TRUE(ended_by(status, SIGQUIT));
  EXPECT_FALSE(WCOREDUMP(status));
}

TEST(EndBySignal, LeavesByStatusWhereTheDefaultDoesNotEnd) {
  for (const int signal : {SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGTSTP, SIGTTIN, SIGSTOP})
    EXPECT_TRUE(
        exited_with(testing_child::run([signal]() -> int { lastcall::end_by_signal(signal); }), 128 + signal))
        << signal;
}

TEST(EndBySignal, LeavesByStatusAsTheFirstProcessOfANamespace) {
  const int status = testing_child::run([]() -> int {
    if (::unshare(CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) return 77;
    const int inner = testing_child::run([]() -> int { lastcall::end_by_signal(SIGTERM); });
    return exited_with(inner, 128 + SIGTERM) ? 0 : 1;
  });
  if (exited_with(status, 77)) GTEST_SKIP() << "no permission to make a pid namespace";
  EXPECT_TRUE(exited_with(status, 0)) << status;
}
