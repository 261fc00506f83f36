// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/calls.hpp"

#include <lastcall/sys/config.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <limits>

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

template <class Result>
Result outcome(Result result) noexcept {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

sigset_t only(int signal) noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return set;
}

// ThreadSanitizer holds an asynchronous signal back until its thread enters one of the calls it
// intercepts. A raw futex call is none of them and is restarted after the signal, so the handler would
// never run. With it, and only with it, the wait is cut into slices; the atomic load between two of them is
// where the sanitizer lets the handler in.
constexpr std::int64_t longest_wait_ns =
    LASTCALL_CONFIG_THREAD_SANITIZER ? 5'000'000 : std::numeric_limits<std::int64_t>::max();

} // namespace

int sigaction(int signal, const struct ::sigaction* next, struct ::sigaction* old) noexcept {
  if (const int refused = admit(call::rt_sigaction)) return -refused;
  return outcome(::sigaction(signal, next, old));
}

int requeue_to_self(int signal, const siginfo_t& info) noexcept {
  if (const int refused = admit(call::rt_sigqueueinfo)) return -refused;
  return outcome(static_cast<int>(::syscall(SYS_rt_tgsigqueueinfo, ::getpid(),
                                            static_cast<pid_t>(::syscall(SYS_gettid)), signal, &info)));
}

int tgkill_self(int signal) noexcept {
  if (const int refused = admit(call::tgkill)) return -refused;
  return outcome(
      static_cast<int>(::syscall(SYS_tgkill, ::getpid(), static_cast<pid_t>(::syscall(SYS_gettid)), signal)));
}

int tgkill(pid_t thread, int signal) noexcept {
  if (const int refused = admit(call::tgkill)) return -refused;
  return outcome(static_cast<int>(::syscall(SYS_tgkill, ::getpid(), thread, signal)));
}

int take_pending(int signal) noexcept {
  // Not by the C library: there it is a place where a thread is cancelled, and this is called where none may
  // be.
  const std::uint64_t set = std::uint64_t{1} << (signal - 1);
  const timespec at_once{};
  return outcome(static_cast<int>(::syscall(SYS_rt_sigtimedwait, &set, nullptr, &at_once, sizeof set)));
}

int await_signal(siginfo_t& info, std::int64_t timeout_ns) noexcept {
  if (const int refused = admit(call::rt_sigtimedwait)) return -refused;
  const std::uint64_t all = ~std::uint64_t{0};
  const timespec limit{static_cast<time_t>(timeout_ns / 1'000'000'000),
                       static_cast<long>(timeout_ns % 1'000'000'000)};
  return outcome(static_cast<int>(
      ::syscall(SYS_rt_sigtimedwait, &all, &info, timeout_ns < 0 ? nullptr : &limit, sizeof all)));
}

int queue_signal(pid_t process, int signal, const siginfo_t& info) noexcept {
  if (const int refused = admit(call::rt_sigqueueinfo)) return -refused;
  return outcome(static_cast<int>(::syscall(SYS_rt_sigqueueinfo, process, signal, &info)));
}

int unblock(int signal) noexcept {
  const sigset_t set = only(signal);
  return -::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

// Not by the C library: it would leave out signals of its own that the thread had blocked.
std::uint64_t signal_mask() noexcept {
  std::uint64_t mask = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, nullptr, &mask, sizeof mask);
  return mask;
}

void set_signal_mask(std::uint64_t mask) noexcept {
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

std::uint64_t interrupted_mask(const void* context) noexcept {
  return bits_of(static_cast<const ucontext_t*>(context)->uc_sigmask);
}

std::uint64_t bits_of(const sigset_t& set) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &set, sizeof bits); // the rest of it is not the kernel's
  return bits;
}

int block(int signal) noexcept {
  const sigset_t set = only(signal);
  return -::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool is_blocked(int signal) noexcept {
  sigset_t set;
  return ::pthread_sigmask(SIG_BLOCK, nullptr, &set) == 0 && sigismember(&set, signal) == 1;
}

bool is_pending(int signal) noexcept {
  sigset_t set;
  return ::sigpending(&set) == 0 && sigismember(&set, signal) == 1;
}

pid_t getpid() noexcept { return ::getpid(); }

pid_t gettid() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

uid_t getuid() noexcept { return ::getuid(); }

std::int64_t monotonic_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::int64_t monotonic_ns_of_tick() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

int futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
               std::int64_t timeout_ns) noexcept {
  if (const int refused = admit(call::futex_wait)) return -refused;
  const std::int64_t first = timeout_ns < 0 ? std::numeric_limits<std::int64_t>::max() : timeout_ns;
  const std::int64_t slice = std::min(first, longest_wait_ns);
  const timespec limit{static_cast<time_t>(slice / 1'000'000'000), static_cast<long>(slice % 1'000'000'000)};
  const bool endless = slice == std::numeric_limits<std::int64_t>::max();
  const int result = outcome(static_cast<int>(
      ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, endless ? nullptr : &limit, nullptr, 0)));
  // A slice that ran out early is no timeout: the caller looks at its word and comes back.
  return result == -ETIMEDOUT && slice < first ? -EINTR : result;
}

int futex_wake(const std::atomic<std::uint32_t>& word, int waiters) noexcept {
  if (const int refused = admit(call::futex_wake)) return -refused;
  return outcome(
      static_cast<int>(::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, waiters, nullptr, nullptr, 0)));
}

void yield() noexcept { ::sched_yield(); }

void alarm_by_default(long seconds) noexcept {
  ::signal(SIGALRM, SIG_DFL);
  unblock(SIGALRM);
  ::alarm(static_cast<unsigned>(seconds));
}

void exit_now(int status) noexcept { ::_exit(status); }

} // namespace lastcall::sys
