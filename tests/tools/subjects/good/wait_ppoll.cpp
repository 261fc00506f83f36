// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Blocks the signals and lets them in only inside ppoll(): there is no gap between looking and sleeping.
#include <csignal>
#include <poll.h>

static volatile sig_atomic_t stop = 0;

int main() {
  sigset_t both;
  sigset_t open;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  sigprocmask(SIG_BLOCK, &both, &open);
  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  while (!stop) ppoll(nullptr, 0, nullptr, &open);
  return 0;
}
