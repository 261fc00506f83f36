// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Blocks the signals from the start and fetches them with sigwait(), then ends by the one that came.
#include <csignal>

int main() {
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  sigprocmask(SIG_BLOCK, &both, nullptr);
  int number = 0;
  sigwait(&both, &number);
  signal(number, SIG_DFL);
  sigprocmask(SIG_UNBLOCK, &both, nullptr);
  raise(number);
  return 1;
}
