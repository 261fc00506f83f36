// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// What the threads notice of a look at their stacks: nothing.
#include "stacks/working_thread.hpp"

#include "stacks/look.hpp"

#include <lastcall/stacks/stacks.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>

using namespace stacks_test;
using lastcall::stack_of;
using lastcall::text_of;

namespace {

// A call of other code: its name in reports, what it does, and what ends it. It returns an errno, 0 for
// success.
struct foreign_call {
  std::string name;
  std::function<int()> make;
  std::function<void()> finish;
};

int outcome(long result) { return result < 0 ? errno : 0; }

// Looks at the thread's stack many times while it is in the call; then the call must succeed.
void expect_undisturbed(const foreign_call& call) {
  std::atomic<int> error{-1};
  working_thread caller{[&] { error = call.make(); }};
  caller.asleep_in(call.name);
  for (int i = 0; i < 3; ++i) {
    const auto stack = stack_of(caller.id(), some_time());
    EXPECT_GT(stack.frames.size(), 2U) << text_of(stack);
    EXPECT_EQ(error, -1) << call.name << " is over: " << strerror(error) << "\n" << text_of(stack);
  }
  call.finish();
  caller.join();
  EXPECT_EQ(error, 0) << call.name << ": " << strerror(error);
}

pid_t whom = 0;
IN_THE_SAMPLER void send_a_signal() { ::syscall(SYS_tgkill, ::syscall(SYS_getppid), whom, SIGUSR1); }

std::atomic<int> handled{0};
void handle(int) { ++handled; }

void count_signal(int signal, int flags = 0) {
  struct sigaction action {};
  action.sa_handler = &handle;
  action.sa_flags = flags;
  handled = 0;
  ::sigaction(signal, &action, nullptr);
}

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

} // namespace

TEST(Undisturbed, PollGoesOn) {
  const a_pipe bytes;
  expect_undisturbed({"poll",
                      [&] {
                        pollfd what{bytes.out(), POLLIN, 0};
                        return outcome(::poll(&what, 1, -1));
                      },
                      [&] { bytes.send(); }});
}

TEST(Undisturbed, PollWithATimeGoesOn) {
  const a_pipe bytes;
  expect_undisturbed({"poll",
                      [&] {
                        pollfd what{bytes.out(), POLLIN, 0};
                        return ::poll(&what, 1, 3'600'000) == 1 ? 0 : errno;
                      },
                      [&] { bytes.send(); }});
}

TEST(Undisturbed, SelectGoesOn) {
  const a_pipe bytes;

  expect_undisturbed({"pselect",
                      [&] {
                        fd_set set;
                        FD_ZERO(&set);
                        FD_SET(bytes.out(), &set);
                        return outcome(::select(bytes.out() + 1, &set, nullptr, nullptr, nullptr));
                      },
                      [&] { bytes.send(); }});
}

TEST(Undisturbed, ReadGoesOn) {
  const a_pipe bytes;
  expect_undisturbed({"read", [&] { return bytes.take() ? 0 : errno; }, [&] { bytes.send(); }});
}

TEST(Undisturbed, AFutexGoesOn) {
  std::atomic<std::uint32_t> word{0};
  const timespec hour{3600, 0};
  expect_undisturbed({"futex", [&] { return outcome(::syscall(SYS_futex, &word, 0, 0, &hour, nullptr, 0)); },
                      [&] {
                        while (::syscall(SYS_futex, &word, 1, 1, nullptr, nullptr, 0) == 0)
                          std::this_thread::yield();
                      }});
}

TEST(Undisturbed, WaitingForAChildGoesOn) {
  const a_pipe bytes;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(bytes.take() ? 0 : 1);
  }
  expect_undisturbed({"wait4", [&] { return outcome(::waitpid(child, nullptr, 0)); }, [&] { bytes.send(); }});
}

// The ones below give up with EINTR as soon as anything is to be done for their thread; where the sampler
// cannot have them begin again, they are in docs/limits.md.
#if defined(__x86_64__)

TEST(Undisturbed, EpollGoesOn) {
  const a_pipe bytes;
  const int set = ::epoll_create1(0);
  epoll_event what{EPOLLIN, {}};
  ASSERT_EQ(::epoll_ctl(set, EPOLL_CTL_ADD, bytes.out(), &what), 0);
  expect_undisturbed(
      {"epoll_wait", [&] { return outcome(::epoll_wait(set, &what, 1, -1)); }, [&] { bytes.send(); }});
  ::close(set);
}

TEST(Undisturbed, WaitingForASignalGoesOn) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  expect_undisturbed({"sigtimedwait", [&] { return ::sigwaitinfo(&set, nullptr) == SIGUSR2 ? 0 : errno; },
                      [&] { ::kill(::getpid(), SIGUSR2); }});
}

TEST(Undisturbed, ASemaphoreGoesOn) {
  const int semaphore = ::semget(IPC_PRIVATE, 1, 0600);
  ASSERT_GE(semaphore, 0);
  sembuf down{0, -1, 0}, up{0, 1, 0};
  expect_undisturbed(
      {"sem", [&] { return outcome(::semop(semaphore, &down, 1)); }, [&] { ::semop(semaphore, &up, 1); }});
  ::semctl(semaphore, 0, IPC_RMID);
}

TEST(Undisturbed, ReceivingWithATimeoutGoesOn) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const timeval hour{3600, 0};
  ::setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof hour);
  char byte = 0;
  expect_undisturbed({"recvfrom", [&] { return outcome(::recv(ends[0], &byte, 1, 0)); },
                      [&] { static_cast<void>(!::write(ends[1], ".", 1)); }});
  ::close(ends[0]);
  ::close(ends[1]);
}

// The signal comes while the thread stands still, and the call must not begin again behind its handler.
TEST(Undisturbed, ASignalThatComesMeanwhileStillEndsEpoll) {
  count_signal(SIGUSR1);
  const int set = ::epoll_create1(0);
  std::atomic<int> error{-1};
  working_thread caller{[&] {
    epoll_event what{};
    error = outcome(::epoll_wait(set, &what, 1, -1));
  }};
  whom = caller.asleep_in("epoll_wait").id();
  lastcall::stacks::in_the_middle = &send_a_signal;
  stack_of(caller.id(), some_time());
  lastcall::stacks::in_the_middle = nullptr;
  caller.join();
  EXPECT_EQ(error, EINTR);
  EXPECT_EQ(handled, 1);
  ::close(set);
}

#endif

TEST(Undisturbed, ASleepLastsAsLongAsItWould) {
  bool whole = false;
  working_thread sleeper{[&] {
    timespec rest{};
    const timespec span{0, 400'000'000};
    const auto before = std::chrono::steady_clock::now();
    whole = ::nanosleep(&span, &rest) == 0;
    whole = whole && std::chrono::steady_clock::now() - before >= std::chrono::milliseconds{400};
  }};
  sleeper.asleep_in("clock_nanosleep");
  for (int i = 0; i < 3; ++i) stack_of(sleeper.id(), some_time());
  sleeper.join();
  EXPECT_TRUE(whole);
}

TEST(Undisturbed, ASignalThatComesMeanwhileIsTakenOnceAndTheCallGoesOn) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer keeps a handler waiting while its thread is in a read";
#endif
  count_signal(SIGUSR1, SA_RESTART);
  const a_pipe bytes;
  bool took = false;
  working_thread reader{[&] { took = bytes.take(); }};
  whom = reader.asleep_in("read").id();
  lastcall::stacks::in_the_middle = &send_a_signal;
  for (int i = 1; i <= 5; ++i) {
    stack_of(reader.id(), some_time());
    reader.asleep_in("read");
    EXPECT_EQ(handled, i);
  }
  lastcall::stacks::in_the_middle = nullptr;
  bytes.send();
  reader.join();
  EXPECT_TRUE(took);
}

TEST(Undisturbed, NoChildIsLeftAndNoSignalTellsOfOne) {
  count_signal(SIGCHLD);
  stack_of(::getpid(), some_time());
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(::waitpid(-1, nullptr, __WALL | WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Undisturbed, ItWorksWhereChildrenAreIgnored) {
  ::signal(SIGCHLD, SIG_IGN);
  const auto stack = stack_of(::getpid(), some_time());
  EXPECT_EQ(stack.missing, "");
  EXPECT_EQ(::waitpid(-1, nullptr, __WALL | WNOHANG), -1);
}

TEST(Undisturbed, DescriptorsAndThreadsAreAsBefore) {
  stack_of(::getpid(), some_time());
  const int before = open_descriptors();
  const std::size_t threads = lastcall::all_stacks(some_time()).size();
  for (int i = 0; i < 3; ++i) stack_of(::getpid(), some_time());
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(lastcall::all_stacks(some_time()).size(), threads);
}

// Stopped anywhere inside malloc, with its locks taken, they hold up nobody.
TEST(Undisturbed, ThreadsThatAllocateAreNoHindrance) {
  std::atomic<bool> enough{false};
  const auto allocate = [&] {
    while (!enough) {
      std::vector<std::unique_ptr<char[]>> some;
      for (std::size_t size = 1; size < 200'000; size *= 2) some.push_back(std::make_unique<char[]>(size));
    }
  };
  const working_thread one{allocate}, other{allocate};
  const std::array both{one.id(), other.id()};
  for (int i = 0; i < 6; ++i)
    for (const auto& each : lastcall::stacks_of(both, some_time()))
      EXPECT_FALSE(each.frames.empty()) << text_of(each);
  enough = true;
}
