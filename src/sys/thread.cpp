// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "sys/thread.hpp"

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

int join(pthread_t thread) noexcept {
  // Refused or not, the thread must be joined: the twin makes it report a failure it cannot have.
  const int refused = admit(call::thread_join);
  const int error = ::pthread_join(thread, nullptr);
  return refused != 0 ? -refused : -error;
}

void detach(pthread_t thread) noexcept { ::pthread_detach(thread); }

} // namespace lastcall::sys
