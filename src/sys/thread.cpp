// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/thread.hpp"

#include <lastcall/sys/config.hpp>

#include <algorithm>
#include <ctime>
#include <initializer_list>

#include <signal.h>

namespace lastcall::sys {

int start_deaf_thread(pthread_t& thread, void* (*run)(void*), void* argument, const char* name) noexcept {
  if (const int refused = admit(call::thread_create)) return -refused;
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int synchronous : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    sigdelset(&blocked, synchronous);

  pthread_attr_t attributes;
  if (const int error = ::pthread_attr_init(&attributes)) return -error;
  int error = ::pthread_attr_setsigmask_np(&attributes, &blocked);
  if (error == 0) error = ::pthread_create(&thread, &attributes, run, argument);
  ::pthread_attr_destroy(&attributes);
  if (error != 0) return -error;
  ::pthread_setname_np(thread, name);
  return 0;
}

int start_thread(pthread_t& thread, void* (*run)(void*), void* argument) noexcept {
  if (const int refused = admit(call::thread_create)) return -refused;
  return -::pthread_create(&thread, nullptr, run, argument);
}

void name_this_thread(const char* name) noexcept { ::pthread_setname_np(::pthread_self(), name); }

bool join(pthread_t thread, std::int64_t ns) noexcept {
  // Refused or not, the thread must be joined: there is no failure it can have but the time.
  admit(call::thread_join);
  // The sanitizer knows the call with one clock only.
  constexpr clockid_t clock = LASTCALL_CONFIG_THREAD_SANITIZER ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  timespec until{};
  ::clock_gettime(clock, &until);
  constexpr std::int64_t second = 1'000'000'000, longest = std::int64_t{1} << 31;
  const std::int64_t seconds = std::min(ns / second, longest);
  const std::int64_t rest = until.tv_nsec + ns % second;
  until.tv_sec += static_cast<time_t>(seconds + rest / second);
  until.tv_nsec = static_cast<long>(rest % second);
  // Else a cancellation of the calling thread would be acted upon in here, where nothing may be thrown.
  int cancellation = 0;
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
#if LASTCALL_CONFIG_THREAD_SANITIZER
  const int error = ::pthread_timedjoin_np(thread, nullptr, &until);
#else
  const int error = ::pthread_clockjoin_np(thread, nullptr, clock, &until);
#endif
  ::pthread_setcancelstate(cancellation, nullptr);
  return error == 0;
}

void detach(pthread_t thread) noexcept { ::pthread_detach(thread); }

} // namespace lastcall::sys
