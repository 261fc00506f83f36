// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Readiness for loops of others (CPython test_signal: wakeup_fd_early, wakeup_fd_during,
/// warn_on_full_buffer; asyncio's TestFork and asio#1069 for the child that shares it).

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"
#include "sys/fault_plan.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

bool readable(int fd, int timeout_ms = 0) {
  pollfd watched{fd, POLLIN, 0};
  int result = 0;
  while ((result = ::poll(&watched, 1, timeout_ms)) < 0 && errno == EINTR) {
  }
  return result == 1 && (watched.revents & POLLIN) != 0;
}

} // namespace

TEST(WakeupFd, ASignalBeforeTheWaitWakesIt) {
  signal_scope scope;
  const int fd = scope.wakeup_fd();
  EXPECT_FALSE(readable(fd));
  ::raise(SIGINT);
  EXPECT_TRUE(readable(fd));
  EXPECT_THROW(checkpoint(), interrupted);
  EXPECT_TRUE(readable(fd)) << "level-triggered, as the request is";
}

TEST(WakeupFd, ASignalBeforeItWasMadeWakesIt) {
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_TRUE(readable(scope.wakeup_fd()));
}

TEST(WakeupFd, ASignalDuringTheWaitWakesItWhicheverThreadItHits) {
  signal_scope scope;
  const int fd = scope.wakeup_fd();
  std::jthread other{[] { ::raise(SIGTERM); }};
  EXPECT_TRUE(readable(fd, 10'000));
}

TEST(WakeupFd, IsOneCloseOnExecAndNonBlockingDescriptor) {
  signal_scope scope;
  const int fd = scope.wakeup_fd();
  EXPECT_EQ(scope.wakeup_fd(), fd);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

TEST(WakeupFd, IsUnreadableAfterAcknowledgeAndReadableForTheNextRequest) {
  signal_scope scope{{.listen = {SIGHUP}, .ladder = ladder_policy::patient}};
  const int fd = scope.wakeup_fd();
  for (int i = 0; i < 100; ++i) {
    ::raise(SIGINT);
    EXPECT_TRUE(readable(fd));
    scope.acknowledge();
    // The herald may raise it once more for what it has just been told of; a checkpoint settles that.
    for (const auto until = deadline::after(10s); readable(fd) && !until.expired();) checkpoint();
    EXPECT_FALSE(readable(fd));
  }
  ::raise(SIGHUP);
  EXPECT_FALSE(readable(fd)) << "a listened signal asks nobody to stop";
}

TEST(WakeupFd, APostedCallAndARequestByCallWakeIt) {
  signal_scope scope;
  const int fd = scope.wakeup_fd();
  int ran = 0;
  scope.post([&] { ++ran; });
  EXPECT_TRUE(readable(fd));
  checkpoint();
  EXPECT_EQ(ran, 1);
  EXPECT_FALSE(readable(fd));
  scope.request_stop("enough");
  EXPECT_TRUE(readable(fd));
}

TEST(WakeupFd, APostedCallThatRunsDoesNotHideARequest) {
  signal_scope scope;
  const int fd = scope.wakeup_fd();
  scope.post([] { ::raise(SIGINT); });
  std::error_code error;
  checkpoint(error);
  EXPECT_TRUE(readable(fd));
}

TEST(WakeupFd, AFullOneIsSurvivedAndReadable) {
  signal_scope scope;
  const int fd = scope.wakeup_fd();
  const std::uint64_t most = UINT64_MAX - 1;
  ASSERT_EQ(::write(fd, &most, sizeof most), static_cast<ssize_t>(sizeof most));
  errno = 1234;
  ::raise(SIGINT);
  EXPECT_EQ(errno, 1234);
  EXPECT_EQ(scope.delivered(), 1U);
  EXPECT_TRUE(readable(fd));
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(WakeupFd, AFailingCreationNamesTheCallAndLeavesTheScopeUsable) {
  signal_scope scope;
  fault_plan::fail_nth(1, EMFILE);
  try {
    scope.wakeup_fd();
    FAIL();
  } catch (const std::system_error& failure) {
    EXPECT_EQ(failure.code().value(), EMFILE);
    EXPECT_NE(std::string{failure.what()}.find("eventfd"), std::string::npos);
  }
  fault_plan::disarm();
  ::raise(SIGINT);
  EXPECT_THROW(checkpoint(), interrupted);
  EXPECT_TRUE(readable(scope.wakeup_fd()));
}

TEST(WakeupFd, EveryOtherFailingCallIsSurvived) {
  for (int nth = 1; nth <= 4; ++nth) {
    signal_scope scope;
    const int fd = scope.wakeup_fd();
    fault_plan::fail_nth(nth, EIO);
    ::raise(SIGINT);
    fault_plan::disarm();
    EXPECT_TRUE(readable(fd, 10'000)) << nth << ": the herald writes it as well";
    EXPECT_THROW(checkpoint(), interrupted);
  }
}

TEST(WakeupFd, IsClosedWithTheScope) {
  signal_scope scope;
  const int fd = scope.wakeup_fd();
  scope.close();
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

TEST(WakeupFd, AForkedChildDoesNotWriteItsParents) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "not under ThreadSanitizer (docs/limits.md)";
#endif
  signal_scope scope;
  const int fd = scope.wakeup_fd();
  EXPECT_TRUE(testing_child::ended_by(testing_child::run([]() -> int { return ::raise(SIGTERM); }), SIGTERM));
  EXPECT_FALSE(readable(fd));
  const int status = testing_child::run([]() -> int {
    signal_scope own;
    ::raise(SIGTERM);
    own.acknowledge();
    return 7;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  EXPECT_FALSE(readable(fd));
}

TEST(WakeupFd, BelatedHandlersDoNotWriteIntoADescriptorThatGotItsNumber) {
  std::signal(SIGINT, SIG_IGN);
  std::atomic<bool> over{false};
  std::jthread sender{[&] {
    while (!over.load()) ::raise(SIGINT);
  }};
  for (int i = 0; i < 300; ++i) {
    int fd = -1;
    {
      signal_scope scope{{.ladder = ladder_policy::patient, .ignored = inherited_ignore::take}};
      fd = scope.wakeup_fd();
    }
    const int next = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT_EQ(next, fd) << "the lowest number that is free";
    std::this_thread::yield();
    EXPECT_FALSE(readable(next));
    ::close(next);
  }
  over = true;
}
