// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/stop_request.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

namespace {

using checker::stop_request;

bool readable(int fd) {
  pollfd asked{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&asked, 1, 0) == 1;
}

/// How a child that runs `body` ends.
template <class Body>
int status_of(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    body();
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(StopRequest, TheFirstSignalMakesTheDescriptorReadable) {
  stop_request stop;
  EXPECT_FALSE(readable(stop.fd()));
  EXPECT_EQ(stop.signal(), 0);
  ::raise(SIGTERM);
  EXPECT_TRUE(readable(stop.fd()));
  EXPECT_EQ(stop.signal(), SIGTERM);
}

TEST(StopRequest, ADuplicateAtOnceIsTheSameRequest) {
  stop_request stop;
  ::raise(SIGINT);
  ::raise(SIGINT);
  EXPECT_EQ(stop.signal(), SIGINT);
}

TEST(StopRequest, ASecondSignalEndsTheProcessByThatSignal) {
  const int status = status_of([] {
    stop_request stop;
    ::raise(SIGINT);
    const timespec later{.tv_sec = 0, .tv_nsec = 250'000'000}; // longer than what counts as a duplicate
    ::nanosleep(&later, nullptr);
    ::raise(SIGINT);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

TEST(StopRequest, OldDispositionsComeBack) {
  { stop_request stop; }
  struct sigaction now {};
  ::sigaction(SIGINT, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(StopRequest, AnIgnoredSignalStaysIgnored) {
  const int status = status_of([] {
    ::signal(SIGHUP, SIG_IGN);
    stop_request stop;
    ::raise(SIGHUP);
    ::_exit(stop.signal());
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StopRequest, EndByEndsBySignalEvenWhereItIsHandledAndBlocked) {
  const int status = status_of([] {
    stop_request stop;
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    stop_request::end_by(SIGTERM);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

} // namespace
