// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Signal numbers in a descriptor of the program's. Behaviours of test_signal's wake-up descriptor: signum,
/// pending, wakeup_write_error, warn_on_full_buffer, invalid_fd, set_wakeup_fd_blocking, wakeup_fd_early,
/// wakeup_fd_during.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"
#include "interrupt/signal_mask.hpp"
#include "sys/fault_plan.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

/// Two ends that close themselves.
struct ends {
  int read = -1, write = -1;
  ends(int read_end, int write_end) : read{read_end}, write{write_end} {}
  ends(const ends&) = delete;
  ends& operator=(const ends&) = delete;
  ~ends() {
    close_read();
    close_write();
  }
  void close_read() { close_one(read); }
  void close_write() { close_one(write); }
  static void close_one(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
};

ends make_pipe(int flags = O_NONBLOCK | O_CLOEXEC) {
  int fds[2];
  EXPECT_EQ(::pipe2(fds, flags), 0);
  return {fds[0], fds[1]};
}

ends make_sockets() {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {fds[0], fds[1]};
}

// Pipes and sockets alike.
class NumberFeed : public ::testing::TestWithParam<bool> {
protected:
  ends make() { return GetParam() ? make_sockets() : make_pipe(); }
};

std::vector<int> numbers_in(int fd) {
  std::vector<int> found;
  unsigned char byte = 0;
  while (::read(fd, &byte, 1) == 1) found.push_back(byte);
  return found;
}

signal_options patient() { return {.listen = {SIGHUP}, .ladder = ladder_policy::patient}; }

std::string refusal(signal_scope& scope, int fd) {
  try {
    const auto feed = scope.forward_numbers(fd);
  } catch (const std::exception& failure) {
    return failure.what();
  }
  return "not refused";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

INSTANTIATE_TEST_SUITE_P(PipesAndSockets, NumberFeed, ::testing::Bool(),
                         [](const auto& which) { return which.param ? "Sockets" : "Pipes"; });

TEST_P(NumberFeed, YieldsTheNumbersInOrder) {
  const ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGINT, SIGTERM}) ::raise(signal);
  EXPECT_EQ(numbers_in(loop.read), (std::vector{SIGTERM, SIGHUP, SIGINT, SIGINT, SIGTERM}));
  EXPECT_EQ(feed.unwritten(), 0U);
  EXPECT_FALSE(feed.broken());
}

TEST_P(NumberFeed, TwoPendingSignalsYieldTwo) {
  const ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  const auto before = signal_mask::block({SIGINT, SIGTERM});
  ::raise(SIGTERM);
  ::raise(SIGINT);
  EXPECT_TRUE(numbers_in(loop.read).empty());
  signal_mask::restore(before);
  EXPECT_EQ(numbers_in(loop.read), (std::vector{SIGINT, SIGTERM})) << "the kernel takes the lower one first";
}

TEST_P(NumberFeed, WakesAnEpollLoopBeforeAndDuringItsWait) {
  const ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event what{.events = EPOLLIN, .data = {.fd = loop.read}};
  ASSERT_EQ(::epoll_ctl(epoll, EPOLL_CTL_ADD, loop.read, &what), 0);
  const auto turn = [&] {
    int ready = 0;
    while ((ready = ::epoll_wait(epoll, &what, 1, 10'000)) < 0 && errno == EINTR) {
    }
    return ready == 1 ? numbers_in(loop.read) : std::vector<int>{};
  };
  ::raise(SIGINT);
  EXPECT_EQ(turn(), std::vector{SIGINT});
  std::jthread other{[] { ::raise(SIGHUP); }};
  EXPECT_EQ(turn(), std::vector{SIGHUP});
  ::close(epoll);
}

// As GLib's main loop does: one descriptor for what came, another for the library's own due work.
TEST_P(NumberFeed, StandsBesideTheWakeupDescriptorInAPollLoop) {
  const ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  pollfd watched[] = {{loop.read, POLLIN, 0}, {scope.wakeup_fd(), POLLIN, 0}};
  ::raise(SIGHUP);
  EXPECT_EQ(::poll(watched, 2, 10'000), 1) << "a listened signal asks nobody to stop";
  EXPECT_EQ(numbers_in(loop.read), std::vector{SIGHUP});
  ::raise(SIGINT);
  EXPECT_EQ(::poll(watched, 2, 10'000), 2);
  EXPECT_EQ(numbers_in(loop.read), std::vector{SIGINT});
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST_P(NumberFeed, IsFedByInterruptMainToo) {
  const ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  interrupt_main(SIGTERM);
  EXPECT_EQ(numbers_in(loop.read), std::vector{SIGTERM});
}

TEST_P(NumberFeed, AFullOneIsSurvivedAndSaysHowManyAreMissing) {
  const ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  const char filler[4096]{};
  while (::write(loop.write, filler, sizeof filler) > 0) {
  }
  while (::write(loop.write, filler, 1) > 0) {
  }
  errno = 1234;
  ::raise(SIGINT);
  ::raise(SIGTERM);
  EXPECT_EQ(errno, 1234);
  EXPECT_EQ(feed.unwritten(), 2U);
  EXPECT_FALSE(feed.broken());
  EXPECT_EQ(scope.delivered(), 2U);
  EXPECT_THROW(checkpoint(), interrupted);
  numbers_in(loop.read);
  ::raise(SIGINT);
  EXPECT_EQ(numbers_in(loop.read), std::vector{SIGINT}) << "it goes on when there is room again";
}

// The default action of SIGPIPE would end this test.
TEST_P(NumberFeed, ABrokenOneIsReportedOnceAndTheHandlerStillWorks) {
  ends loop = make();
  timeline log;
  auto options = patient();
  options.log = &log;
  signal_scope scope{options};
  std::atomic<int> reports{0};
  const auto feed = scope.forward_numbers(loop.write, [&](std::error_code why) {
    EXPECT_EQ(why, std::errc::broken_pipe);
    ++reports;
    throw std::runtime_error{"contained"};
  });
  loop.close_read();
  for (int i = 0; i < 5; ++i) ::raise(SIGINT);
  EXPECT_EQ(feed.broken(), std::errc::broken_pipe);
  EXPECT_EQ(feed.unwritten(), 5U);
  EXPECT_EQ(scope.delivered(SIGINT), 5U);
  EXPECT_TRUE(interrupt_pending());
  EXPECT_EQ(scope.close().pending.size(), 5U);
  EXPECT_EQ(reports, 1);
  int noted = 0;
  for (const auto& e : log.events()) noted += e.kind == event_kind::failure && e.name == "forward_numbers";
  EXPECT_EQ(noted, 1);
}

TEST_P(NumberFeed, LeavesASigpipeThatWasPendingAlone) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer holds signals back for itself (docs/limits.md)";
#endif
  ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  signal_mask::block({SIGPIPE});
  ::raise(SIGPIPE);
  loop.close_read();
  ::raise(SIGINT);
  EXPECT_EQ(feed.broken(), std::errc::broken_pipe);
  EXPECT_TRUE(signal_mask::is_pending(SIGPIPE));
}

TEST_P(NumberFeed, DoesNotLeaveASigpipeOnAThreadThatBlocksIt) {
  ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  signal_mask::block({SIGPIPE});
  loop.close_read();
  ::raise(SIGINT);
  EXPECT_EQ(feed.broken(), std::errc::broken_pipe);
  EXPECT_FALSE(signal_mask::is_pending(SIGPIPE));
}

TEST_P(NumberFeed, TheProgramMayCloseItsOwnDescriptor) {
  ends loop = make();
  signal_scope scope{patient()};
  const auto feed = scope.forward_numbers(loop.write);
  const int number = loop.write;
  loop.close_write();
  const ends other = make(); // takes the number that has become free
  ASSERT_TRUE(other.read == number || other.write == number);
  ::raise(SIGINT);
  EXPECT_EQ(numbers_in(loop.read), std::vector{SIGINT});
  EXPECT_TRUE(numbers_in(other.read).empty());
}

TEST_P(NumberFeed, EndsWithItsObjectOrWithTheScope) {
  ends loop = make();
  signal_scope scope{patient()};
  char byte = 0;
  {
    const auto feed = scope.forward_numbers(loop.write);
    EXPECT_THROW((void)scope.forward_numbers(loop.write), std::logic_error) << "one at a time";
  }
  ::raise(SIGINT);
  EXPECT_TRUE(numbers_in(loop.read).empty());
  const auto feed = scope.forward_numbers(loop.write);
  loop.close_write();
  EXPECT_EQ(::read(loop.read, &byte, 1), -1);
  scope.close();
  EXPECT_EQ(::read(loop.read, &byte, 1), 0) << "the end of the file: nobody can write any more";
  EXPECT_EQ(feed.unwritten(), 0U);
  EXPECT_THROW((void)scope.forward_numbers(loop.read), std::logic_error);
}

TEST_P(NumberFeed, AForkedChildDoesNotWriteIt) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "not under ThreadSanitizer (docs/limits.md)";
#endif
  const ends loop = make();
  signal_scope scope{patient()};
  auto feed = scope.forward_numbers(loop.write);
  EXPECT_TRUE(testing_child::ended_by(testing_child::run([]() -> int { return ::raise(SIGTERM); }), SIGTERM));
  const int status = testing_child::run([&]() -> int {
    signal_scope own{patient()};
    ::raise(SIGTERM);
    feed.reset();
    return own.delivered(SIGTERM) == 1 ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  EXPECT_TRUE(numbers_in(loop.read).empty());
  ::raise(SIGINT);
  EXPECT_EQ(numbers_in(loop.read), std::vector{SIGINT}) << "the parent's goes on";
}

TEST_P(NumberFeed, ComesAndGoesWhileSignalsArrive) {
  signal_scope scope{patient()};
  std::atomic<bool> over{false};
  std::vector<std::jthread> storm;
  for (int t = 0; t < 2; ++t)
    storm.emplace_back([&] {
      while (!over.load()) ::raise(SIGINT);
    });
  for (int i = 0; i < 100; ++i) {
    ends loop = make();
    auto feed = scope.forward_numbers(loop.write);
    std::this_thread::yield();
    if (i % 2 == 0) loop.close_read();
    feed.reset();
    if (i % 2 != 0) {
      loop.close_write();
      for (const int number : numbers_in(loop.read)) EXPECT_EQ(number, SIGINT);
      char byte = 0;
      EXPECT_EQ(::read(loop.read, &byte, 1), 0);
    }
  }
  over = true;
}

TEST(NumberFeedRefuses, WhatAHandlerCannotWrite) {
  signal_scope scope;
  ends blocking = make_pipe(O_CLOEXEC);
  const ends pipe = make_pipe();
  const int event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  EXPECT_TRUE(says(refusal(scope, -1), "Bad file descriptor"));
  EXPECT_TRUE(says(refusal(scope, 1'000'000), "Bad file descriptor"));
  EXPECT_TRUE(says(refusal(scope, blocking.write), "blocking"));
  EXPECT_TRUE(says(refusal(scope, pipe.read), "not open for writing"));
  EXPECT_TRUE(says(refusal(scope, event), "neither a pipe nor a socket"));
  ::close(event);
  const int gone = blocking.write;
  blocking.close_write();
  EXPECT_TRUE(says(refusal(scope, gone), "forward_numbers: descriptor " + std::to_string(gone)));
  EXPECT_THROW((void)scope.forward_numbers(pipe.read), std::invalid_argument);
  EXPECT_THROW((void)scope.forward_numbers(gone), std::system_error);
  ::raise(SIGINT);
  EXPECT_TRUE(interrupt_pending()) << "a refusal changes nothing";
  const auto feed = scope.forward_numbers(pipe.write);
}

TEST(NumberFeedRefuses, WithoutAFreeDescriptorAndNamesTheCall) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer looks at memory through a pipe";
#endif
  signal_scope scope{patient()};
  const ends loop = make_pipe();
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const rlimit full{static_cast<rlim_t>(loop.write) + 1, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &full), 0);
  const std::string text = refusal(scope, loop.write);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
  EXPECT_TRUE(says(text, "fcntl") && says(text, "Too many open files")) << text;
  const auto feed = scope.forward_numbers(loop.write);
  ::raise(SIGINT);
  EXPECT_EQ(numbers_in(loop.read), std::vector{SIGINT});
}

TEST(NumberFeedRefuses, EveryFailingCallOfItsCreationLeavesNothingBehind) {
  signal_scope scope{patient()};
  const ends loop = make_pipe();
  for (int nth = 1; nth <= 2; ++nth) {
    fault_plan::fail_nth(nth, EMFILE);
    EXPECT_THROW((void)scope.forward_numbers(loop.write), std::system_error) << nth;
    EXPECT_TRUE(fault_plan::disarm());
  }
  const auto feed = scope.forward_numbers(loop.write);
  for (int nth = 1; nth <= 4; ++nth) {
    fault_plan::fail_nth(nth, EAGAIN);
    ::raise(SIGINT);
    fault_plan::disarm();
  }
  EXPECT_EQ(feed.unwritten(), 1U);
  EXPECT_EQ(scope.delivered(SIGINT), 4U);
}
