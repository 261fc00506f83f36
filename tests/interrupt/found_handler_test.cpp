// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// A handler that was there before the scope.

#include <lastcall/interrupt/checkpoint.hpp>
#include <lastcall/interrupt/shield.hpp>
#include <lastcall/interrupt/signal_scope.hpp>

#include <gtest/gtest.h>

#include "interrupt/child.hpp"
#include "interrupt/signal_mask.hpp"

#include <atomic>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <optional>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

using namespace std::chrono_literals;
using namespace lastcall;

namespace {

#if defined(__SANITIZE_THREAD__)
// It calls handlers late, from its own code, with copies of what the kernel gave and a mask of its own.
constexpr bool handlers_are_late = true;
#else
constexpr bool handlers_are_late = false;
#endif

std::atomic<int> calls{0};
struct seen {
  int signal = 0;
  int code = 0;
  pid_t sender = 0;
  int value = 0;
  void* context = nullptr;
  int error = 0;
  sigset_t mask{};
} the_last;

void plain(int signal) {
  ++calls;
  the_last.signal = signal;
  the_last.error = errno;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &the_last.mask);
  errno = 77;
}

void with_info(int signal, siginfo_t* info, void* context) {
  plain(signal);
  the_last.code = info->si_code;
  the_last.sender = info->si_pid;
  the_last.value = info->si_value.sival_int;
  the_last.context = context;
}

void install(int signal, void (*handler)(int), int flags = SA_RESTART, std::initializer_list<int> mask = {}) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int blocked : mask) sigaddset(&action.sa_mask, blocked);
  ASSERT_EQ(::sigaction(signal, &action, nullptr), 0);
}

void install(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ASSERT_EQ(::sigaction(signal, &action, nullptr), 0);
}

struct sigaction disposition(int signal) {
  struct sigaction now {};
  ::sigaction(signal, nullptr, &now);
  return now;
}

sigjmp_buf back;
[[gnu::noinline]] bool jumps_out_of_a_signal() {
  if (sigsetjmp(back, 1) != 0) return true;
  ::raise(SIGINT);
  return false;
}

[[gnu::noinline]] bool jumps_out_of_a_shield() {
  if (sigsetjmp(back, 1) != 0) return true;
  const shield whole;
  ::raise(SIGINT);
  ::raise(SIGTERM);
  return false;
}

bool blocks(const sigset_t& mask, int signal) { return sigismember(&mask, signal) == 1; }

} // namespace

TEST(FoundHandler, IsCalledAfterTheArrivalWasRecorded) {
  install(SIGINT, plain);
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(the_last.signal, SIGINT);
  EXPECT_EQ(scope.delivered(SIGINT), 1U);
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(FoundHandler, AlreadyFindsTheRequestInTheScope) {
  static bool pending = false;
  install(SIGINT, [](int) { pending = interrupt_pending(); });
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_TRUE(pending);
}

TEST(FoundHandler, GetsWhatTheKernelGave) {
  install(SIGTERM, with_info);
  signal_scope scope;
  ASSERT_EQ(::sigqueue(::getpid(), SIGTERM, {.sival_int = 4711}), 0);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(the_last.code, SI_QUEUE);
  EXPECT_EQ(the_last.sender, ::getpid());
  EXPECT_EQ(the_last.value, 4711);
  EXPECT_NE(the_last.context, nullptr);
}

TEST(FoundHandler, LeavesErrnoOfTheInterruptedCodeAlone) {
  install(SIGINT, plain);
  signal_scope scope;
  errno = 1234;
  ::raise(SIGINT);
  EXPECT_EQ(errno, 1234);
  if (!handlers_are_late) {
    EXPECT_EQ(the_last.error, 1234);
  }
}

TEST(FoundHandler, IsCalledOnTheThreadTheSignalHit) {
  static std::thread::id where;
  install(SIGINT, [](int) { where = std::this_thread::get_id(); });
  signal_scope scope;
  std::thread::id other;
  std::jthread{[&] {
    other = std::this_thread::get_id();
    ::raise(SIGINT);
  }}.join();
  EXPECT_EQ(where, other);
}

TEST(FoundHandler, RunsUnderItsOwnMaskAndNotUnderTheScopes) {
  if (handlers_are_late) GTEST_SKIP() << "not under ThreadSanitizer (docs/limits.md)";
  install(SIGINT, plain, SA_RESTART, {SIGUSR1});
  signal_mask::block({SIGHUP});
  sigset_t before, after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_TRUE(blocks(the_last.mask, SIGINT));
  EXPECT_TRUE(blocks(the_last.mask, SIGUSR1)) << "it asked for that";
  EXPECT_TRUE(blocks(the_last.mask, SIGHUP)) << "the thread had it blocked";
  EXPECT_FALSE(blocks(the_last.mask, SIGTERM)) << "the other signal of the scope";
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < 32; ++signal)
    EXPECT_EQ(blocks(after, signal), blocks(before, signal)) << signal;
}

TEST(FoundHandler, ThatWantsToBeInterruptedByItsOwnSignalIs) {
  if (handlers_are_late) GTEST_SKIP() << "not under ThreadSanitizer (docs/limits.md)";
  install(
      SIGINT,
      [](int) {
        if (++calls == 1) ::raise(SIGINT);
        EXPECT_EQ(calls, 2) << "the inner one ran inside the outer one";
      },
      SA_RESTART | SA_NODEFER);
  signal_scope scope;
  ::raise(SIGINT);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(scope.delivered(SIGINT), 2U);
}

TEST(FoundHandler, ForOneCallIsCalledOnceAndTheDefaultIsGivenBack) {
  install(SIGINT, plain, SA_RESTART | static_cast<int>(SA_RESETHAND));
  {
    signal_scope scope;
    ::raise(SIGINT);
    ::raise(SIGINT);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(scope.delivered(SIGINT), 2U);
  }
  EXPECT_EQ(disposition(SIGINT).sa_handler, SIG_DFL);
}

TEST(FoundHandler, ForOneCallIsGivenBackWhenNothingCame) {
  install(SIGINT, plain, static_cast<int>(SA_RESETHAND));
  { const signal_scope scope; }
  EXPECT_EQ(disposition(SIGINT).sa_handler, plain);
  EXPECT_NE(disposition(SIGINT).sa_flags & static_cast<int>(SA_RESETHAND), 0);
}

// A program that waits for EINTR to look at its own flag would never look.
TEST(FoundHandler, WithoutRestartStillEndsTheCallsItUsedToEnd) {
  install(SIGINT, plain, 0);
  const signal_scope scope;
  EXPECT_EQ(disposition(SIGINT).sa_flags & SA_RESTART, 0);
  EXPECT_NE(disposition(SIGTERM).sa_flags & SA_RESTART, 0) << "nobody was there";
}

TEST(FoundHandler, FlagsAboutChildrenStayInForce) {
  install(SIGCHLD, plain, SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT);
  const signal_scope scope{{.listen = {SIGCHLD}}};
  EXPECT_EQ(disposition(SIGCHLD).sa_flags & (SA_NOCLDSTOP | SA_NOCLDWAIT), SA_NOCLDSTOP | SA_NOCLDWAIT);
}

TEST(FoundHandler, MayLeaveByAJumpAndTheScopeWorksOn) {
  install(SIGINT, [](int) { siglongjmp(back, 1); });
  signal_scope scope{{.ladder = ladder_policy::patient}};
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(jumps_out_of_a_signal());
  EXPECT_EQ(scope.delivered(SIGINT), 100U);
  sigset_t now;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
  EXPECT_FALSE(blocks(now, SIGINT) || blocks(now, SIGTERM));
  const auto end = scope.close(deadline::after(10s));
  EXPECT_EQ(end.pending.size(), 100U);
  EXPECT_TRUE(end.herald_ended) << "no handler counts as being inside";
}

TEST(FoundHandler, MayEndItsThread) {
  if (handlers_are_late) GTEST_SKIP() << "not under ThreadSanitizer (docs/limits.md)";
  install(SIGINT, [](int) { ::pthread_exit(nullptr); });
  signal_scope scope;
  std::atomic<bool> after{false};
  pthread_t thread{};
  ASSERT_EQ(::pthread_create(
                &thread, nullptr,
                [](void* flag) -> void* {
                  ::raise(SIGINT);
                  *static_cast<std::atomic<bool>*>(flag) = true;
                  return nullptr;
                },
                &after),
            0);
  ::pthread_join(thread, nullptr);
  EXPECT_FALSE(after);
  EXPECT_THROW(checkpoint(), interrupted);
}

TEST(FoundHandler, MayEndTheProcess) {
  const int status = testing_child::run([]() -> int {
    std::signal(SIGINT, [](int) { ::_exit(7); });
    const signal_scope scope;
    ::raise(SIGINT);
    return 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
}

TEST(FoundHandler, IsNotCalledWhereThereIsNoSignal) {
  install(SIGINT, plain);
  signal_scope scope;
  interrupt_main(SIGINT);
  scope.request_stop("enough");
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(scope.requests().size(), 2U);
}

TEST(FoundHandler, KeptHasTheSignalForItselfAndTheScopeSaysSo) {
  install(SIGINT, plain);
  {
    signal_scope scope{{.found = found_handler::keep}};
    EXPECT_EQ(disposition(SIGINT).sa_handler, plain);
    EXPECT_FALSE(scope.handles(SIGINT));
    EXPECT_TRUE(scope.handles(SIGTERM));
    ::raise(SIGINT);
    interrupt_main(SIGINT);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(scope.delivered(), 0U);
    scope.close();
    EXPECT_FALSE(scope.handles(SIGTERM));
  }
  EXPECT_EQ(disposition(SIGINT).sa_handler, plain);
}

TEST(FoundHandler, ReplacedIsNotCalledAndGivenBack) {
  install(SIGINT, plain);
  {
    signal_scope scope{{.found = found_handler::replace}};
    ::raise(SIGINT);
    EXPECT_EQ(calls, 0);
    EXPECT_TRUE(scope.handles(SIGINT));
  }
  EXPECT_EQ(disposition(SIGINT).sa_handler, plain);
}

TEST(FoundHandler, IsCalledInAForkedChildAndTheParentHearsNothing) {
  if (handlers_are_late) GTEST_SKIP() << "not under ThreadSanitizer (docs/limits.md)";
  install(SIGINT, plain);
  signal_scope scope;
  const int status = testing_child::run([]() -> int {
    ::raise(SIGINT);
    ::raise(SIGINT);
    return calls == 2 && disposition(SIGINT).sa_handler == plain ? 7 : 1;
  });
  EXPECT_TRUE(testing_child::exited_with(status, 7)) << status;
  EXPECT_EQ(scope.delivered(), 0U);
}

TEST(FoundHandler, IsPutOffToTheEndOfTheLastShield) {
  install(SIGTERM, with_info);
  signal_scope scope;
  {
    const shield outer;
    {
      const shield inner;
      ASSERT_EQ(::sigqueue(::getpid(), SIGTERM, {.sival_int = 4711}), 0);
    }
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(scope.delivered(SIGTERM), 1U);
    errno = 1234;
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(errno, 1234);
  EXPECT_EQ(the_last.value, 4711);
  EXPECT_EQ(the_last.context, nullptr);
  EXPECT_TRUE(handlers_are_late || blocks(the_last.mask, SIGTERM));
  { const shield next; }
  EXPECT_EQ(calls, 1);
}

TEST(FoundHandler, IsPutOffAsABlockedSignalWouldBe) {
  static std::vector<int> order;
  install(SIGINT, [](int signal) { order.push_back(signal); });
  install(SIGTERM, [](int signal) { order.push_back(signal); });
  install(SIGRTMIN, [](int signal) { order.push_back(signal); });
  signal_scope scope{{.listen = {SIGRTMIN}, .ladder = ladder_policy::patient}};
  {
    const shield whole;
    for (int i = 0; i < 2; ++i)
      for (const int signal : {SIGTERM, SIGRTMIN, SIGINT}) ::raise(signal);
  }
  EXPECT_EQ(order, (std::vector{SIGTERM, SIGRTMIN, SIGINT, SIGRTMIN})) << "standard signals merge";
  EXPECT_EQ(scope.delivered(), 6U);
}

TEST(FoundHandler, OfAThreadWithoutAShieldIsNotPutOff) {
  install(SIGINT, plain);
  signal_scope scope;
  const shield mine;
  std::jthread{[] { ::raise(SIGINT); }}.join();
  EXPECT_EQ(calls, 1);
}

TEST(FoundHandler, ThatFindsNoRoomToWaitIsCalledAtOnce) {
  install(SIGRTMIN, plain);
  signal_scope scope{{.listen = {SIGRTMIN}}};
  {
    const shield whole;
    for (int i = 0; i < 100; ++i) ::raise(SIGRTMIN);
    EXPECT_EQ(calls, 36);
  }
  EXPECT_EQ(calls, 100);
}

TEST(FoundHandler, ThatJumpsOutOfAShieldsEndLeavesTheRestToTheNextOne) {
  install(SIGINT, [](int) { siglongjmp(back, 1); });
  install(SIGTERM, plain);
  signal_scope scope{{.ladder = ladder_policy::patient}};
  EXPECT_TRUE(jumps_out_of_a_shield());
  EXPECT_EQ(calls, 0);
  { const shield next; }
  EXPECT_EQ(calls, 1);
}

TEST(FoundHandler, PutOffInTheParentIsNotCalledInAForkedChild) {
  if (handlers_are_late) GTEST_SKIP() << "not under ThreadSanitizer (docs/limits.md)";
  install(SIGINT, plain);
  signal_scope scope;
  int one_status = 0, other_status = 0;
  {
    std::optional<shield> whole{std::in_place};
    ::raise(SIGINT);
    one_status = testing_child::run([&]() -> int {
      whole.reset();
      return calls == 0 ? 7 : 1;
    });
    other_status = testing_child::run([&]() -> int {
      const signal_scope own;
      whole.reset();
      return calls == 0 ? 7 : 1;
    });
  }
  EXPECT_TRUE(testing_child::exited_with(one_status, 7)) << one_status;
  EXPECT_TRUE(testing_child::exited_with(other_status, 7)) << other_status;
  EXPECT_EQ(calls, 1);
}
