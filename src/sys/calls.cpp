// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/calls.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <limits>

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lastcall::sys {

namespace {

template <class Result>
Result outcome(Result result) noexcept {
  return result < 0 ? static_cast<Result>(-errno) : result;
}

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer holds an asynchronous signal back until its thread enters one of the calls it
// intercepts. A raw futex call is none of them and is restarted after the signal, so the handler would
// never run. Here, and only here, the wait is cut into slices; the atomic load between two of them is
// where the sanitizer lets the handler in.
constexpr std::int64_t longest_wait_ns = 5'000'000;
#else
constexpr std::int64_t longest_wait_ns = std::numeric_limits<std::int64_t>::max();
#endif

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

int unblock(int signal) noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  return -::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

pid_t getpid() noexcept { return ::getpid(); }

pid_t gettid() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

uid_t getuid() noexcept { return ::getuid(); }

std::int64_t monotonic_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
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

void exit_now(int status) noexcept { ::_exit(status); }

} // namespace lastcall::sys
