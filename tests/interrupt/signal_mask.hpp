// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <initializer_list>

#include <signal.h>

/// The calling thread's signal mask.
namespace signal_mask {

/// Blocks these, too; the mask before.
inline sigset_t block(std::initializer_list<int> signals) {
  sigset_t added, before;
  sigemptyset(&added);
  for (const int signal : signals) sigaddset(&added, signal);
  ::pthread_sigmask(SIG_BLOCK, &added, &before);
  return before;
}

inline void restore(const sigset_t& before) { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }

inline bool is_pending(int signal) {
  sigset_t pending;
  ::sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

} // namespace signal_mask
